// The median of the latest durations.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace marquee
{

/// The median of the last 63 durations, brought up to date every 16. Zero before the first 16. Used
/// on one thread.
class recent_median
{
public:
    using duration = std::chrono::steady_clock::duration;

    void add(duration one) noexcept
    {
        all_[added_++ % all_.size()] = one;
        if (added_ % 16 != 0)
            return;
        auto sorted = all_;
        const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(added_, sorted.size()));
        const auto middle = sorted.begin() + (end - sorted.begin()) / 2;
        std::nth_element(sorted.begin(), middle, end);
        median_ = *middle;
    }

    [[nodiscard]] duration value() const noexcept { return median_; }

private:
    std::array<duration, 63> all_{};
    std::size_t added_ = 0;
    duration median_{0};
};

} // namespace marquee
