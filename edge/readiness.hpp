// What a play would meet now, found out without a play.
#pragma once

#include "broker/requester.hpp"
#include "edge/fleet.hpp"
#include "edge/remembered.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Of a service or of the stream.
enum class fitness : std::uint8_t
{
    ok,
    away,    ///< nobody answers in time, or what answers does not serve
    lagging, ///< reporting has not counted what is stored, or is not back in place yet; a catalogue does not follow its bucket
    full     ///< the stream refuses views
};

[[nodiscard]] std::string_view name_of(fitness each) noexcept;

/// What each part would do for a play.
struct readiness
{
    fitness metadata = fitness::away;
    fitness cdnurl = fitness::away;
    fitness events = fitness::away;
    fitness reporting = fitness::away;
};

/// What JetStream says about stream EVENTS.
struct stream_fitness
{
    fitness takes_views = fitness::away;
    std::optional<std::uint64_t>
        last; ///< the sequence of its last message; nothing where there is none, or where it is not known
};

/// Reads a reply of STREAM.INFO. `last` is left out where messages were deleted: the last sequence may be that of none.
[[nodiscard]] stream_fitness judge_stream(std::string_view info);

/// Reads a STATS document of reporting: has it counted up to `last`, and does it serve? `away` where it has an alarm or says nothing of this.
[[nodiscard]] fitness judge_reporting(const boost::json::object& stats, std::optional<std::uint64_t> last);

/// Reads a STATS document of metadata or cdnurl: `lagging` where it has an alarm, such as a watch that is lost again and again.
[[nodiscard]] fitness judge_catalogue(const boost::json::object& stats);

/// Asks each service what it would be asked for a play, and the stream whether it would take a view; stores nothing. Asked at most once a second,
/// whoever wants to know. On one io thread.
class readiness_check
{
public:
    /// A second at most, mostly a few milliseconds. `nats` and `fleet` outlive the call.
    [[nodiscard]] asio::awaitable<readiness> look(requester& nats, fleet_view& fleet);

private:
    remembered<readiness> found_{std::chrono::seconds(1)};
};

} // namespace marquee
