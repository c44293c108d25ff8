#include "schemas/ids.hpp"

#include "schemas/utf8.hpp"

#include <cstdint>

namespace marquee
{

namespace
{

constexpr std::size_t max_id_bytes = 128;
constexpr std::string_view hex = "0123456789ABCDEF";

constexpr bool is_kept(unsigned char c) noexcept
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

} // namespace

bool is_valid_id(std::string_view text) noexcept
{
    if (text.empty() || text.size() > max_id_bytes)
        return false;
    while (!text.empty())
    {
        std::uint32_t point = 0;
        const auto size = decode_utf8(text, point);
        if (size == 0 || point < 0x20 || (point >= 0x7F && point <= 0x9F))
            return false;
        text.remove_prefix(size);
    }
    return true;
}

std::size_t valid_utf8_prefix(std::string_view text) noexcept
{
    std::size_t valid = 0;
    std::uint32_t point = 0;
    while (valid < text.size())
    {
        const auto size = decode_utf8(text.substr(valid), point);
        if (size == 0)
            break;
        valid += size;
    }
    return valid;
}

std::string encode_token(std::string_view text)
{
    std::string token;
    token.reserve(text.size());
    for (const unsigned char c : text)
    {
        if (is_kept(c))
        {
            token += static_cast<char>(c);
            continue;
        }
        token += '=';
        token += hex[c >> 4];
        token += hex[c & 15];
    }
    return token;
}

result<std::string> decode_token(std::string_view token)
{
    std::string text;
    text.reserve(token.size());
    for (std::size_t i = 0; i < token.size(); ++i)
    {
        const auto c = static_cast<unsigned char>(token[i]);
        if (is_kept(c))
        {
            text += static_cast<char>(c);
            continue;
        }
        const auto high = i + 3 <= token.size() ? hex.find(token[i + 1]) : std::string_view::npos;
        const auto low = i + 3 <= token.size() ? hex.find(token[i + 2]) : std::string_view::npos;
        if (c != '=' || high == std::string_view::npos || low == std::string_view::npos)
            return fail(errc::bad_id, "a token is bytes of [A-Za-z0-9_-] and = with two upper-case hex digits");
        const auto value = static_cast<unsigned char>(high * 16 + low);
        if (is_kept(value))
            return fail(errc::bad_id, "a token is not in canonical form");
        text += static_cast<char>(value);
        i += 2;
    }
    if (!is_valid_id(text))
        return fail(errc::bad_id, "an id is 1 to 128 bytes of UTF-8 without control characters");
    return text;
}

} // namespace marquee
