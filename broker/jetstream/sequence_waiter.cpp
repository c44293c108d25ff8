#include "broker/jetstream/sequence_waiter.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <map>

namespace marquee
{

struct sequence_waiter::state
{
    struct waiting_request
    {
        explicit waiting_request(const asio::any_io_executor& executor) : timer(executor) {}
        asio::steady_timer timer;
        bool woken = false;
    };

    state(asio::any_io_executor e, std::size_t most) : executor(std::move(e)), most_waiting(most) {}

    /// Wakes the waits in [begin, last). Each leaves the list itself when it resumes.
    void wake(std::multimap<std::uint64_t, waiting_request>::iterator last)
    {
        for (auto at = list.begin(); at != last; ++at)
            if (!std::exchange(at->second.woken, true))
                at->second.timer.cancel();
    }

    asio::any_io_executor executor;
    std::size_t most_waiting;
    std::uint64_t applied = 0;
    bool stopped = false;
    std::multimap<std::uint64_t, waiting_request> list;
};

sequence_waiter::sequence_waiter(asio::any_io_executor executor, std::size_t most_waiting)
    : state_(std::make_shared<state>(std::move(executor), most_waiting))
{
}

sequence_waiter::~sequence_waiter() { stop(); }

asio::awaitable<result<void>> sequence_waiter::wait(std::uint64_t sequence, deadline until)
{
    const auto shared = state_; // outlives the waiter
    if (sequence <= shared->applied)
        co_return result<void>();
    if (shared->stopped)
        co_return fail(errc::stopping);
    if (shared->list.size() >= shared->most_waiting)
        co_return fail(errc::overloaded, "too many requests wait already");
    const auto mine = shared->list.emplace(sequence, shared->executor);
    auto& timer = mine->second.timer;
    timer.expires_at(until.at());
    boost::system::error_code cancelled;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    shared->list.erase(mine);
    if (sequence <= shared->applied)
        co_return result<void>();
    if (shared->stopped)
        co_return fail(errc::stopping);
    co_return fail(errc::timeout, "not reached in time");
}

void sequence_waiter::applied(std::uint64_t sequence)
{
    state_->applied = sequence;
    state_->wake(state_->list.upper_bound(sequence));
}

void sequence_waiter::stop()
{
    state_->stopped = true;
    state_->wake(state_->list.end());
}

bool sequence_waiter::reached(std::uint64_t sequence) const noexcept { return sequence <= state_->applied; }

std::size_t sequence_waiter::waiting() const noexcept { return state_->list.size(); }

} // namespace marquee
