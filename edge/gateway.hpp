// From a request to its answer: route, rights, limits, handler, problem document. Knows no sockets.
#pragma once

#include "edge/context.hpp"

namespace marquee
{

/// Answers a request; every failure becomes a problem document, and those of 500 and above are logged. Never throws for input or network. The
/// deadline starts here. `edge` outlives the call. Runs on the io thread.
[[nodiscard]] asio::awaitable<http_response> handle_request(edge_context& edge, http_request request);

} // namespace marquee
