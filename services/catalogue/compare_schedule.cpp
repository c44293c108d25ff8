#include "services/catalogue/compare_schedule.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{
namespace
{

constexpr auto collect_signs = std::chrono::milliseconds(50); ///< signs come in numbers
constexpr auto shortest_period = std::chrono::milliseconds(1000);
constexpr int most_doublings = 4;

} // namespace

std::chrono::milliseconds compare_schedule::period() const noexcept
{
    return period_ * (1 << std::min(disagreements_, most_doublings));
}

compare_schedule::time_point compare_schedule::restart(time_point now) { return due_ = now + period(); }

bool compare_schedule::begin()
{
    if (state_ != compare_state::scheduled)
        return false;
    state_ = compare_state::running;
    return true;
}

compare_schedule::time_point compare_schedule::end(time_point now)
{
    const bool again = std::exchange(state_, compare_state::scheduled) == compare_state::running_again;
    ended_ = now;
    restart(now);
    if (again)
        (void)sign(now);
    return due_;
}

std::optional<compare_schedule::time_point> compare_schedule::sign(time_point now)
{
    if (state_ != compare_state::scheduled)
    {
        state_ = compare_state::running_again;
        return std::nullopt;
    }
    const auto at = std::max(now + collect_signs, ended_ + std::min(shortest_period, period_));
    if (at >= due_)
        return std::nullopt;
    due_ = at;
    return due_;
}

} // namespace marquee
