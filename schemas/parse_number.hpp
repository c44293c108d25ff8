// Decimal numbers as text.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <system_error>

namespace marquee
{

/// Reads a number of decimal digits only: no sign, no spaces, no base prefix. Nothing if the text
/// is empty, has any other character, or exceeds the range of the type. Thread-safe.
template <std::unsigned_integral Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept
{
    Number number{};
    const auto* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (text.empty() || problem != std::errc() || stop != end)
        return std::nullopt;
    return number;
}

} // namespace marquee
