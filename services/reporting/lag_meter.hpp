// How far reporting is behind its stream, as a time, without comparing the clocks of two machines.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace marquee
{

/// Each batch tells how many messages were still to come. Once as many have come, the projection
/// holds everything that the stream held at that moment: the lag is the time since the latest such
/// moment. Single-threaded.
class lag_meter
{
public:
    using clock = std::chrono::steady_clock;

    /// The consumer is in place. `behind`: messages of the stream that are not counted yet.
    void up(std::uint64_t behind, clock::time_point now);

    /// The consumer is lost: the lag grows from here on.
    void down(clock::time_point now);

    /// A batch of `count` messages was counted, with `pending` to come after it.
    void counted(std::uint64_t count, std::uint64_t pending, clock::time_point now);

    /// None before everything was counted for the first time.
    [[nodiscard]] std::optional<clock::duration> lag(clock::time_point now) const;

    /// Messages to come, after the last batch, or since the consumer is in place.
    [[nodiscard]] std::uint64_t pending() const noexcept { return pending_; }

private:
    struct moment
    {
        std::uint64_t complete_at; ///< of received_
        clock::time_point when;
    };

    std::optional<clock::time_point> complete_; ///< everything that the stream held then is counted
    std::optional<moment> next_;                ///< becomes complete_
    bool idle_ = false;                         ///< nothing to come, and the consumer is in place
    std::uint64_t received_ = 0;
    std::uint64_t pending_ = 0;
};

} // namespace marquee
