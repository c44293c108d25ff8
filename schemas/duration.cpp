#include "schemas/duration.hpp"

#include "schemas/parse_number.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace marquee
{

namespace
{

struct unit
{
    std::string_view name;
    std::chrono::milliseconds length;
};

constexpr std::array<unit, 5> units{{{"d", std::chrono::hours(24)},
                                     {"h", std::chrono::hours(1)},
                                     {"m", std::chrono::minutes(1)},
                                     {"s", std::chrono::seconds(1)},
                                     {"ms", std::chrono::milliseconds(1)}}};

/// The length of a unit; seconds for an empty name, zero for an unknown one.
std::chrono::milliseconds length_of(std::string_view name) noexcept
{
    for (const auto& each : units)
        if (each.name == name)
            return each.length;
    return name.empty() ? std::chrono::seconds(1) : std::chrono::milliseconds(0);
}

} // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text, std::chrono::milliseconds lowest,
                                                 std::chrono::milliseconds highest)
{
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto length = length_of(text.substr(digits.size()));
    const auto number = parse_number<std::uint64_t>(digits);
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto factor = static_cast<std::uint64_t>(length.count());
    if (number && factor > 0 && *number <= most / factor)
        if (const std::chrono::milliseconds time(*number * factor); time >= lowest && time <= highest)
            return time;
    return fail(errc::bad_request, "a time is a number with ms, s, m, h or d, or of seconds, from " + to_text(lowest) +
                                       " to " + to_text(highest));
}

std::string to_text(std::chrono::milliseconds time)
{
    for (const auto& each : units)
        if (time % each.length == std::chrono::milliseconds(0) && time >= each.length)
            return std::to_string(time / each.length) + std::string(each.name);
    return std::to_string(time.count()) + "ms";
}

} // namespace marquee
