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
    std::size_t header_bytes = 8 * 1024; ///< request line, fields and the blank line
    std::size_t target_bytes = 4 * 1024;
    std::size_t field_count = 64;
};

/// A request's head, and how its body is framed. Without `chunked` and `content_length` there is no body.
struct request_head
{
    std::string method;
    std::string target;
    int version = 11; ///< 10 or 11
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

/// Reads a complete head. Fails with bad_request, uri_too_long or headers_too_large; the connection must be closed then.
///
/// Refused: methods HTTP does not define, targets in absolute or authority form, other versions than 1.0 and 1.1, folded lines,
/// blanks before a colon, control characters and bytes from 0x80 on in field values, no Host (HTTP/1.1), two of them or one that
/// is no authority, a Transfer-Encoding other than exactly `chunked`, on HTTP/1.0 or next to a Content-Length, and a Content-Length that
/// is not one plain number.
[[nodiscard]] result<request_head> read_head(std::string_view head, const head_limits& limits);

/// True for fields that must not come after a body (RFC 9110 section 6.5.1): they frame, route or authorise the request.
[[nodiscard]] bool is_forbidden_trailer(std::string_view name) noexcept;

} // namespace marquee
