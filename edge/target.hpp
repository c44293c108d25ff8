// The request target, taken apart and percent-decoded exactly once.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// A target in origin form. The path is taken as it stands: split at each `/` as sent, then every segment decoded once. So `%2F` is a
/// slash within a segment, `%2541` is the text `%41`, and `..` is a segment like any other that leads nowhere else.
struct request_target
{
    std::vector<std::string> segments; ///< of `/a/b`: {"a", "b"}; of `/`: {""}
    std::vector<std::pair<std::string, std::string>> query;
};

/// Fails with bad_request on a `%` without two hex digits and on a target that does not start with `/`. In the query `+` is a space, as
/// HTML forms and URLSearchParams write it.
[[nodiscard]] result<request_target> parse_target(std::string_view target);

/// The parameter `name`: nothing where it is absent. Fails with bad_request where it is given twice.
[[nodiscard]] result<std::optional<std::string>> query_value(const request_target& target, std::string_view name);

/// The parameter `limit`, 1 to 1000. Fails with bad_request.
[[nodiscard]] result<std::optional<std::uint64_t>> query_limit(const request_target& target);

} // namespace marquee
