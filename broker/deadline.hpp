// One deadline per request: made where the request enters, handed down, sent on as remaining milliseconds.
#pragma once

#include <algorithm>
#include <chrono>

namespace marquee
{

/// A point on the steady clock after which nobody waits for the answer any more.
class deadline
{
public:
    using clock = std::chrono::steady_clock;

    explicit deadline(clock::time_point at) noexcept : at_(at) {}

    [[nodiscard]] static deadline in(clock::duration from_now) noexcept { return deadline(clock::now() + from_now); }

    [[nodiscard]] clock::time_point at() const noexcept { return at_; }

    /// What is left, never negative. Rounded down to whole milliseconds.
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
