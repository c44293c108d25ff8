#include "edge/auth/base64url.hpp"

#include <array>
#include <cstdint>

namespace marquee
{

namespace
{

constexpr std::uint8_t no_digit = 0xff;

constexpr auto digit_values = []
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::uint8_t value = 0; value < digits.size(); ++value)
        values[static_cast<unsigned char>(digits[value])] = value;
    return values;
}();

} // namespace

std::optional<std::string> decode_base64url(std::string_view text)
{
    if (text.empty() || text.size() % 4 == 1)
        return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t held = 0; // its lowest `bits` bits belong to the next byte
    unsigned bits = 0;
    for (const char c : text)
    {
        const auto value = digit_values[static_cast<unsigned char>(c)];
        if (value == no_digit)
            return std::nullopt;
        held = held << 6U | value;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        bytes += static_cast<char>(held >> bits & 0xffU);
        held &= (1U << bits) - 1;
    }
    if (held != 0)
        return std::nullopt;
    return bytes;
}

} // namespace marquee
