#include "edge/base64url.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

/// The value of a digit, or -1.
int digit(char c) noexcept
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto at = digits.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

} // namespace

bool is_base64url(std::string_view text) noexcept
{
    if (text.empty() || text.size() % 4 == 1 || std::any_of(text.begin(), text.end(), [](char c) { return digit(c) < 0; }))
        return false;
    const int spare = text.size() % 4 == 2 ? 0x0f : text.size() % 4 == 3 ? 0x03 : 0;
    return (digit(text.back()) & spare) == 0;
}

} // namespace marquee
