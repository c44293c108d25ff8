// Waiting on a timer in a coroutine.
#pragma once

#include "broker/base/deadline.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace marquee
{

namespace asio = boost::asio;

/// Waits until the timer's present expiry. Returns true when the time has passed, false when the
/// wait was cancelled; cancellation is no exception here. Any number of coroutines may wait for one
/// timer like this. The timer must outlive the wait.
inline asio::awaitable<bool> wait(asio::steady_timer& timer)
{
    boost::system::error_code cancelled;
    auto token = asio::redirect_error(asio::use_awaitable, cancelled);
    co_await timer.async_wait(token);
    co_return !cancelled;
}

/// Sets the timer to `until`, which cancels other waits for it, and waits as wait(timer) does.
inline asio::awaitable<bool> wait(asio::steady_timer& timer, asio::steady_timer::time_point until)
{
    timer.expires_at(until);
    return wait(timer);
}

inline asio::awaitable<bool> wait(asio::steady_timer& timer, deadline until) { return wait(timer, until.at()); }

} // namespace marquee
