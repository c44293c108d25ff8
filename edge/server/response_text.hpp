// A response as the bytes that are sent (RFC 9112).
#pragma once

#include "edge/http/cors.hpp"
#include "edge/http/framing.hpp"
#include "edge/http/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// What a response needs to know of its request.
struct answer_context
{
    std::string request_id;
    int version = 11; ///< 10 or 11
    bool keep_alive = false;
    bool head_only = false;            ///< the method is HEAD
    bool origin_read = true;           ///< false: the head ended, or was refused, before an Origin
    std::optional<std::string> origin; ///< of the page that asks
};

/// How to answer a request with this head.
[[nodiscard]] answer_context context_of(const request_head& head);

/// How to answer a request whose head is refused, or did not come whole. Closes the connection.
[[nodiscard]] answer_context context_of(const head_glance& seen);

/// The reason phrase of a status that the edge sends (RFC 9110 section 15), a literal; `Unknown`
/// for others.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// The whole response as it is sent: `answer`'s fields and body, Date, X-Request-ID, Connection,
/// Content-Length, and the fields that `cors` grants. There is no body where the request was HEAD
/// or the status allows none. Of an answer with a stream it is the head: a body of unknown size is
/// chunked in HTTP/1.1, and ends with the connection in HTTP/1.0.
[[nodiscard]] std::string response_text(http_response answer, const answer_context& context, const cors_policy& cors);

} // namespace marquee
