#include "broker/micro/duration_histogram.hpp"

#include <numeric>

namespace marquee::detail
{

void duration_histogram::add(std::chrono::nanoseconds took) noexcept
{
    std::size_t bucket = 0;
    while (bucket < bounds.size() && took > bounds[bucket])
        ++bucket;
    ++counts_[bucket];
}

double duration_histogram::quantile(double share) const noexcept
{
    const auto in_seconds = [](std::chrono::microseconds bound)
    { return std::chrono::duration<double>(bound).count(); };
    const auto all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
    if (all == 0)
        return 0;
    const auto wanted = share * static_cast<double>(all);
    double before = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i)
    {
        const auto here = static_cast<double>(counts_[i]);
        if (here > 0 && before + here >= wanted)
        {
            const auto low = i == 0 ? 0 : in_seconds(bounds[i - 1]);
            return low + (in_seconds(bounds[i]) - low) * (wanted - before) / here;
        }
        before += here;
    }
    return in_seconds(bounds.back());
}

} // namespace marquee::detail
