#include "services/reporting/option_values.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

namespace marquee
{
namespace
{

using unit = std::pair<std::string_view, std::int64_t>;

constexpr std::array<unit, 5> durations = {unit{"d", 86'400'000'000'000}, unit{"h", 3'600'000'000'000}, unit{"m", 60'000'000'000},
                                           unit{"s", 1'000'000'000}, unit{"ms", 1'000'000}};
constexpr std::array<unit, 4> sizes = {unit{"G", 1 << 30}, unit{"M", 1 << 20}, unit{"K", 1 << 10}, unit{"", 1}};

/// A whole number and one of the units; false where the text is anything else or the product does not fit.
template <std::size_t N>
bool read_with_unit(std::string_view text, const std::array<unit, N>& units, std::int64_t& out)
{
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{} || number < 0)
        return false;
    const std::string_view rest(stopped, static_cast<std::size_t>(end - stopped));
    for (const auto& [name, factor] : units)
        if (rest == name && number <= std::numeric_limits<std::int64_t>::max() / factor)
        {
            out = number * factor;
            return true;
        }
    return rest.empty() && number == 0;
}

} // namespace

std::istream& operator>>(std::istream& in, duration_option& out)
{
    std::string text;
    std::int64_t value = 0;
    in >> text;
    if (read_with_unit(text, durations, value))
        out.value = std::chrono::nanoseconds(value);
    else
        in.setstate(std::ios::failbit);
    return in;
}

std::istream& operator>>(std::istream& in, size_option& out)
{
    std::string text;
    in >> text;
    if (!read_with_unit(text, sizes, out.value) || out.value < 1)
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
    const auto ns = value.value.count();
    for (const auto& [name, factor] : durations)
        if (ns != 0 && ns % factor == 0)
            return out << ns / factor << name;
    return out << ns;
}

std::ostream& operator<<(std::ostream& out, const size_option& value) { return out << value.value; }

std::ostream& operator<<(std::ostream& out, const replicas_option& value) { return out << value.value; }

} // namespace marquee
