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

bool is_rfc3339_utc(std::string_view text) noexcept
{
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (text.size() < 20 || !digits_at(text, 0, 4, year) || text[4] != '-' || !digits_at(text, 5, 2, month) ||
        text[7] != '-' || !digits_at(text, 8, 2, day) || (text[10] != 'T' && text[10] != 't') ||
        !digits_at(text, 11, 2, hour) || text[13] != ':' || !digits_at(text, 14, 2, minute) || text[16] != ':' ||
        !digits_at(text, 17, 2, second))
        return false;
    if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
        return false;
    const auto last =
        year_month_day_last(std::chrono::year(year), month_day_last(std::chrono::month(static_cast<unsigned>(month))));
    if (static_cast<unsigned>(day) > static_cast<unsigned>(last.day()))
        return false;
    text.remove_prefix(19);
    if (text.front() == '.')
    {
        const auto end = std::min(text.find_first_not_of("0123456789", 1), text.size());
        if (end == 1)
            return false;
        text.remove_prefix(end);
    }
    return text == "Z" || text == "z" || text == "+00:00";
}

} // namespace marquee
