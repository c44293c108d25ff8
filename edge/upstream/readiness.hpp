// Whether a play would succeed now, checked without recording a view.
#pragma once

#include "broker/nats/requester.hpp"
#include "edge/upstream/fleet.hpp"
#include "edge/upstream/single_flight_cache.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The state of a service or of the stream.
enum class part_state : std::uint8_t
{
    ok,
    away, ///< no instance replies in time, or those that reply do not serve
    /// Reporting has not counted all stored views, or is not serving yet; a catalogue does not
    /// follow its bucket.
    lagging,
    full ///< the stream has no room for another view
};

/// The state as /readyz reports it. Valid for ever.

[[nodiscard]] std::string_view name_of(part_state each) noexcept;

/// The state of each part that a play needs.
struct readiness
{
    part_state metadata = part_state::away;
    part_state cdnurl = part_state::away;
    part_state events = part_state::away;
    part_state reporting = part_state::away;
};

/// What JetStream reports about stream EVENTS.
struct stream_readiness
{
    part_state accepts_views = part_state::away;
    std::optional<std::uint64_t> last; ///< sequence of its last message; nothing if there is none or it is not known
};

/// Reads a reply to STREAM.INFO (JetStream wire API); `away` if it is an error or malformed. There
/// is no `last` if messages were deleted: the last sequence may have no message. Thread-safe.
[[nodiscard]] stream_readiness read_stream_info(std::string_view info);

/// Reads a STATS document (ADR-32) of reporting: `ok` if it serves and has counted up to `last`,
/// `away` if it reports an alarm or nothing about its counts, otherwise `lagging`. Thread-safe.
[[nodiscard]] part_state read_reporting_stats(const boost::json::object& stats, std::optional<std::uint64_t> last);

/// Reads a STATS document (ADR-32) of metadata or cdnurl: `lagging` if it reports an alarm, such as
/// a watch that is lost repeatedly. Thread-safe.
[[nodiscard]] part_state read_catalogue_stats(const boost::json::object& stats);

/// Sends each service a request like those of a play, and checks that the stream would store a
/// view; stores nothing. Checks at most once a second, whatever the number of callers. One per io
/// thread; used on that thread only.
class readiness_check
{
public:
    /// Takes a few milliseconds, and at most a second. Never fails: a part that does not reply is
    /// `away`. `nats` and `fleet` outlive the call.
    [[nodiscard]] asio::awaitable<readiness> check(requester& nats, fleet_view& fleet);

private:
    single_flight_cache<readiness> found_{std::chrono::seconds(1)};
};

} // namespace marquee
