// The ways from one io thread of the edge to the services.
#pragma once

#include "broker/nats/requester.hpp"
#include "edge/upstream/counting_instance.hpp"
#include "edge/upstream/service_health.hpp"

#include <functional>

namespace marquee
{

class hedge_timer;

/// What a hedged_request needs. One per io thread; used on that thread only. The requesters and the
/// hedge timer outlive it.
struct service_client
{
    requester& direct;  ///< one message per request
    requester& bundled; ///< requests of one loop turn to one service may share a message
    service_health_table health;
    std::function<bool()> link_up = [] { return true; }; ///< whether the broker is connected
    counting_instance counting;                          ///< of reporting
    hedge_timer* hedges = nullptr;                       ///< nullptr: slow requests are not hedged

    /// `counted` outlives the client.
    service_client(requester& one_by_one, requester& together, worker_metrics& counted)
        : direct(one_by_one), bundled(together), health(counted)
    {
    }
};

} // namespace marquee
