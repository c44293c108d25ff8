#include "edge/http/media_types.hpp"

#include "edge/http/http.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace marquee
{

namespace
{

/// How a media type fits an Accept field: weight in thousandths, and how specific the range is that
/// gives it: 0 none, 1 for `*/*`, 2 for `type/*`, 3 for the type itself.
struct fit
{
    int weight = 0;
    int specific = 0;
};

/// A qvalue in thousandths: 0 or 1 with up to three decimals; nothing where it is malformed.
std::optional<int> read_weight(std::string_view text)
{
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.'))
        return std::nullopt;
    int weight = (text[0] - '0') * 1000;
    int unit = 100;
    for (const char c : text.substr(std::min<std::size_t>(text.size(), 2)))
    {
        if (c < '0' || c > '9')
            return std::nullopt;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

/// The weight of a range of Accept; nothing where it is malformed.
std::optional<int> weight_of(std::string_view parameters)
{
    int weight = 1000;
    while (!parameters.empty())
    {
        parameters.remove_prefix(1); // the semicolon
        const auto one = trim_blanks(parameters.substr(0, parameters.find(';')));
        parameters.remove_prefix(std::min(parameters.size(), parameters.find(';')));
        if (one.size() < 2 || (one[0] != 'q' && one[0] != 'Q') || one[1] != '=')
            continue;
        const auto read = read_weight(one.substr(2));
        if (!read)
            return std::nullopt;
        weight = *read;
    }
    return weight;
}

fit fit_of(std::string_view type, const std::vector<std::string_view>& ranges)
{
    fit best;
    const auto family = type.substr(0, type.find('/'));
    for (const auto each : ranges)
    {
        const auto range = trim_blanks(each.substr(0, each.find(';')));
        const bool of_family = range.ends_with("/*") && equals_ignoring_case(range.substr(0, range.size() - 2), family);
        const int specific = equals_ignoring_case(range, type) ? 3 : of_family ? 2 : range == "*/*" ? 1 : 0;
        const auto weight = weight_of(each.substr(std::min(each.size(), each.find(';'))));
        if (weight && specific > best.specific)
            best = {*weight, specific};
    }
    return best;
}

} // namespace

bool prefers(const std::optional<std::string>& accept, std::string_view offered, std::string_view standard)
{
    if (!accept)
        return false;
    const auto ranges = list_elements(*accept);
    const auto one = fit_of(offered, ranges);
    const auto other = fit_of(standard, ranges);
    return one.weight > 0 && std::pair(one.weight, one.specific) > std::pair(other.weight, other.specific);
}

} // namespace marquee
