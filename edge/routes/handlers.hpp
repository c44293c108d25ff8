// The handlers of the routes. All follow the contract of route_handler: they run on the io thread
// of the context, which outlives them, and return every failure as a request_failure.
#pragma once

#include "edge/http/status.hpp"
#include "edge/routes/context.hpp"

namespace marquee::handlers
{

using handler_result = asio::awaitable<http_result>;

// play.cpp
handler_result play(edge_context& edge, routed_call call);
handler_result record_view(edge_context& edge, routed_call call); ///< POST /events/…: records a view without a play

// catalogue.cpp
handler_result get_metadata(edge_context& edge, routed_call call);
handler_result put_metadata(edge_context& edge, routed_call call);
handler_result delete_metadata(edge_context& edge, routed_call call);
handler_result list_metadata(edge_context& edge, routed_call call);
handler_result get_url(edge_context& edge, routed_call call);
handler_result put_url(edge_context& edge, routed_call call);
handler_result delete_url(edge_context& edge, routed_call call);
handler_result list_urls(edge_context& edge, routed_call call);

// content_list.cpp
handler_result list_content(edge_context& edge, routed_call call); ///< GET /content/assets

// events.cpp
handler_result asset_views(edge_context& edge, routed_call call);
handler_result user_views(edge_context& edge, routed_call call);

// top.cpp
handler_result top_assets(edge_context& edge, routed_call call);

// view_lists.cpp
handler_result series(edge_context& edge, routed_call call); ///< of an asset where the path has one
handler_result history(edge_context& edge, routed_call call);
handler_result list_views(edge_context& edge, routed_call call); ///< GET /events/assets: JSON or CSV

// erasure.cpp
handler_result erase_user(edge_context& edge, routed_call call); ///< DELETE /events/user/{user}

// live.cpp
handler_result live(edge_context& edge, routed_call call);

// page.cpp
handler_result page(edge_context& edge, routed_call call);      ///< GET /
handler_result page_file(edge_context& edge, routed_call call); ///< GET /page/…
handler_result media(edge_context& edge, routed_call call);     ///< GET /media/…

// health.cpp
handler_result alive(edge_context& edge, routed_call call);
handler_result ready(edge_context& edge, routed_call call);

// introspection.cpp
handler_result metrics(edge_context& edge, routed_call call);
handler_result fleet_metrics(edge_context& edge, routed_call call); ///< GET /metrics/fleet
handler_result services(edge_context& edge, routed_call call);
handler_result openapi(edge_context& edge, routed_call call);
handler_result problem(edge_context& edge, routed_call call); ///< GET /problems/{code}: explains an error code

} // namespace marquee::handlers
