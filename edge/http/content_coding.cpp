#include "edge/http/content_coding.hpp"

#include "edge/http/http.hpp"
#include "edge/http/weights.hpp"

#include <algorithm>

namespace marquee
{

content_coding choose_coding(const std::optional<std::string>& accept_encoding)
{
    if (!accept_encoding)
        return content_coding::identity;
    std::optional<int> gzip, brotli, identity, others;
    for (const auto each : list_elements(*accept_encoding))
    {
        const auto name = trim_blanks(each.substr(0, each.find(';')));
        const auto weight = weight_of(each.substr(std::min(each.size(), each.find(';'))));
        if (!weight)
            continue;
        if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip"))
            gzip = weight;
        else if (equals_ignoring_case(name, "br"))
            brotli = weight;
        else if (equals_ignoring_case(name, "identity"))
            identity = weight;
        else if (name == "*")
            others = weight;
    }
    const int br = brotli.value_or(others.value_or(0));
    const int gz = gzip.value_or(others.value_or(0));
    // Identity that is not named is acceptable, and worth less than what is.
    const int plain = identity.value_or(others.value_or(1));
    if (br > 0 && br >= gz && br >= plain)
        return content_coding::brotli;
    if (gz > 0 && gz >= plain)
        return content_coding::gzip;
    return content_coding::identity;
}

} // namespace marquee
