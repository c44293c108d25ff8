// The endpoints asset, user, views and top (contract section 2).
#pragma once

#include "broker/program.hpp"
#include "broker/sequence_waiter.hpp"
#include "broker/service.hpp"
#include "services/reporting/projection.hpp"

#include <memory>

namespace marquee
{

/// What requests are answered from. Shared with the requests under way: one that outlives the service finds it whole.
struct reporting_views
{
    reporting_views(projection p, asio::any_io_executor executor, fatal_handler on_failure)
        : counts(std::move(p)), waiter(std::move(executor), most_waiting), fatal(std::move(on_failure))
    {
        waiter.applied(counts.progress().last_sequence);
    }

    static constexpr std::size_t most_waiting = 4096;

    std::chrono::milliseconds unnamed_wait{2000}; ///< for an event to be counted, where the request names no deadline
    projection counts;
    sequence_waiter waiter;
    fatal_handler fatal; ///< called when the database fails
};

/// The four endpoints; `data` is what stands as `data` in the statistics of each.
[[nodiscard]] std::vector<endpoint_config> reporting_endpoints(std::shared_ptr<reporting_views> views,
                                                               std::function<boost::json::value()> data);

} // namespace marquee
