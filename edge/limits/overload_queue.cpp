#include "edge/limits/overload_queue.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace marquee
{

/// An entry of the queue, owned by the waiting coroutine: destroyed with it, it leaves the queue.
class overload_queue::place
{
public:
    place(overload_queue& queue, const asio::any_io_executor& on) : timer(on, queue.longest_), queue_(queue)
    {
        at_ = queue_.waiting_.insert(queue_.waiting_.end(), this);
    }
    ~place()
    {
        if (!released)
            queue_.waiting_.erase(at_);
    }
    place(const place&) = delete;
    place& operator=(const place&) = delete;

    asio::steady_timer timer;
    bool released = false; ///< and no longer in the queue

private:
    overload_queue& queue_;
    std::list<place*>::iterator at_;
};

asio::awaitable<void> overload_queue::wait()
{
    if (closed_)
        co_return;
    const auto executor = co_await asio::this_coro::executor;
    place here(*this, executor);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await here.timer.async_wait(token);
}

void overload_queue::release_one()
{
    if (waiting_.empty())
        return;
    auto* first = waiting_.front();
    waiting_.pop_front();
    first->released = true;
    first->timer.cancel();
}

void overload_queue::close()
{
    closed_ = true;
    for (auto* each : waiting_)
        each->timer.cancel();
}

} // namespace marquee
