// One deadline per request: set where the request enters, passed down, and sent on as the
// milliseconds that remain.
#pragma once

#include <algorithm>
#include <chrono>

namespace marquee
{

/// A point on the steady clock after which the result of an operation is of no use.
class deadline
{
public:
    using clock = std::chrono::steady_clock;

    explicit deadline(clock::time_point at) noexcept : at_(at) {}

    [[nodiscard]] static deadline in(clock::duration from_now) noexcept { return deadline(clock::now() + from_now); }

    [[nodiscard]] clock::time_point at() const noexcept { return at_; }

    /// The time that remains, rounded down to whole milliseconds; never negative.
    [[nodiscard]] std::chrono::milliseconds remaining() const noexcept
    {
        auto left = std::chrono::floor<std::chrono::milliseconds>(at_ - clock::now());
        return std::max(left, std::chrono::milliseconds(0));
    }

    [[nodiscard]] bool passed() const noexcept { return clock::now() >= at_; }

    /// The earlier of this and `other`.
    [[nodiscard]] deadline sooner(deadline other) const noexcept { return deadline(std::min(at_, other.at_)); }

private:
    clock::time_point at_;
};

} // namespace marquee
