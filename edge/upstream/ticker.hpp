// A timer that ticks while there is something to wait for.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// Calls a handler every `period` from start() until it returns false; start() then begins again.
/// Used on one io thread. May be destroyed while it ticks, but not by its handler.
class ticker
{
public:
    ticker(asio::io_context& io, std::chrono::milliseconds period, std::function<bool()> on_tick)
        : timer_(io), period_(period), on_tick_(std::move(on_tick))
    {
    }

    /// Does nothing while it ticks.
    void start()
    {
        if (!std::exchange(ticking_, true))
            wait();
    }

    [[nodiscard]] asio::steady_timer::executor_type executor() { return timer_.get_executor(); }

private:
    void wait()
    {
        timer_.expires_after(period_);
        timer_.async_wait(
            [this](boost::system::error_code ec)
            {
                if (ec) // destroyed
                    return;
                ticking_ = on_tick_();
                if (ticking_)
                    wait();
            });
    }

    asio::steady_timer timer_;
    std::chrono::milliseconds period_;
    std::function<bool()> on_tick_;
    bool ticking_ = false;
};

} // namespace marquee
