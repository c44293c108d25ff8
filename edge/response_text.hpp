// A response as the bytes that are sent (RFC 9112).
#pragma once

#include "edge/cors.hpp"
#include "edge/framing.hpp"
#include "edge/http.hpp"

#include <optional>
#include <string>

namespace marquee
{

/// What of a request is known when it is answered.
struct answer_context
{
    std::string request_id;
    int version = 11;
    bool keep_alive = false;
    bool head_only = false;
    bool origin_read = true;           ///< false: the request ended before it could name one
    std::optional<std::string> origin; ///< of the page that asks
};

/// How to answer a request whose head came no further, or was refused there.
[[nodiscard]] answer_context context_of(const head_glance& seen);

/// The whole response, as one piece to write, with Date, X-Request-ID, Connection, Content-Length
/// and the fields that `cors` grants. Without a body where the request was HEAD or the status has
/// none.
[[nodiscard]] std::string response_text(http_response answer, const answer_context& context, const cors_policy& cors);

} // namespace marquee
