#include "tools/catalogue/connected_run.hpp"

#include "broker/base/log.hpp"
#include "broker/program/command_line.hpp"
#include "tools/catalogue/asking.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <utility>

namespace marquee::catalogue_files
{
namespace
{

asio::awaitable<void> run_and_close(connection& nats, const connected_work& work, result<void>& outcome)
{
    auto running = work.run(nats);
    outcome = co_await std::move(running);
    auto closing = nats.close(deadline::in(std::chrono::seconds(2)));
    co_await std::move(closing);
}

} // namespace

int run_connected(const std::string& program, asio::io_context& io, connection_options how, const connected_work& work)
{
    how.name = program;
    if (!how.context.empty()) // before anything is changed where that leads
        std::cerr << program << ": context " << how.context << ", server " << servers_for_log(how) << '\n';
    auto nats = connection::open(io, how);
    if (nats.has_error())
    {
        log(log_level::error, nats.error().detail.empty() ? "cannot connect" : nats.error().detail);
        return nats.error() == errc::bad_request ? exit_usage : exit_failed;
    }
    asio::signal_set signals(io, SIGINT, SIGTERM);
    bool stopped = false;
    std::function<void()> await_signal = [&]
    {
        signals.async_wait(
            [&](boost::system::error_code cancelled, int)
            {
                if (cancelled)
                    return;
                if (std::exchange(stopped, true))
                    std::_Exit(exit_failed);
                work.stop();
                await_signal();
            });
    };
    await_signal();
    result<void> outcome;
    asio::co_spawn(io, run_and_close(**nats, work, outcome),
                   [&io](const std::exception_ptr& bug)
                   {
                       if (bug)
                           std::rethrow_exception(bug);
                       io.stop();
                   });
    io.run();
    if (outcome.has_value())
        return exit_ok;
    log(log_level::error, text_of(outcome.error()));
    return exit_failed;
}

int wrong_usage(const std::string& program, const error& why)
{
    std::cerr << program << ": " << why.detail << " (see --help)\n";
    return exit_usage;
}

} // namespace marquee::catalogue_files
