// What a supervisor that set NOTIFY_SOCKET (systemd with Type=notify) is told: once that this process serves, once that it stops, and between
// them, where it set WATCHDOG_USEC, that its event loops turn.
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

/// Both do nothing where no supervisor asked, and log a warning where it cannot be reached. Any thread.
void tell_supervisor_ready();
void tell_supervisor_stopping();

/// How often a supervisor that watches this process (WATCHDOG_USEC, WATCHDOG_PID) wants to hear of it at least; 0: there is none.
[[nodiscard]] std::chrono::microseconds watchdog_interval();

/// Tells the supervisor twice in each interval that the loops turn: `io` has a timer that asks all of `loops`, and the last of them to answer tells it. One
/// that is stuck answers nothing, so nothing is told, and the supervisor does as its unit says. Does nothing where there is no interval.
class watchdog
{
public:
    /// Outlives what `io` and `loops` run.
    watchdog(asio::io_context& io, std::vector<asio::any_io_executor> loops);

private:
    void wait();
    void ask_all();

    const std::chrono::microseconds half_;
    asio::steady_timer timer_;
    const std::vector<asio::any_io_executor> loops_;
    std::atomic<std::size_t> silent_{0}; ///< those that have not answered yet
};

} // namespace marquee
