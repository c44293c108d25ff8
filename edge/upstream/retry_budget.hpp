// Limits second attempts to a share of the first ones.
#pragma once

#include <algorithm>
#include <cstdint>

namespace marquee
{

/// Allows one retry per ten requests, and a small reserve, so that a quiet system may retry too.
/// Thus retries cannot multiply the load when no instance replies. Unused retries are saved, up to
/// the number of requests that a thread has in flight when an instance dies. One per io thread and
/// service; used on that thread only.
class retry_budget
{
public:
    static constexpr std::uint32_t requests_per_retry = 10;
    static constexpr std::uint32_t initial_retries = 10;
    /// Half of the requests that a thread has in flight: the share of one of two instances.
    static constexpr std::uint32_t max_saved_retries = 500;

    /// Counts a first attempt.
    void earn() noexcept { saved_ = std::min(saved_ + 1, max_saved_retries * requests_per_retry); }

    /// Takes one retry from the budget; false if none is left.
    [[nodiscard]] bool spend() noexcept
    {
        if (saved_ < requests_per_retry)
            return false;
        saved_ -= requests_per_retry;
        return true;
    }

private:
    std::uint32_t saved_ = initial_retries * requests_per_retry; ///< unit: first attempts
};

} // namespace marquee
