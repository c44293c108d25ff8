// When what a connection waits for has taken too long.
#pragma once

#include <algorithm>
#include <chrono>

namespace marquee
{

/// One point in time, after which the operation of a session is cancelled. It is polled (check) and
/// has no timer of its own: ten thousand timers cost more than to look at ten thousand times. Used
/// on the session's io thread alone.
class session_timeout
{
public:
    using clock = std::chrono::steady_clock;

    void expire_after(std::chrono::milliseconds time)
    {
        expired_ = false;
        at_ = clock::now() + time;
    }

    void never_expire() noexcept { at_ = clock::time_point::max(); }

    /// Moves the point, and leaves expired() as it is.
    void move_to(clock::time_point at) noexcept { at_ = at; }

    void expire_by(clock::time_point latest) noexcept { at_ = std::min(at_, latest); }

    /// True where the point is reached: the caller cancels the operation. The point stays, so that
    /// an operation which completes just then does not escape: the one after it is cancelled.
    [[nodiscard]] bool check(clock::time_point now) noexcept
    {
        expired_ = expired_ || now >= at_;
        return now >= at_;
    }

    /// Whether check() has been true since expire_after() or forgive().
    [[nodiscard]] bool expired() const noexcept { return expired_; }

    /// The operation completed although it was cancelled.
    void forgive() noexcept { expired_ = false; }

private:
    clock::time_point at_ = clock::time_point::max();
    bool expired_ = false;
};

} // namespace marquee
