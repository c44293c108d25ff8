// How long a part has been absent.
#pragma once

#include "broker/base/deadline.hpp"

#include <chrono>
#include <optional>

namespace marquee
{

/// Tells a short absence, such as the election of a JetStream leader, from a long one. It knows
/// only the times that its owner reports, and has no clock or thread of its own.
class outage_timer
{
public:
    using clock = deadline::clock;

    /// The part has replied: the outage is over.
    void reset() noexcept { since_.reset(); }

    /// Records that the part is absent at `now`. True while the outage is younger than ten seconds.
    /// After ten seconds without a report a new outage begins.
    [[nodiscard]] bool is_recent(clock::time_point now) noexcept
    {
        constexpr std::chrono::seconds election_time{10};
        if (!since_ || now - last_ > election_time)
            since_ = now;
        last_ = now;
        return now - *since_ < election_time;
    }

private:
    std::optional<clock::time_point> since_;
    clock::time_point last_;
};

} // namespace marquee
