#include "broker/base/supervisor.hpp"

#include "broker/base/log.hpp"

#include <boost/asio/post.hpp>

#include <cstdint>
#include <system_error>
#include <utility>

#include <systemd/sd-daemon.h>

namespace marquee
{

namespace
{

void notify(const char* state)
{
    const int sent = ::sd_notify(0, state);
    if (sent < 0)
        log(log_level::warning, "the supervisor cannot be told",
            {{"state", state}, {"reason", std::generic_category().message(-sent)}});
}

} // namespace

void notify_ready() { notify("READY=1"); }

void notify_stopping() { notify("STOPPING=1"); }

std::chrono::microseconds watchdog_interval()
{
    std::uint64_t interval = 0;
    return std::chrono::microseconds(::sd_watchdog_enabled(0, &interval) > 0 ? interval : 0);
}

watchdog::watchdog(asio::io_context& io, std::vector<asio::any_io_executor> loops)
    : half_(watchdog_interval() / 2), timer_(io), loops_(std::move(loops))
{
    if (half_.count() > 0)
        start_timer();
}

void watchdog::start_timer()
{
    timer_.expires_after(half_);
    timer_.async_wait(
        [this](boost::system::error_code cancelled)
        {
            if (cancelled)
                return;
            if (pending_ == 0)
                post_to_all();
            start_timer();
        });
}

void watchdog::post_to_all()
{
    pending_ = loops_.size();
    for (const auto& loop : loops_)
        asio::post(loop,
                   [this]
                   {
                       if (--pending_ == 0)
                           notify("WATCHDOG=1");
                   });
}

} // namespace marquee
