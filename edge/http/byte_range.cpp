#include "edge/http/byte_range.hpp"

#include "schemas/parse_number.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace marquee
{

namespace
{

/// A position of a range. One with more digits than a number here has lies behind every end.
std::optional<std::uint64_t> read_position(std::string_view digits)
{
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return parse_number<std::uint64_t>(digits).value_or(std::numeric_limits<std::uint64_t>::max());
}

} // namespace

byte_range read_range(const http_fields& fields, std::uint64_t size, std::string_view etag)
{
    const byte_range whole{byte_range::kind::whole, 0, size};
    const auto given = fields.joined("Range");
    if (!given)
        return whole;
    if (const auto condition = fields.joined("If-Range"); condition && *condition != etag)
        return whole;
    std::string_view text = *given;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trim_blanks(text.substr(0, equals)), "bytes"))
        return whole;
    text = trim_blanks(text.substr(equals + 1));
    const auto dash = text.find('-');
    if (dash == std::string_view::npos)
        return whole;
    const auto first = read_position(text.substr(0, dash));
    const auto last = read_position(text.substr(dash + 1));
    if ((!first && dash != 0) || (!last && dash + 1 != text.size()) || (!first && !last))
        return whole;
    const byte_range none{byte_range::kind::none, 0, 0};
    if (!first)
        return *last == 0 || size == 0
                   ? none
                   : byte_range{byte_range::kind::part, size - std::min(size, *last), std::min(size, *last)};
    if (last && *last < *first)
        return whole;
    if (*first >= size)
        return none;
    return {byte_range::kind::part, *first, std::min(size - 1, last.value_or(size - 1)) - *first + 1};
}

std::string content_range(const byte_range& range, std::uint64_t size)
{
    if (range.is == byte_range::kind::none)
        return "bytes */" + std::to_string(size);
    return "bytes " + std::to_string(range.first) + '-' + std::to_string(range.first + range.size - 1) + '/' +
           std::to_string(size);
}

} // namespace marquee
