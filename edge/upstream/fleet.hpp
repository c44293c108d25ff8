// What the services report over the NATS Services protocol (ADR-32).
#pragma once

#include "broker/nats/requester.hpp"
#include "edge/upstream/single_flight_cache.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Replies to STATS.
struct service_statistics
{
    std::vector<std::vector<std::string>> of_services; ///< to each request that names a service; at most 1 MiB each
    std::vector<std::string> of_all;                   ///< to the request to everybody; at most 256 KiB
};

/// Discovers the instances of all services. The list is requested at most once a second, whatever
/// the number of callers, so that clients of the edge cannot load the services. One per io thread;
/// used on that thread only.
class fleet_view
{
public:
    /// Sets the way to the broker. Without it any_instance_matches() is false and services() fails
    /// with disconnected. `through` outlives this object's calls.
    void set_requester(multi_requester& through) noexcept { requester_ = &through; }

    /// Sends `verb` (PING, INFO or STATS) to all instances of the service `name`. True once
    /// `accepts` is true for a reply of the right type and service (ADR-32); false if none is
    /// accepted by `until`, or without a link to the broker.
    [[nodiscard]] asio::awaitable<bool> any_instance_matches(std::string_view verb, std::string_view name,
                                                             std::function<bool(const boost::json::object&)> accepts,
                                                             deadline until);

    /// The instances that reply within 500 ms, as JSON (services_reply.schema.json), sorted by name
    /// and id. Ends earlier, after 100 ms without a further reply. Malformed replies are left out.
    /// Fails with disconnected, stopping or overloaded.
    [[nodiscard]] asio::awaitable<result<std::string>> services();

    /// The replies to STATS that come by `until`, unread. Each of `services` is asked by its name,
    /// with room of its own, so that what others say takes none of it. Ends earlier, after 200 ms
    /// without a further reply. Fails as services() does.
    [[nodiscard]] asio::awaitable<result<service_statistics>> statistics(std::vector<std::string_view> services,
                                                                         deadline until);

private:
    asio::awaitable<result<std::string>> poll_services();

    multi_requester* requester_ = nullptr;
    single_flight_cache<result<std::string>> services_{std::chrono::seconds(1)};
};

/// Merges replies to INFO and to STATS into one services_reply. An instance is listed if its INFO
/// is well-formed; its endpoints have numbers if its STATS is too. The first reply of an instance
/// counts. Thread-safe.
[[nodiscard]] std::string merge_service_replies(const std::vector<std::string>& infos,
                                                const std::vector<std::string>& stats);

} // namespace marquee
