// Asks the fleet for what GET /metrics/fleet shows.
#pragma once

#include "edge/upstream/fleet.hpp"
#include "edge/upstream/single_flight_cache.hpp"

#include <chrono>
#include <string>

namespace marquee
{

/// One per io thread; used on that thread only. Outlives the calls of page().
class fleet_scrape
{
public:
    /// The page of the fleet (fleet_page()). Asks our services, all others, the stream and
    /// JetStream at once and waits for 800 ms at most, less once no further reply has come for
    /// 200 ms. Callers that come within a second share one page. Fails with disconnected, stopping
    /// or overloaded.
    [[nodiscard]] asio::awaitable<result<std::string>> page(requester& nats, fleet_view& fleet);

private:
    single_flight_cache<result<std::string>> page_{std::chrono::seconds(1)};
};

} // namespace marquee
