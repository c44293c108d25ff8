// The handlers behind the table of routes. All answer as route_handler says: every failure is a request_failure, never an exception.
#pragma once

#include "edge/context.hpp"
#include "edge/status.hpp"

namespace marquee::handlers
{

using answer = asio::awaitable<http_result>;

// play.cpp
answer play(edge_context& edge, routed_call call);
answer record_view(edge_context& edge, routed_call call); ///< POST /events/…: a view without a play

// catalogue.cpp
answer get_metadata(edge_context& edge, routed_call call);
answer put_metadata(edge_context& edge, routed_call call);
answer delete_metadata(edge_context& edge, routed_call call);
answer list_metadata(edge_context& edge, routed_call call);
answer get_url(edge_context& edge, routed_call call);
answer put_url(edge_context& edge, routed_call call);
answer delete_url(edge_context& edge, routed_call call);
answer list_urls(edge_context& edge, routed_call call);

// events.cpp
answer asset_views(edge_context& edge, routed_call call);
answer user_views(edge_context& edge, routed_call call);
answer top_assets(edge_context& edge, routed_call call);

// health.cpp
answer alive(edge_context& edge, routed_call call);
answer ready(edge_context& edge, routed_call call);

// watching.cpp
answer metrics(edge_context& edge, routed_call call);
answer services(edge_context& edge, routed_call call);
answer openapi(edge_context& edge, routed_call call);
answer problem(edge_context& edge, routed_call call); ///< what a code means

} // namespace marquee::handlers
