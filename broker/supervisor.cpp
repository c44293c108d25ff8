#include "broker/supervisor.hpp"

#include "broker/log.hpp"

#include <boost/asio/post.hpp>

#include <cstdint>
#include <system_error>
#include <utility>

#include <systemd/sd-daemon.h>

namespace marquee
{

namespace
{

void tell(const char* state)
{
    const int sent = ::sd_notify(0, state);
    if (sent < 0)
        log(log_level::warning, "the supervisor cannot be told",
            {{"state", state}, {"reason", std::generic_category().message(-sent)}});
}

} // namespace

std::chrono::microseconds watchdog_interval()
{
    std::uint64_t interval = 0;
    return std::chrono::microseconds(::sd_watchdog_enabled(0, &interval) > 0 ? interval : 0);
}

watchdog::watchdog(asio::io_context& io, std::vector<asio::any_io_executor> loops)
    : half_(watchdog_interval() / 2), timer_(io), loops_(std::move(loops))
{
    if (half_.count() > 0)
        wait();
}

void watchdog::wait()
{
    timer_.expires_after(half_);
    timer_.async_wait(
        [this](boost::system::error_code ec)
        {
            if (ec)
                return;
            if (silent_ == 0) // else one is still to answer
                ask_all();
            wait();
        });
}

void watchdog::ask_all()
{
    silent_ = loops_.size();
    for (const auto& loop : loops_)
        asio::post(loop,
                   [this]
                   {
                       if (--silent_ == 0)
                           tell("WATCHDOG=1");
                   });
}

void tell_supervisor_ready() { tell("READY=1"); }
void tell_supervisor_stopping() { tell("STOPPING=1"); }

} // namespace marquee
