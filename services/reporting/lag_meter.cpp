#include "services/reporting/lag_meter.hpp"

#include <utility>

namespace marquee
{

void lag_meter::up(std::uint64_t behind, clock::time_point now)
{
    next_.reset(); // messages may come again
    pending_ = behind;
    idle_ = behind == 0;
    if (idle_)
        complete_ = now;
}

void lag_meter::down(clock::time_point now)
{
    if (idle_)
        complete_ = now;
    idle_ = false;
    next_.reset();
}

void lag_meter::counted(std::uint64_t count, std::uint64_t pending, clock::time_point now)
{
    received_ += count;
    pending_ = pending;
    const bool was_idle = std::exchange(idle_, pending == 0);
    if (idle_ || was_idle) // until this batch the stream had nothing more
        complete_ = now;
    if (idle_)
    {
        next_.reset();
        return;
    }
    if (next_ && received_ >= next_->complete_at)
    {
        complete_ = next_->when;
        next_.reset();
    }
    if (!next_)
        next_ = moment{received_ + pending, now};
}

std::optional<lag_meter::clock::duration> lag_meter::lag(clock::time_point now) const
{
    if (!complete_)
        return std::nullopt;
    return idle_ ? clock::duration::zero() : now - *complete_;
}

} // namespace marquee
