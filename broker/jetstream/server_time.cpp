#include "broker/jetstream/server_time.hpp"

#include "schemas/parse_number.hpp"

#include <cstdint>
#include <iterator>
#include <utility>

namespace marquee
{
namespace
{

/// Reads `count` digits from the front.
std::optional<int> take_digits(std::string_view& from, std::size_t count) noexcept
{
    const auto digits = from.substr(0, count);
    const auto number = parse_number<unsigned>(digits);
    if (digits.size() != count || !number)
        return std::nullopt;
    from.remove_prefix(count);
    return static_cast<int>(*number);
}

/// Removes `c` from the front.
bool take(std::string_view& from, char c) noexcept
{
    if (from.empty() || from.front() != c)
        return false;
    from.remove_prefix(1);
    return true;
}

std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& from) noexcept
{
    std::int64_t nanoseconds = 0;
    std::size_t digits = 0;
    for (; !from.empty() && from.front() >= '0' && from.front() <= '9'; from.remove_prefix(1), ++digits)
        nanoseconds = digits < 9 ? nanoseconds * 10 + (from.front() - '0') : nanoseconds;
    if (digits == 0 || digits > 9)
        return std::nullopt;
    for (; digits < 9; ++digits)
        nanoseconds *= 10;
    return std::chrono::nanoseconds(nanoseconds);
}

} // namespace

std::optional<std::chrono::nanoseconds> parse_server_time(std::string_view text) noexcept
{
    using namespace std::chrono;
    constexpr std::pair<std::size_t, char> parts[] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, 0}};
    int numbers[std::size(parts)] = {};
    for (std::size_t i = 0; i < std::size(parts); ++i)
    {
        const auto number = take_digits(text, parts[i].first);
        if (!number || (parts[i].second != 0 && !take(text, parts[i].second)))
            return std::nullopt;
        numbers[i] = *number;
    }
    nanoseconds fraction{0};
    if (take(text, '.'))
    {
        const auto read = take_fraction(text);
        if (!read)
            return std::nullopt;
        fraction = *read;
    }
    const auto day = year(numbers[0]) / numbers[1] / numbers[2];
    if (text != "Z" || !day.ok() || numbers[3] > 23 || numbers[4] > 59 || numbers[5] > 59)
        return std::nullopt;
    return sys_days(day).time_since_epoch() + hours(numbers[3]) + minutes(numbers[4]) + seconds(numbers[5]) + fraction;
}

} // namespace marquee
