#include "schemas/live_place.hpp"

#include "schemas/char_set.hpp"
#include "schemas/parse_number.hpp"

namespace marquee
{

namespace
{

constexpr char_set alphanumeric("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
constexpr std::size_t longest_epoch = 64;
constexpr std::string_view no_epoch = "0";

/// As parse_number(), but for one form of each number: no leading zeros.
std::optional<std::uint64_t> parse_canonical(std::string_view text)
{
    if (text.size() > 1 && text.front() == '0')
        return std::nullopt;
    return parse_number<std::uint64_t>(text);
}

} // namespace

std::optional<live_place> live_place::parse(std::string_view text)
{
    const auto end = text.find('-');
    if (end == std::string_view::npos)
        return std::nullopt;
    const auto epoch = text.substr(0, end);
    const auto numbers = text.substr(end + 1);
    const auto dash = numbers.find('-');
    const auto sequence = parse_canonical(numbers.substr(0, dash));
    if (!sequence || epoch.empty() || epoch.size() > longest_epoch || !alphanumeric.covers(epoch))
        return std::nullopt;
    live_place place{std::string(epoch), {*sequence, live_position::whole}};
    if (dash == std::string_view::npos)
        return place;
    const auto index = parse_canonical(numbers.substr(dash + 1));
    if (!index || *index == live_position::whole)
        return std::nullopt;
    place.at.index = *index;
    return place;
}

std::string live_place::text() const
{
    auto text = epoch + '-' + std::to_string(at.sequence);
    if (at.index != live_position::whole)
        (text += '-') += std::to_string(at.index);
    return text;
}

std::string live_epoch(std::string_view stream_id)
{
    std::string epoch;
    for (const char c : stream_id)
        if (alphanumeric.contains(c) && epoch.size() < longest_epoch)
            epoch += c;
    return epoch.empty() ? std::string(no_epoch) : epoch;
}

bool may_be_same_epoch(std::string_view one, std::string_view other) noexcept
{
    return one == other || one == no_epoch || other == no_epoch;
}

} // namespace marquee
