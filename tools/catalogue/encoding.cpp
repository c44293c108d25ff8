#include "tools/catalogue/encoding.hpp"

#include "schemas/ids.hpp"

#include <algorithm>
#include <array>

namespace marquee::catalogue_files
{
namespace
{

/// 0x80 to 0x9F; 0 is no character.
constexpr std::array<char16_t, 32> windows_1252_controls{
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// `point` is 0x80 to 0xFFFF.
void append_utf8(std::string& out, char16_t point)
{
    if (point < 0x800)
        out += static_cast<char>(0xC0 | (point >> 6));
    else
    {
        out += static_cast<char>(0xE0 | (point >> 12));
        out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    }
    out += static_cast<char>(0x80 | (point & 0x3F));
}

bool is_ascii(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string byte_name(unsigned char byte)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {'0', 'x', digits[byte >> 4], digits[byte & 15]};
}

/// The first control character that no text may have.
std::string fault_of_controls(std::string_view text)
{
    for (const char c : text)
    {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F)
            return byte == 0 ? "a NUL byte" : "the control character " + byte_name(byte);
    }
    return {};
}

std::string decode_bytes(std::string& text, encoding from)
{
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char c : text)
    {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80)
        {
            out += c;
            continue;
        }
        const bool in_table = from == encoding::windows_1252 && byte < 0xA0;
        const char16_t point = in_table ? windows_1252_controls[byte - 0x80] : byte;
        if (point == 0 || (byte < 0xA0 && !in_table))
            return "the byte " + byte_name(byte) + ", which is no character" +
                   (from == encoding::latin1 ? " of Latin-1: is it --encoding windows-1252?" : " of windows-1252");
        append_utf8(out, point);
    }
    text = std::move(out);
    return {};
}

} // namespace

std::optional<encoding> parse_encoding(std::string_view name)
{
    if (name == "utf8" || name == "utf-8" || name == "UTF-8")
        return encoding::utf8;
    if (name == "latin1" || name == "iso-8859-1" || name == "ISO-8859-1")
        return encoding::latin1;
    if (name == "windows-1252" || name == "cp1252")
        return encoding::windows_1252;
    return std::nullopt;
}

std::string decode_text(std::string& text, encoding from)
{
    if (auto fault = fault_of_controls(text); !fault.empty())
        return fault;
    if (is_ascii(text))
        return {};
    if (from != encoding::utf8)
        return decode_bytes(text, from);
    if (const auto valid = valid_utf8_prefix(text); valid < text.size())
        return "not UTF-8 at its byte " + std::to_string(valid + 1) +
               ": another --encoding (latin1, windows-1252) may be meant";
    return {};
}

} // namespace marquee::catalogue_files
