// The request target, split and percent-decoded exactly once. Pure functions; thread-safe.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// A target in origin form. The path is split at each `/` as sent, then each segment is decoded
/// once: `%2F` is a slash within a segment, `%2541` is the text `%41`, and `..` is a segment like
/// any other.
struct request_target
{
    std::vector<std::string> segments; ///< of `/a/b`: {"a", "b"}; of `/`: {""}
    std::vector<std::pair<std::string, std::string>> query;
};

/// Reads a target. In the query `+` is a space, as HTML forms and URLSearchParams write it. Fails
/// with bad_request on a `%` without two hex digits, and on a target that does not start with `/`.
[[nodiscard]] result<request_target> parse_target(std::string_view target);

/// The query parameter `name`; nothing where it is absent. Fails with bad_request where it is given
/// twice.
[[nodiscard]] result<std::optional<std::string>> query_value(const request_target& target, std::string_view name);

/// The query parameter `name`, an id; nothing where it is absent. Fails with bad_request.
[[nodiscard]] result<std::optional<std::string>> query_id(const request_target& target, std::string_view name);

/// The query parameter `name`, one of `choices`; nothing where it is absent. Fails with
/// bad_request.
[[nodiscard]] result<std::optional<std::string>> query_choice(const request_target& target, std::string_view name,
                                                              std::span<const std::string_view> choices);

/// The query parameter `name`, an RFC 3339 time in UTC; nothing where it is absent. Fails with
/// bad_request.
[[nodiscard]] result<std::optional<std::string>> query_time(const request_target& target, std::string_view name);

/// The query parameter `name`, the `next` of a page: 1 to 512 printable ASCII characters, which
/// only the service that made them reads; nothing where it is absent. Fails with bad_request.
[[nodiscard]] result<std::optional<std::string>> query_token(const request_target& target, std::string_view name);

/// The query parameter `limit`, 1 to 1000; nothing where it is absent. Fails with bad_request.
[[nodiscard]] result<std::optional<std::uint64_t>> query_limit(const request_target& target);

/// `text` as the value of a query parameter: all but the unreserved characters of RFC 3986 is
/// percent-encoded.
[[nodiscard]] std::string percent_encode(std::string_view text);

} // namespace marquee
