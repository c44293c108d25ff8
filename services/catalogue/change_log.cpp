#include "services/catalogue/change_log.hpp"

#include <algorithm>

namespace marquee
{

std::optional<record_tag> change_log::find(std::uint64_t revision) const
{
    const auto at =
        std::lower_bound(taken_.begin(), taken_.end(), revision,
                         [](const record_tag& each, std::uint64_t wanted) { return each.revision < wanted; });
    if (at == taken_.end() || at->revision != revision)
        return std::nullopt;
    return *at;
}

void change_log::end(std::multiset<std::uint64_t>::iterator which)
{
    since_.erase(which);
    while (!taken_.empty() && (since_.empty() || taken_.front().revision <= *since_.begin()))
        taken_.pop_front();
}

} // namespace marquee
