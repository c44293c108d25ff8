#include "broker/program.hpp"

#include "broker/log.hpp"
#include "broker/log_reporter.hpp"
#include "broker/spawn.hpp"
#include "broker/supervisor.hpp"
#include "schemas/ids.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/program_options/parsers.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

int print_token(const std::string& id)
{
    if (!is_valid_id(id))
    {
        std::cerr << "--encode-id: an id is 1 to 128 bytes of UTF-8 without control characters\n";
        return exit_usage;
    }
    std::cout << encode_token(id) << '\n';
    return exit_ok;
}

/// The life of one program. Everything on the io thread.
class life
{
public:
    life(asio::io_context& io, connection& nats, std::chrono::milliseconds stop_timeout, start_function start)
        : io_(io), nats_(nats), stop_timeout_(stop_timeout), start_(std::move(start)), signals_(io, SIGINT, SIGTERM),
          watched_(io, {io.get_executor()})
    {
    }

    /// `starting` ends when signals are this object's.
    void begin(std::unique_ptr<stop_while_starting> starting)
    {
        starting_ = std::move(starting);
        nats_.on_refused_subscription(
            [this](const std::string& subject)
            {
                if (!started_) // what waits for replies may wait for long
                    std::_Exit(refused(subject));
            });
        spawn("starting", io_.get_executor(), start(),
              [this](bool threw)
              {
                  if (threw)
                      give_up();
              });
    }

    [[nodiscard]] int exit_code() const { return code_; }

private:
    void give_up()
    {
        code_ = exit_failed;
        now_started();
        end();
        stop_now();
    }

    void now_started()
    {
        started_ = true;
        starting_.reset();
        await_signal();
    }

    static int refused(const std::string& subject)
    {
        log(log_level::error, "cannot start", {{"detail", "the broker refuses the subscription to \"" + subject + '"'}});
        tell_supervisor_stopping();
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
            // Whoever reads "ready" may ask at once: the broker must know the subscriptions by then.
            auto flushing = nats_.flush(deadline::in(std::chrono::seconds(2)));
            co_await std::move(flushing);
            if (const auto subject = nats_.refused_subscription(); !subject.empty())
            {
                code_ = refused(subject);
                end();
            }
            else if (!ending_) // nothing fatal came first
            {
                now_started(); // before it is said: from then on a signal stops in order
                log(log_level::info, "ready");
                if (!part_->serves_later())
                    tell_supervisor_ready();
            }
        }
        if (!started_)
            now_started();
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
                    std::_Exit(exit_failed);
                }
                log(log_level::info, "stopping", {{"signal", number == SIGINT ? "INT" : "TERM"}});
                end();
                await_signal();
            });
    }

    void end()
    {
        if (std::exchange(ending_, true))
            return;
        tell_supervisor_stopping();
        if (started_)
            stop_now();
    }

    void stop_now()
    {
        if (std::exchange(stopping_, true))
            return;
        spawn("stopping", io_.get_executor(), stop(),
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
    std::unique_ptr<stop_while_starting> starting_;
    watchdog watched_;
    std::unique_ptr<runnable> part_;
    int code_ = exit_ok;
    bool started_ = false;
    bool ending_ = false;
    bool stopping_ = false;
};

void mask_hangup(int how)
{
    sigset_t hangup;
    ::sigemptyset(&hangup);
    ::sigaddset(&hangup, SIGHUP);
    ::pthread_sigmask(how, &hangup, nullptr);
}

} // namespace

void hold_back_hangup() { mask_hangup(SIG_BLOCK); } // not SIG_IGN: what comes too early would be lost

void let_hangup_through() { mask_hangup(SIG_UNBLOCK); }

/// On a thread of its own: connecting and opening files block the others.
struct stop_while_starting::waiter
{
    waiter()
    {
        signals.async_wait(
            [](boost::system::error_code ec, int number)
            {
                if (ec)
                    return;
                log(log_level::info, "stopping", {{"signal", number == SIGINT ? "INT" : "TERM"}});
                tell_supervisor_stopping();
                std::_Exit(exit_ok);
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

stop_while_starting::stop_while_starting() : waiting_(std::make_unique<waiter>()) {}

stop_while_starting::~stop_while_starting() = default;

std::variant<po::variables_map, int> read_command_line(int argc, char** argv, const std::string& program,
                                                       const std::string& summary, po::options_description options,
                                                       const std::string& bare)
{
    set_log_program(program);
    options.add_options()                                                                                       //
        ("encode-id", po::value<std::string>()->value_name("ID"), "print the subject token of an id, and exit") //
        ("help,h", "print this, and exit")                                                                      //
        ("version", "print the version, and exit");
    po::variables_map given;
    try
    {
        const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
        po::positional_options_description nameless;
        if (!bare.empty())
            nameless.add(bare.c_str(), 1);
        auto parsed = po::command_line_parser(argc, argv).options(options).style(style).positional(nameless).run();
        po::store(parsed, given);
        po::notify(given);
    }
    catch (const po::unknown_option& e)
    {
        hide_secrets(argc, argv);
        const auto option = e.get_option_name(); // as it was given: a mistyped --pasword=… with its value
        std::cerr << program << ": unrecognised option '" << option.substr(0, option.find('=')) << "' (see --help)\n";
        return exit_usage;
    }
    catch (const po::error& e)
    {
        hide_secrets(argc, argv);
        std::cerr << program << ": " << e.what() << " (see --help)\n";
        return exit_usage;
    }
    hide_secrets(argc, argv);
    if (given.count("help") > 0)
    {
        std::cout << program << ": " << summary << "\n\n" << options;
        return exit_ok;
    }
    if (given.count("version") > 0)
    {
        std::cout << program << ' ' << MARQUEE_VERSION << '\n';
        return exit_ok;
    }
    if (given.count("encode-id") > 0)
        return print_token(given["encode-id"].as<std::string>());
    return given;
}

int run_program(const connection_options& options, std::chrono::milliseconds stop_timeout, start_function start)
{
    asio::io_context io(1);
    const log_reporter left_out(io);
    auto starting = std::make_unique<stop_while_starting>();
    auto opened = connection::open(io, options);
    if (opened.has_error())
    {
        log(log_level::error, opened.error().detail.empty() ? "cannot connect" : opened.error().detail);
        return opened.error() == errc::bad_request ? exit_usage : exit_failed;
    }
    life one(io, **opened, stop_timeout, std::move(start));
    one.begin(std::move(starting));
    io.run();
    return one.exit_code();
}

} // namespace marquee
