// Percent-encoding: RFC 3986 section 2.1.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace marquee
{

/// The value of a hexadecimal digit in either case; -1: it is none.
[[nodiscard]] constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The byte that the three characters from `at` on stand for; none where they are no escape.
[[nodiscard]] constexpr std::optional<char> percent_escape(std::string_view text, std::size_t at) noexcept
{
    if (at + 2 >= text.size() || text[at] != '%')
        return std::nullopt;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0)
        return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

} // namespace marquee
