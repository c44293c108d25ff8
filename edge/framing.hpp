// The strict layer in front of the HTTP parser: a head is read byte by byte here, and whatever two servers could read in two ways is refused
// before a body is touched. Pure functions.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

struct head_limits
{
    std::size_t header_bytes = 16 * 1024; ///< request line, fields and the blank line
    std::size_t target_bytes = 4 * 1024;
    std::size_t field_count = 64;
};

/// A request's head, and how its body is framed. Without `chunked` and `content_length` there is no body.
struct request_head
{
    std::string method;
    std::string target;    ///< a path with its query, or `*`
    std::string authority; ///< of a target that came in absolute form; then a Host that came says the same
    int version = 11;      ///< 10, or 11 for that and what follows it
    http_fields fields;
    bool keep_alive = true;
    bool expects_continue = false;
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
};

/// Looks for the end of a head in what has been received so far. Returns the length of the head with its blank line, or 0 where more
/// is needed. `from` is where the last call stopped looking (0 at first) and is moved on. Fails at the first byte that cannot belong to a
/// head (bad_request), and when the limit is passed (uri_too_long within the request line, headers_too_large after it).
[[nodiscard]] result<std::size_t> find_head(std::string_view received, std::size_t& from, const head_limits& limits);

/// Reads a complete head. Fails with bad_request, uri_too_long, headers_too_large, not_implemented
/// (a method that HTTP does not define) or version_not_supported (2.0 and later); the connection
/// must be closed then.
///
/// Refused: targets in authority form or of another scheme than http and https, folded lines,
/// blanks before a colon, control characters in field values, bytes from 0x80 on in those that
/// decide what the request is or who asks (in others they are opaque), no Host (HTTP/1.1), two of
/// them or one that is no authority, a Transfer-Encoding other than exactly `chunked`, on HTTP/1.0
/// or next to a Content-Length, and a Content-Length that is not one plain number.
[[nodiscard]] result<request_head> read_head(std::string_view head, const head_limits& limits);

/// What can be known of a head that is refused, or that does not come whole: how to answer it.
struct head_glance
{
    bool head_only = false; ///< the method is HEAD, as far as it has come
    bool whole = false;     ///< the blank line at its end has come
    int version = 11;
    http_fields fields; ///< Origin and X-Request-ID, of complete lines
};

/// Reads what there is of a head, up to where it was refused.
[[nodiscard]] head_glance glance_at(std::string_view received);

[[nodiscard]] bool is_token_char(char c) noexcept;

/// Blanks, visible characters, and bytes from 0x80 on, which are opaque (RFC 9110 section 5.5).
[[nodiscard]] bool is_field_value_char(char c) noexcept;

/// True for fields that must not come after a body (RFC 9110 section 6.5.1): they frame, route or authorise the request.
[[nodiscard]] bool is_forbidden_trailer(std::string_view name) noexcept;

} // namespace marquee
