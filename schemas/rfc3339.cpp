#include "schemas/rfc3339.hpp"

#include <algorithm>
#include <cstddef>

namespace marquee
{

using namespace std::chrono;

namespace
{

bool digits_at(std::string_view text, std::size_t from, std::size_t count, int& value)
{
    value = 0;
    for (std::size_t i = from; i < from + count; ++i)
    {
        if (i >= text.size() || text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

void put_digits(std::string& text, std::size_t at, std::size_t count, unsigned value)
{
    for (auto i = at + count; i-- > at; value /= 10)
        text[i] = static_cast<char>('0' + value % 10);
}

} // namespace

std::string rfc3339(system_clock::time_point when)
{
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(floor<milliseconds>(when - day));
    const auto number = [](auto value) { return static_cast<unsigned>(value); };
    std::string text = "0000-00-00T00:00:00.000Z";
    put_digits(text, 0, 4, number(int{date.year()}));
    put_digits(text, 5, 2, number(date.month()));
    put_digits(text, 8, 2, number(date.day()));
    put_digits(text, 11, 2, number(time.hours().count()));
    put_digits(text, 14, 2, number(time.minutes().count()));
    put_digits(text, 17, 2, number(time.seconds().count()));
    put_digits(text, 20, 3, number(time.subseconds().count()));
    return text;
}

std::string rfc3339_seconds(sys_seconds when)
{
    const auto day = floor<days>(when);
    const year_month_day date(day);
    const hh_mm_ss time(when - day);
    std::string text = "0000-00-00T00:00:00Z";
    put_digits(text, 0, 4, static_cast<unsigned>(int{date.year()}));
    put_digits(text, 5, 2, static_cast<unsigned>(date.month()));
    put_digits(text, 8, 2, static_cast<unsigned>(date.day()));
    put_digits(text, 11, 2, static_cast<unsigned>(time.hours().count()));
    put_digits(text, 14, 2, static_cast<unsigned>(time.minutes().count()));
    put_digits(text, 17, 2, static_cast<unsigned>(time.seconds().count()));
    return text;
}

std::optional<time_in_ms> parse_rfc3339_utc(std::string_view text) noexcept
{
    int y = 0;
    int m = 0;
    int d = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (text.size() < 20 || !digits_at(text, 0, 4, y) || text[4] != '-' || !digits_at(text, 5, 2, m) ||
        text[7] != '-' || !digits_at(text, 8, 2, d) || (text[10] != 'T' && text[10] != 't') ||
        !digits_at(text, 11, 2, hour) || text[13] != ':' || !digits_at(text, 14, 2, minute) || text[16] != ':' ||
        !digits_at(text, 17, 2, second))
        return std::nullopt;
    const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60)
        return std::nullopt;
    text.remove_prefix(19);
    int ms = 0;
    if (text.front() == '.')
    {
        const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
        if (end == 1)
            return std::nullopt;
        for (std::size_t i = 1; i <= 3; ++i)
            ms = ms * 10 + (i < end ? text[i] - '0' : 0);
        text.remove_prefix(end);
    }
    if (text != "Z" && text != "z" && text != "+00:00")
        return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) + milliseconds(ms);
}

bool is_rfc3339_utc(std::string_view text) noexcept { return parse_rfc3339_utc(text).has_value(); }

} // namespace marquee
