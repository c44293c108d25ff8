// How many second questions a service may get.
#pragma once

#include <algorithm>
#include <cstdint>

namespace marquee
{

/// A second question for every ten first ones, and a small reserve so that a quiet system may ask again too: when everything is silent, asking again
/// must not become the load that keeps it so. What is not used is kept, up to as many as a thread has under way when an instance dies.
class retry_budget
{
public:
    static constexpr std::uint32_t share = 10;   ///< first questions that earn a second one
    static constexpr std::uint32_t reserve = 10; ///< second questions at the beginning
    static constexpr std::uint32_t most_kept =
        500; ///< half of the requests a thread works on at once: the share of one of two instances

    /// A first question was asked.
    void earn() noexcept { saved_ = std::min(saved_ + 1, most_kept * share); }

    /// Pays for a second question; false: there is none left.
    [[nodiscard]] bool spend() noexcept
    {
        if (saved_ < share)
            return false;
        saved_ -= share;
        return true;
    }

private:
    std::uint32_t saved_ = reserve * share; ///< in first questions
};

} // namespace marquee
