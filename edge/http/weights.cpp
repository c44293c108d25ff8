#include "edge/http/weights.hpp"

#include "edge/http/http.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

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

} // namespace

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

} // namespace marquee
