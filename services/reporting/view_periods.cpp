#include "services/reporting/view_periods.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace marquee
{
namespace
{

struct window
{
    std::string_view name;
    step_kind kind;
    std::int64_t steps;
};

constexpr std::array<window, 4> windows = {
    {{"1h", step_kind::hour, 1}, {"24h", step_kind::hour, 24}, {"7d", step_kind::day, 7}, {"30d", step_kind::day, 30}}};

error wrong(const char* field, const std::string& what)
{
    return fail(errc::bad_request, std::string("The member \"") + field + "\" " + what + '.', field);
}

/// In milliseconds since 1970. A step that begins in these years ends in year 9999 at the latest.
result<std::int64_t> read_time(const std::string& text, const char* field)
{
    constexpr auto end = std::chrono::sys_days(std::chrono::year(9999) / 1 / 1);
    const auto time = parse_rfc3339_utc(text);
    if (!time || *time < time_in_ms() || *time >= end)
        return wrong(field, "must be a time of the years 1970 to 9998 in UTC, such as 2026-11-30T07:00:00Z");
    return time->time_since_epoch().count();
}

} // namespace

/// `from` and `to` are compared as they are; then the one is rounded down, and the other up.
result<step_range> steps_of_series(const series_request& wanted, time_in_ms now)
{
    const auto kind = wanted.step == "day" ? step_kind::day : step_kind::hour;
    auto to = (step_of(kind, now.time_since_epoch().count()) + 1) * ms_of(kind); // the end of the running step
    if (wanted.to)
    {
        const auto time = read_time(*wanted.to, "to");
        if (time.has_error())
            return time.error();
        to = *time;
    }
    const auto end = step_of(kind, to + ms_of(kind) - 1);
    step_range steps{kind, std::max<std::int64_t>(end - (kind == step_kind::hour ? 24 : 30), 0), end};
    if (wanted.from)
    {
        const auto from = read_time(*wanted.from, "from");
        if (from.has_error())
            return from.error();
        if (*from > to)
            return wrong("from", "must not be later than \"to\"");
        steps.first = *from == to ? end : step_of(kind, *from);
    }
    if (steps.size() > most_points)
        return wrong("from", "is more than 1000 steps before \"to\"");
    return steps;
}

result<std::optional<step_range>> steps_of_window(const top_request& wanted, time_in_ms now)
{
    if (!wanted.window || *wanted.window == "all")
    {
        if (wanted.at)
            return wrong("at", "needs a window of 1h, 24h, 7d or 30d");
        return std::optional<step_range>();
    }
    const auto* found =
        std::find_if(windows.begin(), windows.end(), [&](const window& each) { return each.name == *wanted.window; });
    if (found == windows.end())
        return wrong("window", "must be 1h, 24h, 7d, 30d or all");
    auto time = now.time_since_epoch().count();
    if (wanted.at)
    {
        const auto at = read_time(*wanted.at, "at");
        if (at.has_error())
            return at.error();
        time = *at;
    }
    const auto end = step_of(found->kind, time) + 1;
    return std::optional(step_range{found->kind, std::max<std::int64_t>(end - found->steps, 0), end});
}

std::string start_of(step_kind kind, std::int64_t step)
{
    return rfc3339_seconds(std::chrono::sys_seconds(std::chrono::seconds(step * (ms_of(kind) / 1000))));
}

} // namespace marquee
