#include "edge/http/media_types.hpp"

#include "edge/http/http.hpp"
#include "edge/http/weights.hpp"

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
