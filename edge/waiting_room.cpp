#include "edge/waiting_room.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace marquee
{

/// In the coroutine of who waits: leaves with it, also when that is destroyed.
class waiting_room::place
{
public:
    place(waiting_room& room, const asio::any_io_executor& on) : timer(on, room.longest_), room_(room)
    {
        at_ = room_.waiting_.insert(room_.waiting_.end(), this);
    }
    ~place()
    {
        if (!let_in)
            room_.waiting_.erase(at_);
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    asio::steady_timer timer;
    bool let_in = false;

private:
    waiting_room& room_;
    std::list<place*>::iterator at_;
};

asio::awaitable<void> waiting_room::wait()
{
    if (closed_)
        co_return;
    const auto executor = co_await asio::this_coro::executor;
    place here(*this, executor);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await here.timer.async_wait(token);
}

void waiting_room::let_in()
{
    if (waiting_.empty())
        return;
    auto* first = waiting_.front();
    waiting_.pop_front();
    first->let_in = true;
    first->timer.cancel();
}

void waiting_room::close()
{
    closed_ = true;
    for (auto* each : waiting_)
        each->timer.cancel();
}

} // namespace marquee
