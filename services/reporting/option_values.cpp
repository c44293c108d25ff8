#include "services/reporting/option_values.hpp"

#include "schemas/duration.hpp"
#include "schemas/parse_number.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{
namespace
{

constexpr auto longest_time = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds::max());

/// Bytes of one unit; none: there is no such unit.
std::optional<std::int64_t> unit_of_size(std::string_view name) noexcept
{
    if (name.empty())
        return 1;
    if (name == "K")
        return 1 << 10;
    if (name == "M")
        return 1 << 20;
    if (name == "G")
        return 1 << 30;
    return std::nullopt;
}

std::optional<std::int64_t> parse_size(std::string_view text) noexcept
{
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto number = parse_number<std::uint64_t>(digits);
    const auto unit = unit_of_size(text.substr(digits.size()));
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    if (!number || !unit || *number < 1 || *number > static_cast<std::uint64_t>(largest / *unit))
        return std::nullopt;
    return static_cast<std::int64_t>(*number) * *unit;
}

} // namespace

std::istream& operator>>(std::istream& in, duration_option& out)
{
    std::string text;
    in >> text;
    if (const auto time = parse_duration(text, std::chrono::milliseconds(0), longest_time); time.has_value())
        out.value = *time;
    else
        in.setstate(std::ios::failbit);
    return in;
}

std::istream& operator>>(std::istream& in, size_option& out)
{
    std::string text;
    in >> text;
    if (const auto size = parse_size(text))
        out.value = *size;
    else
        in.setstate(std::ios::failbit);
    return in;
}

std::istream& operator>>(std::istream& in, replicas_option& out)
{
    if (in >> out.value && (out.value < 1 || out.value > 5))
        in.setstate(std::ios::failbit);
    return in;
}

std::ostream& operator<<(std::ostream& out, const duration_option& value)
{
    return out << to_text(std::chrono::duration_cast<std::chrono::milliseconds>(value.value));
}

std::ostream& operator<<(std::ostream& out, const size_option& value) { return out << value.value; }

std::ostream& operator<<(std::ostream& out, const replicas_option& value) { return out << value.value; }

} // namespace marquee
