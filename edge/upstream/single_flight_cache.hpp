// A cached value that one caller loads for all.
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

/// Caches one value for a limited time, and loads it at most once at a time. Used on one io thread;
/// outlives the calls of get().
template <class T>
class single_flight_cache
{
public:
    using clock = std::chrono::steady_clock;
    using loader = std::function<asio::awaitable<T>()>;

    explicit single_flight_cache(clock::duration time_to_live) : time_to_live_(time_to_live) {}

    /// The cached value if it is younger than `time_to_live`, otherwise the value that `load`
    /// returns. Callers that arrive during a load wait for its result. Rethrows what `load` throws;
    /// then the next waiting caller loads.
    asio::awaitable<T> get(const loader& load)
    {
        while (const auto other = loading_.lock())
        {
            boost::system::error_code ignored;
            auto token = asio::redirect_error(asio::use_awaitable, ignored);
            co_await other->async_wait(token);
        }
        if (value_ && clock::now() - loaded_at_ < time_to_live_)
            co_return *value_;
        // The coroutine owns the timer: this object may outlive its io_context, a timer must not.
        const auto home = co_await asio::this_coro::executor;
        auto done = std::make_shared<asio::steady_timer>(home, clock::time_point::max());
        loading_ = done;
        const load_guard guard(*this, *done);
        auto loaded = load();
        value_ = co_await std::move(loaded);
        loaded_at_ = clock::now();
        co_return *value_;
    }

private:
    /// Wakes the waiting callers when a load ends, also by an exception.
    struct load_guard
    {
        load_guard(single_flight_cache& s, asio::steady_timer& t) : self(s), timer(t) {}
        ~load_guard()
        {
            self.loading_.reset();
            timer.cancel();
        }
        load_guard(const load_guard&) = delete;
        load_guard& operator=(const load_guard&) = delete;
        single_flight_cache& self;
        asio::steady_timer& timer;
    };

    clock::duration time_to_live_;
    std::optional<T> value_;
    clock::time_point loaded_at_;
    std::weak_ptr<asio::steady_timer> loading_;
};

} // namespace marquee
