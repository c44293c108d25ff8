// A value that is costly to find: found at most once in a while, and by one caller for all.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// On one io thread. Must outlive the calls of `get`.
template <class T>
class remembered
{
public:
    using clock = std::chrono::steady_clock;
    using finder = std::function<asio::awaitable<T>()>;

    explicit remembered(clock::duration how_long) : how_long_(how_long) {}

    /// What was found less than `how_long` ago, else what `find` finds now. Who comes meanwhile waits for the same.
    asio::awaitable<T> get(const finder& find)
    {
        while (const auto other = finding_.lock())
        {
            boost::system::error_code ignored;
            auto token = asio::redirect_error(asio::use_awaitable, ignored);
            co_await other->async_wait(token);
        }
        if (value_ && clock::now() - found_at_ < how_long_)
            co_return *value_;
        // Lives in this coroutine alone: a timer must not outlive its io_context, and this object may.
        const auto home = co_await asio::this_coro::executor;
        auto found = std::make_shared<asio::steady_timer>(home, clock::time_point::max());
        finding_ = found;
        const ending over(*this, *found);
        auto finding = find();
        value_ = co_await std::move(finding);
        found_at_ = clock::now();
        co_return *value_;
    }

private:
    /// Wakes who waits, however the finding ended.
    struct ending
    {
        ending(remembered& s, asio::steady_timer& t) : self(s), timer(t) {}
        ~ending()
        {
            self.finding_.reset();
            timer.cancel();
        }
        ending(const ending&) = delete;
        ending& operator=(const ending&) = delete;
        remembered& self;
        asio::steady_timer& timer;
    };

    clock::duration how_long_;
    std::optional<T> value_;
    clock::time_point found_at_;
    std::weak_ptr<asio::steady_timer> finding_;
};

} // namespace marquee
