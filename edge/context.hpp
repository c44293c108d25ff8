// What a handler works with. One per io thread; nothing in it is shared between threads but the rate limits and the board of metrics.
#pragma once

#include "broker/requester.hpp"
#include "edge/absence.hpp"
#include "edge/admin_token.hpp"
#include "edge/cors.hpp"
#include "edge/fleet.hpp"
#include "edge/http.hpp"
#include "edge/metrics.hpp"
#include "edge/player_token.hpp"
#include "edge/rate_limit.hpp"
#include "edge/readiness.hpp"
#include "edge/service_health.hpp"
#include "edge/target.hpp"
#include "edge/waiting_room.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

class waiting_questions;

struct edge_context
{
    requester& nats;    ///< changes and events
    requester& lookups; ///< questions, which may travel together
    admin_token admin;
    player_token players;
    std::function<bool()> link_up = [] { return true; }; ///< is the broker there?
    std::function<void()> read_broker = [] {};           ///< takes what it has sent, ahead of other clients' requests
    std::chrono::milliseconds timeout{2000};             ///< of a whole request
    std::size_t max_in_flight = 1024;                    ///< requests that wait for the broker
    std::size_t in_flight = 0;
    waiting_room room;           ///< for who comes beyond max_in_flight
    std::uint64_t overloads = 0; ///< requests refused because of max_in_flight
    bool stopping = false;
    rate_limits* limits = nullptr; ///< of all threads together; nullptr: none
    cors_policy cors;
    fleet_view fleet;
    readiness_check readiness;
    absence events_absent;                                                          ///< of a stream that takes views
    std::shared_ptr<worker_metrics> metrics = std::make_shared<worker_metrics>();   ///< of this thread
    std::shared_ptr<const metrics_board> board = std::make_shared<metrics_board>(); ///< of all
    services_health services{*metrics};
    waiting_questions* waiting = nullptr; ///< nullptr: silence is not noticed before the deadline

    edge_context(requester& to, requester& questions) : nats(to), lookups(questions) {}
    explicit edge_context(requester& to) : edge_context(to, to) {}
};

/// A request that has found its route.
struct routed_call
{
    http_request request;
    std::vector<std::string> ids; ///< the path's parameters in order, decoded but not yet checked
    request_target target;
    deadline until;
};

} // namespace marquee
