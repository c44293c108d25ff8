// How many lines a second a kind of event may write: under overload, or while the broker is away, every request fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace marquee
{

/// One thread's.
class log_quota
{
public:
    using clock = std::chrono::steady_clock;

    explicit log_quota(std::uint64_t lines_a_second) : most_(lines_a_second) {}

    /// May a line be written? Each that is granted counts.
    [[nodiscard]] bool grants(clock::time_point now)
    {
        if (now >= next_)
        {
            next_ = now + std::chrono::seconds(1);
            granted_ = 0;
        }
        if (granted_ < most_)
        {
            ++granted_;
            return true;
        }
        ++refused_;
        return false;
    }

    /// How many were refused since this was asked last.
    [[nodiscard]] std::uint64_t take_refused() { return std::exchange(refused_, 0); }

private:
    std::uint64_t most_;
    std::uint64_t granted_ = 0;
    std::uint64_t refused_ = 0;
    clock::time_point next_{};
};

} // namespace marquee
