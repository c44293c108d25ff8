// The endpoints of reporting; those of lists and views by time are in view_endpoints.hpp.
#pragma once

#include "broker/jetstream/sequence_waiter.hpp"
#include "broker/micro/service.hpp"
#include "broker/nats/requester.hpp"
#include "broker/program/program.hpp"
#include "services/reporting/live_feed.hpp"
#include "services/reporting/projection/projection.hpp"
#include "services/reporting/turns.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace marquee
{

/// What requests are answered from. Shared with the requests in progress, which may outlive the
/// service. Lives on the io thread.
struct reporting_views
{
    reporting_views(projection p, asio::any_io_executor executor, fatal_handler on_failure)
        : counts(std::move(p)), waiter(executor, most_waiting), summing(executor), live(std::move(executor)),
          fatal(std::move(on_failure))
    {
        waiter.applied(counts.progress().last_sequence);
    }

    static constexpr std::size_t most_waiting = 4096; ///< requests, per endpoint

    std::chrono::milliseconds unnamed_wait{2000}; ///< for an event to be counted, where a request names no deadline
    projection counts;
    sequence_waiter waiter;
    turns summing; ///< a window: a step each turn of the loop, so that counting goes on
    live_feed live;
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now; ///< of running steps
    fatal_handler fatal;         ///< called when the database fails
    requester* stream = nullptr; ///< for views that only the stream has; outlives the requests
};

/// All endpoints. `data` gives the `data` of each in STATS. A failure of the database is
/// answered with `unavailable` and reported to `views->fatal`.
[[nodiscard]] std::vector<endpoint_config> reporting_endpoints(std::shared_ptr<reporting_views> views,
                                                               std::function<boost::json::value()> data);

} // namespace marquee
