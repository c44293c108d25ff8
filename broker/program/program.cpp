#include "broker/program/program.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log.hpp"
#include "broker/base/log_reporter.hpp"
#include "broker/base/log_writer.hpp"
#include "broker/base/supervisor.hpp"
#include "broker/program/settings_reloader.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <optional>
#include <utility>

namespace marquee
{

namespace
{

/// Runs one program from its start to its end. Everything on the io thread.
class program_runner
{
public:
    program_runner(asio::io_context& io, connection& nats, std::chrono::milliseconds stop_timeout, start_function start)
        : io_(io), nats_(nats), stop_timeout_(stop_timeout), start_(std::move(start)), signals_(io, SIGINT, SIGTERM),
          watchdog_(io, {io.get_executor()})
    {
    }

    /// Releases `starting` when this object handles signals itself.
    void begin(std::unique_ptr<exit_on_signal> starting)
    {
        starting_ = std::move(starting);
        nats_.on_refused_subscription(
            [this](const std::string& subject)
            {
                if (!started_) // the start may wait long for replies that cannot come
                    exit_at_once(log_refused(subject));
            });
        co_spawn_logged("starting", io_.get_executor(), start(),
                        [this](bool threw)
                        {
                            if (threw)
                                start_threw();
                        });
    }

    [[nodiscard]] int exit_code() const { return code_; }

private:
    void start_threw()
    {
        code_ = exit_failed;
        on_started();
        end();
        stop_now();
    }

    void on_started()
    {
        started_ = true;
        starting_.reset();
        await_signal();
    }

    static int log_refused(const std::string& subject)
    {
        log(log_level::error, "cannot start",
            {{"detail", "the broker refuses the subscription to \"" + subject + '"'}});
        notify_stopping();
        return exit_failed;
    }

    asio::awaitable<void> start()
    {
        fatal_handler fatal = [this](const std::string& why)
        {
            log(log_level::error, why);
            code_ = exit_failed;
            end();
        };
        auto starting = start_(nats_, fatal);
        auto part = co_await std::move(starting);
        if (part.has_error())
        {
            log(log_level::error, "cannot start",
                {{"error", std::string(name_of(part.error().code))}, {"detail", part.error().detail}});
            code_ = exit_failed;
            end();
        }
        else
        {
            part_ = std::move(*part);
            // A reader of "ready" may send requests at once: the broker must have the
            // subscriptions.
            auto flushing = nats_.flush(deadline::in(std::chrono::seconds(2)));
            co_await std::move(flushing);
            if (const auto subject = nats_.refused_subscription(); !subject.empty())
            {
                code_ = log_refused(subject);
                end();
            }
            else if (!ending_) // by `fatal`
            {
                on_started(); // before "ready": a signal after it stops in order
                log(log_level::info, "ready");
                if (!part_->serves_later())
                    notify_ready();
            }
        }
        if (!started_)
            on_started();
        if (ending_ && !stopping_)
            stop_now();
    }

    void await_signal()
    {
        signals_.async_wait(
            [this](boost::system::error_code ec, int number)
            {
                if (ec)
                    return;
                if (ending_)
                {
                    log(log_level::warning, "second signal: stopping at once");
                    exit_at_once(exit_failed);
                }
                log(log_level::info, "stopping", {{"signal", signal_name(number)}});
                end();
                await_signal();
            });
    }

    void end()
    {
        if (std::exchange(ending_, true))
            return;
        notify_stopping();
        if (started_)
            stop_now();
    }

    void stop_now()
    {
        if (std::exchange(stopping_, true))
            return;
        co_spawn_logged("stopping", io_.get_executor(), stop(),
                        [this](bool threw)
                        {
                            if (threw)
                                code_ = exit_failed;
                            signals_.cancel();
                            io_.stop();
                        });
    }

    asio::awaitable<void> stop()
    {
        const auto until = deadline::in(stop_timeout_);
        if (part_)
        {
            auto stopping = part_->stop(until);
            co_await std::move(stopping);
        }
        auto closing = nats_.close(until);
        co_await std::move(closing);
        part_.reset();
    }

    asio::io_context& io_;
    connection& nats_;
    std::chrono::milliseconds stop_timeout_;
    start_function start_;
    asio::signal_set signals_;
    std::unique_ptr<exit_on_signal> starting_;
    watchdog watchdog_;
    std::unique_ptr<component> part_;
    int code_ = exit_ok;
    bool started_ = false;
    bool ending_ = false;
    bool stopping_ = false;
};

} // namespace

int run_program(const connection_options& options, std::chrono::milliseconds stop_timeout, start_function start,
                const program_settings* settings)
{
    const log_thread writing;
    asio::io_context io(1);
    const log_reporter left_out(io);
    auto starting = std::make_unique<exit_on_signal>();
    auto opened = connection::open(io, options);
    if (opened.has_error())
    {
        log(log_level::error, opened.error().detail.empty() ? "cannot connect" : opened.error().detail);
        return opened.error() == errc::bad_request ? exit_usage : exit_failed;
    }
    program_runner runner(io, **opened, stop_timeout, std::move(start));
    runner.begin(std::move(starting));
    std::optional<settings_reloader> reloader;
    if (settings != nullptr)
        reloader.emplace(io, *settings);
    io.run();
    return runner.exit_code();
}

} // namespace marquee
