#include "services/reporting/projection/batch_row.hpp"

namespace marquee
{
namespace
{

constexpr unsigned most_shift = 63;

void put(std::string& to, std::uint64_t value)
{
    for (; value >= 0x80; value >>= 7U)
        to += static_cast<char>(value | 0x80U);
    to += static_cast<char>(value);
}

/// Takes a number from the front; false where there is none.
bool take(std::string_view& from, std::uint64_t& value)
{
    value = 0;
    for (unsigned shift = 0; shift <= most_shift && !from.empty(); shift += 7)
    {
        const auto byte = static_cast<unsigned char>(from.front());
        from.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/// Small numbers of either sign become small ones without.
std::uint64_t fold(std::int64_t value)
{
    const auto bits = static_cast<std::uint64_t>(value);
    return value < 0 ? ~(bits << 1U) : bits << 1U;
}

std::int64_t unfold(std::uint64_t value)
{
    return static_cast<std::int64_t>((value & 1U) != 0 ? ~(value >> 1U) : value >> 1U);
}

} // namespace

std::string pack_views(const std::vector<line_view>& views, std::int64_t hour)
{
    std::string bytes;
    bytes.reserve(views.size() * 6);
    for (const auto& each : views)
    {
        put(bytes, each.user);
        put(bytes, each.asset);
        put(bytes, fold(each.hour - hour));
    }
    return bytes;
}

std::vector<line_view> unpack_views(std::string_view bytes, std::int64_t hour)
{
    std::vector<line_view> views;
    while (!bytes.empty())
    {
        std::uint64_t user = 0;
        std::uint64_t asset = 0;
        std::uint64_t hours = 0;
        if (!take(bytes, user) || !take(bytes, asset) || !take(bytes, hours))
            return {};
        views.push_back({static_cast<std::uint32_t>(user), static_cast<std::uint32_t>(asset), hour + unfold(hours)});
    }
    return views;
}

} // namespace marquee
