#include "services/reporting/live_feed.hpp"

#include "broker/base/wait.hpp"

namespace marquee
{

void live_feed::asked(const projection& counts)
{
    until_ = clock::now() + interest;
    auto epoch = live_epoch(counts.progress().stream_id);
    if (follows_ && epoch == epoch_)
        return;
    epoch_ = std::move(epoch);
    ring_.begin_after(counts.progress().last_sequence);
    follows_ = true;
}

void live_feed::before_staging(projection& counts)
{
    ring_.discard();
    if (follows_ && clock::now() >= until_)
    {
        follows_ = false;
        ring_.begin_after(0);
    }
    // The counts were swapped for newer ones: what is between is not in the ring.
    if (follows_ && counts.progress().last_sequence > ring_.end().sequence)
        ring_.begin_after(counts.progress().last_sequence);
    counts.follow(follows_ ? &ring_ : nullptr);
}

void live_feed::staged(const projection& counts)
{
    if (!follows_)
        return;
    const auto& now = counts.progress();
    if (auto epoch = live_epoch(now.stream_id); epoch != epoch_)
    {
        epoch_ = std::move(epoch);
        ring_.begin_after(now.last_sequence);
    }
    else
        ring_.publish(now.last_sequence);
    wake();
}

asio::awaitable<bool> live_feed::wait(deadline until)
{
    if (stopped_)
        co_return false;
    const auto before = releases_;
    const auto mine = waiting_.emplace(waiting_.end(), executor_, until.at());
    co_await marquee::wait(*mine);
    waiting_.erase(mine);
    co_return before == releases_;
}

void live_feed::release()
{
    ++releases_;
    wake();
}

void live_feed::stop()
{
    stopped_ = true;
    release();
}

void live_feed::wake()
{
    for (auto& each : waiting_)
        each.cancel();
}

} // namespace marquee
