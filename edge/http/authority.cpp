#include "edge/http/authority.hpp"

#include "edge/http/characters.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

/// unreserved / sub-delims without the comma: two field values joined to a list are not a name.
constexpr char_set name_chars = digits | letters | char_set("-._~!$&'()*+;=");
constexpr char_set future_address_chars = name_chars | char_set(":");

/// reg-name, of which an IPv4 address is one by its form.
bool is_reg_name(std::string_view text) noexcept
{
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (name_chars.contains(text[i]))
            continue;
        if (text[i] != '%' || text.size() - i < 3 || !hex_digits.covers(text.substr(i + 1, 2)))
            return false;
        i += 2;
    }
    return true;
}

/// dec-octet: 0 to 255 without leading zeros.
bool is_octet(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 3 || !digits.covers(text) || (text.size() > 1 && text[0] == '0'))
        return false;
    return text.size() < 3 || text <= "255";
}

bool is_ipv4(std::string_view text) noexcept
{
    for (int octet = 0; octet < 3; ++octet)
    {
        const auto dot = text.find('.');
        if (dot == std::string_view::npos || !is_octet(text.substr(0, dot)))
            return false;
        text.remove_prefix(dot + 1);
    }
    return is_octet(text);
}

/// Eight groups of 16 bits; the last two may be an IPv4 address, and one `::` may replace one or
/// more groups. No zone.
bool is_ipv6(std::string_view text) noexcept
{
    bool elided = text.starts_with("::");
    if (elided)
        text.remove_prefix(2);
    int groups = 0;
    while (!text.empty())
    {
        const auto colon = text.find(':');
        const auto group = text.substr(0, colon);
        if (colon == std::string_view::npos && group.find('.') != std::string_view::npos)
            return is_ipv4(group) && (elided ? groups <= 5 : groups == 6);
        if (group.empty() || group.size() > 4 || !hex_digits.covers(group))
            return false;
        ++groups;
        if (colon == std::string_view::npos)
            break;
        text.remove_prefix(colon + 1);
        if (text.empty() || (text.front() == ':' && elided))
            return false;
        if (text.front() == ':')
        {
            elided = true;
            text.remove_prefix(1);
        }
    }
    return elided ? groups <= 7 : groups == 8;
}

/// IPvFuture: "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
bool is_future_address(std::string_view text) noexcept
{
    if (text.empty() || (text.front() != 'v' && text.front() != 'V'))
        return false;
    const auto dot = text.find('.');
    if (dot == std::string_view::npos)
        return false;
    const auto version = text.substr(1, dot - 1);
    const auto rest = text.substr(dot + 1);
    return !version.empty() && hex_digits.covers(version) && !rest.empty() && future_address_chars.covers(rest);
}

} // namespace

bool is_authority(std::string_view text) noexcept
{
    std::string_view port;
    if (text.starts_with('['))
    {
        const auto close = text.find(']');
        if (close == std::string_view::npos)
            return false;
        const auto literal = text.substr(1, close - 1);
        if (!is_ipv6(literal) && !is_future_address(literal))
            return false;
        port = text.substr(close + 1);
    }
    else
    {
        const auto colon = std::min(text.find(':'), text.size());
        if (!is_reg_name(text.substr(0, colon)))
            return false;
        port = text.substr(colon);
    }
    return port.empty() || (port.front() == ':' && digits.covers(port.substr(1)));
}

} // namespace marquee
