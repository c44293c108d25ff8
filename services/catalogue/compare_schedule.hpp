// When a bucket in memory is compared with the broker's: rules without I/O.
#pragma once

#include "broker/base/deadline.hpp"

#include <chrono>
#include <optional>

namespace marquee
{

enum class compare_state
{
    scheduled = 1, ///< the next comparison begins at its time
    running,
    running_again ///< a sign came meanwhile: what is compared may be old, another one follows soon
};

/// Comparisons are periodic. A sign that messages vanished brings the next one forward, to once a
/// second at most. One that makes the bucket be read again doubles the period, up to 16 times: a
/// bucket whose messages expire all the time is read again ever less often. Not thread-safe.
class compare_schedule
{
public:
    using time_point = deadline::clock::time_point;

    explicit compare_schedule(std::chrono::milliseconds period) noexcept : period_(period) {}

    [[nodiscard]] compare_state state() const noexcept { return state_; }

    /// Restarts the period. Returns when the next comparison begins.
    time_point restart(time_point now);

    /// The comparison begins; false where one is running.
    [[nodiscard]] bool begin();

    /// The comparison ended. Returns when the next one begins.
    [[nodiscard]] time_point end(time_point now);

    /// A sign that messages vanished. Returns when the next comparison begins, where that is
    /// earlier than before.
    [[nodiscard]] std::optional<time_point> sign(time_point now);

    /// The comparison that is running could not tell.
    void repeat() noexcept { state_ = compare_state::running_again; }

    /// What the comparison found.
    void agreed() noexcept { disagreements_ = 0; }
    void disagreed() noexcept { ++disagreements_; }

private:
    [[nodiscard]] std::chrono::milliseconds period() const noexcept;

    std::chrono::milliseconds period_;
    compare_state state_ = compare_state::scheduled;
    int disagreements_ = 0; ///< in a row
    time_point due_{};
    time_point ended_{};
};

} // namespace marquee
