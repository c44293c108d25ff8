// Handles an HTTP request: route, credentials, limits, handler, problem document. Uses no sockets.
#pragma once

#include "edge/routes/context.hpp"
#include "edge/routes/routes.hpp"

namespace marquee
{

/// Returns the response to a request. Every failure becomes a problem document (RFC 9457); the
/// request gets its line in the log (access_line()). Never throws because of input or
/// network. The deadline of the request starts here. `among`: the routes of the listener that took
/// the request. `edge` outlives the call. Runs on the io thread of `edge`.
[[nodiscard]] asio::awaitable<http_response> handle_request(edge_context& edge, http_request request,
                                                            route_set among = route_set::all);

} // namespace marquee
