// What the handlers of one io thread share.
#pragma once

#include "edge/auth/admin_token.hpp"
#include "edge/auth/player_token.hpp"
#include "edge/http/cors.hpp"
#include "edge/http/http.hpp"
#include "edge/http/request_timing.hpp"
#include "edge/http/target.hpp"
#include "edge/limits/overload_queue.hpp"
#include "edge/limits/rate_limit.hpp"
#include "edge/limits/stream_limit.hpp"
#include "edge/metrics/metrics.hpp"
#include "edge/page/site.hpp"
#include "edge/routes/request_span.hpp"
#include "edge/upstream/asset_batcher.hpp"
#include "edge/upstream/fleet.hpp"
#include "edge/upstream/fleet_scrape.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "edge/upstream/live_hub.hpp"
#include "edge/upstream/outage_timer.hpp"
#include "edge/upstream/readiness.hpp"
#include "edge/upstream/view_batcher.hpp"
#include "schemas/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marquee
{

/// The checks of credentials.
struct access_rules
{
    admin_token admin;
    player_token players;
};

/// The limits on requests of one io thread, and what they count.
struct admission
{
    std::chrono::milliseconds timeout{2000}; ///< per request: the deadline of its handler
    std::size_t max_in_flight = 1024;        ///< requests per thread that wait for the broker
    std::size_t in_flight = 0;
    overload_queue queue;         ///< sessions whose request was refused because of max_in_flight
    std::uint64_t refused = 0;    ///< requests refused because of max_in_flight
    rate_limits* rates = nullptr; ///< shared by all threads; nullptr: no rate limits
    bool stopping = false;
    std::function<void()> read_broker = [] {}; ///< handles pending broker messages before further HTTP requests
};

/// The state of the services and the stream, as this thread knows it.
struct fleet_status
{
    fleet_view view;
    fleet_scrape scrape;
    readiness_check readiness;
    outage_timer stream_outage; ///< of the stream that stores views
};

/// Where requests are counted.
struct edge_metrics
{
    std::shared_ptr<worker_metrics> worker;     ///< of this thread
    std::shared_ptr<const metrics_board> board; ///< of all threads
};

/// The live streams of one io thread.
struct live_streams
{
    std::shared_ptr<live_hub> hub; ///< null: there are none
    stream_limit* limit = nullptr; ///< of all threads
};

/// The files of the page and the videos.
struct site_files
{
    const site* found_in = nullptr; ///< of all threads; nullptr: they are not served
    stream_limit* limit = nullptr;  ///< of all threads
};

/// Everything that the handlers of one io thread use. Used on that thread only, except for the rate
/// limits and the metrics board, which all threads share and which are thread-safe.
struct edge_context
{
    edge_metrics metrics;
    service_client services;
    access_rules access;
    admission admitted;
    cors_policy cors;
    fleet_status fleet;
    asset_batcher* assets = nullptr; ///< nullptr: each play sends requests of its own
    view_batcher* batches = nullptr; ///< nullptr: each view is a message of its own
    live_streams live;
    site_files files;
    trace_rules tracing;

    /// `direct` and `bundled` outlive the context; see service_client.
    edge_context(requester& direct, requester& bundled);
    explicit edge_context(requester& to) : edge_context(to, to) {}
};

struct route;
enum class route_set : unsigned char;

/// An admitted request, ready for the handler of its route.
struct routed_call
{
    const route& found;
    http_request request;
    request_target target;
    deadline until;
    route_set among;                      ///< the routes of the listener that took the request
    std::optional<asset_id> asset;        ///< set if the route's pattern has {asset}
    std::optional<user_id> user;          ///< set if it has {user}
    std::vector<std::string> parameters;  ///< path parameters, in order, percent-decoded
    request_timing& timing;               ///< the handler fills it; outlives the call
    const trace_context* trace = nullptr; ///< of the request's span, which outlives it; null: it is not traced
    request_meter* meter = nullptr;       ///< of a play: takes what its answer lacks; outlives the call

    /// What requests to services take over. Refers to this call, which outlives it.
    [[nodiscard]] hedged_request::call upstream_call() const noexcept { return {request.id, until, trace}; }
};

} // namespace marquee
