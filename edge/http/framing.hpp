// The head of a request (RFC 9112), read strictly: what two servers could read in different ways is
// refused before the body is touched, so that nothing can be smuggled past a proxy. Pure functions;
// thread-safe.
#pragma once

#include "edge/http/http.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Per request.
struct head_limits
{
    std::size_t header_bytes = 16 * 1024; ///< request line, fields and the blank line
    std::size_t target_bytes = 4 * 1024;
    std::size_t field_count = 64;
};

/// A head that was accepted. There is a body where `chunked` or `content_length` says so.
struct request_head
{
    std::string method;
    std::string target;    ///< a path with its query, or `*`
    std::string authority; ///< of a target in absolute form; a Host field is set to it
    int version = 11;      ///< 10; or 11, also for 1.2 and later
    http_fields fields;
    bool keep_alive = true;
    bool expects_continue = false;
    bool chunked = false;
    std::optional<std::uint64_t> content_length;
};

/// Looks for the end of a head in what has been received so far. Returns the length of the head
/// with its blank line, or 0 where more is needed. `from` is where the last call stopped (0 at
/// first), and is moved on. Fails at the first byte that cannot belong to a head (bad_request), and
/// beyond header_bytes (uri_too_long within the request line, headers_too_large after it).
[[nodiscard]] result<std::size_t> find_head(std::string_view received, std::size_t& from, const head_limits& limits);

/// Reads a complete head. Fails with bad_request, uri_too_long, headers_too_large, not_implemented
/// (a method that HTTP does not define) or version_not_supported (2.0 and later); the connection
/// must be closed then.
///
/// Refused are:
/// - a target in authority form, or of another scheme than http and https;
/// - a folded line, or a blank before a colon;
/// - a control character in a field value; a byte from 0x80 on in a field that decides what the
///   request is or who asks (in others they are opaque, RFC 9110 section 5.5);
/// - no Host (HTTP/1.1), two of them, or one that is not an authority;
/// - a Transfer-Encoding other than exactly `chunked`, on HTTP/1.0, or next to a Content-Length;
/// - a Content-Length that is not one plain number.
[[nodiscard]] result<request_head> read_head(std::string_view head, const head_limits& limits);

/// What is known of a head that is refused or incomplete, for its answer.
struct head_glance
{
    bool head_only = false; ///< the method is HEAD
    bool whole = false;     ///< the blank line at its end was received
    int version = 11;
    http_fields fields; ///< Origin and X-Request-ID, of complete lines
};

/// Reads the complete lines of what was received of a head. Never fails.
[[nodiscard]] head_glance glance_at(std::string_view received);

/// True for fields that must not be trailers (RFC 9110 section 6.5.1): they frame, route or
/// authorise the request.
[[nodiscard]] bool is_forbidden_trailer(std::string_view name) noexcept;

} // namespace marquee
