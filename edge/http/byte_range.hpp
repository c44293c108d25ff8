// Range requests (RFC 9110 section 14). Pure functions; thread-safe.
#pragma once

#include "edge/http/http.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

/// What of a representation a request asks for.
struct byte_range
{
    enum class kind
    {
        whole, ///< 200
        part,  ///< 206
        none,  ///< 416: nothing of it is there
    };

    kind is = kind::whole;
    std::uint64_t first = 0;
    std::uint64_t size = 0; ///< bytes; of `whole` all, of `none` 0

    friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// Reads Range and If-Range of a GET request for a representation of `size` bytes with the strong
/// tag `etag`, in quotes. It asks for the whole where Range is absent, is malformed, has another
/// unit or more than one range, which a server may ignore, and where If-Range is not that tag.
[[nodiscard]] byte_range read_range(const http_fields& fields, std::uint64_t size, std::string_view etag);

/// The value of Content-Range for what read_range() gave; not for the whole.
[[nodiscard]] std::string content_range(const byte_range& range, std::uint64_t size);

} // namespace marquee
