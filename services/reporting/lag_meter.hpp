// How far reporting is behind its stream, in time: without comparing clocks of two machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace marquee
{

/// Each batch tells how many messages were still to come. Once as many have come, the projection holds everything that existed then: the lag
/// is the time since the latest such moment.
class lag_meter
{
public:
    using clock = std::chrono::steady_clock;

    /// The consumer is in place. `behind`: the stream has messages that were not counted yet.
    void up(bool behind, clock::time_point now);

    /// The consumer is lost: from here on the lag grows.
    void down(clock::time_point now);

    /// A batch was counted: `count` messages, and `pending` to come after the last of them.
    void counted(std::uint64_t count, std::uint64_t pending, clock::time_point now);

    /// None before the first time everything was counted.
    [[nodiscard]] std::optional<clock::duration> lag(clock::time_point now) const;

    /// Messages to come, as last told.
    [[nodiscard]] std::uint64_t pending() const noexcept { return pending_; }

private:
    struct moment
    {
        std::uint64_t complete_at; ///< of received_
        clock::time_point when;
    };

    std::optional<clock::time_point> complete_; ///< everything that existed then is counted
    std::optional<moment> next_;
    bool idle_ = false; ///< nothing to come, and the consumer is in place
    std::uint64_t received_ = 0;
    std::uint64_t pending_ = 0;
};

} // namespace marquee
