// A decoder of UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace marquee
{

/// Decodes the UTF-8 sequence at the front of `text`, which must not be empty. Returns its size in
/// bytes and sets `point`; returns 0 if the sequence is invalid (RFC 3629 section 4). Thread-safe.
[[nodiscard]] inline std::size_t decode_utf8(std::string_view text, std::uint32_t& point) noexcept
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80)
    {
        point = lead;
        return 1;
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
    if (size == 0 || lead > 0xF4 || text.size() < size)
        return 0;
    point = lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i)
    {
        if ((byte(i) & 0xC0) != 0x80)
            return 0;
        point = (point << 6) | (byte(i) & 0x3Fu);
    }
    const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    return overlong || surrogate || point > 0x10FFFF ? 0 : size;
}

} // namespace marquee
