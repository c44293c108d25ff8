#include "services/catalogue/held_counts.hpp"

#include <algorithm>
#include <iterator>

namespace marquee
{

void held_counts::begin(const held_count& now)
{
    counts_.assign(1, now);
    recording_ = true;
}

void held_counts::taken(const held_count& now)
{
    if (recording_)
        counts_.push_back(now);
}

void held_counts::end()
{
    recording_ = false;
    counts_ = {};
}

bool held_counts::complete_to(std::uint64_t message) const noexcept
{
    if (counts_.empty() || message < counts_.front().upto)
        return false;
    const auto index = message - counts_.front().upto; // the numbers have no gap, so each has its own index
    return index < counts_.size() && counts_[index].upto == message;
}

std::optional<held_count> held_counts::at(std::uint64_t message) const
{
    const auto after =
        std::upper_bound(counts_.begin(), counts_.end(), message,
                         [](std::uint64_t wanted, const held_count& each) { return wanted < each.upto; });
    if (after == counts_.begin())
        return std::nullopt;
    return *std::prev(after);
}

} // namespace marquee
