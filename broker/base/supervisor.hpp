// Notifications to a supervisor such as systemd (Type=notify, sd_notify(3)).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <vector>

namespace marquee
{

namespace asio = boost::asio;

/// Notifies the supervisor that this process serves. Does nothing without NOTIFY_SOCKET; logs a
/// warning if the supervisor cannot be reached. Any thread.
void notify_ready();

/// The same when this process begins to stop.
void notify_stopping();

/// The interval within which the supervisor expects a notification (WATCHDOG_USEC, WATCHDOG_PID);
/// 0: it expects none.
[[nodiscard]] std::chrono::microseconds watchdog_interval();

/// Notifies the supervisor twice per interval, as long as all event loops run: a timer on `io`
/// posts to each of `loops`, and the last one that gets its turn sends WATCHDOG=1. A blocked loop
/// ends the notifications, and the supervisor acts as its unit says. Does nothing without an
/// interval.
class watchdog
{
public:
    /// Must outlive the handlers that run on `io` and `loops`.
    watchdog(asio::io_context& io, std::vector<asio::any_io_executor> loops);

private:
    void start_timer();
    void post_to_all();

    const std::chrono::microseconds half_;
    asio::steady_timer timer_;
    const std::vector<asio::any_io_executor> loops_;
    std::atomic<std::size_t> pending_{0}; ///< loops that have not run yet
};

} // namespace marquee
