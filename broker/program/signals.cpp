#include "broker/program/signals.hpp"

#include "broker/base/log.hpp"
#include "broker/base/log_writer.hpp"
#include "broker/base/supervisor.hpp"
#include "broker/program/command_line.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <thread>

namespace marquee
{

namespace
{

void mask_sighup(int how)
{
    sigset_t hangup;
    ::sigemptyset(&hangup);
    ::sigaddset(&hangup, SIGHUP);
    ::pthread_sigmask(how, &hangup, nullptr);
}

} // namespace

void block_sighup() { mask_sighup(SIG_BLOCK); } // SIG_IGN would discard an early one

void unblock_sighup() { mask_sighup(SIG_UNBLOCK); }

const char* signal_name(int number) noexcept { return number == SIGINT ? "INT" : "TERM"; }

struct exit_on_signal::waiter
{
    waiter()
    {
        signals.async_wait(
            [](boost::system::error_code cancelled, int number)
            {
                if (cancelled)
                    return;
                log(log_level::info, "stopping", {{"signal", signal_name(number)}});
                notify_stopping();
                exit_at_once(exit_ok);
            });
        thread = std::thread([this] { io.run(); });
    }
    ~waiter()
    {
        asio::post(io, [this] { signals.cancel(); });
        thread.join();
    }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    asio::io_context io{1};
    asio::signal_set signals{io, SIGINT, SIGTERM};
    std::thread thread;
};

exit_on_signal::exit_on_signal() : waiter_(std::make_unique<waiter>()) {}

exit_on_signal::~exit_on_signal() = default;

} // namespace marquee
