// Ids in request targets.
#pragma once

#include <string>
#include <string_view>

namespace marquee::test
{

/// Everything but RFC 3986's unreserved characters as %XX.
[[nodiscard]] inline std::string percent_encoded(std::string_view id)
{
    constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : id)
        if (unreserved.find(c) != std::string_view::npos)
            out += c;
        else
        {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    return out;
}

} // namespace marquee::test
