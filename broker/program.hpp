// What every executable does the same way: command line, signals, exit codes.
#pragma once

#include "broker/connection.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace marquee
{

/// Exit codes: 0 stopped in order, 1 could not start or failed, 2 the command line is wrong.
enum exit_code : int
{
    exit_ok = 0,
    exit_failed = 1,
    exit_usage = 2
};

/// The first thing in every main, while there is one thread: from here on SIGHUP ends no program. It waits until a thread takes it again, as an edge with
/// TLS does once it can act on it (edge/tls.hpp); in all others for ever.
void hold_back_hangup();

/// The calling thread takes SIGHUP from now on, one that was held back before included.
void let_hangup_through();

/// While it lives, SIGINT and SIGTERM end the process at once with exit code 0, whatever the other threads
/// do: nothing is served yet, and what programs store is whole at any time. Made while there is one thread.
class stop_while_starting
{
public:
    stop_while_starting();
    ~stop_while_starting();
    stop_while_starting(const stop_while_starting&) = delete;
    stop_while_starting& operator=(const stop_while_starting&) = delete;

private:
    struct waiter;
    std::unique_ptr<waiter> waiting_;
};

/// Parses the command line: `options` plus --help, --version and --encode-id ID (prints the token of an id). Returns the values, or the exit code of a program that is
/// done: help and version printed to standard output (0), an unknown option or a bad value explained in one line on standard
/// error (2). Hides secrets from `ps` (hide_secrets). One word without a name is the value of option `bare`, where that is given.
[[nodiscard]] std::variant<boost::program_options::variables_map, int>
read_command_line(int argc, char** argv, const std::string& program, const std::string& summary,
                  boost::program_options::options_description options, const std::string& bare = {});

/// A running part of a program; destroyed after `stop` has returned.
class runnable
{
public:
    virtual ~runnable() = default;
    /// Bounded by `until`.
    virtual asio::awaitable<void> stop(deadline until) = 0;

    /// True: it serves only some time after its start, and tells the supervisor itself.
    [[nodiscard]] virtual bool serves_later() const noexcept { return false; }
};

/// Opens the connection, calls `start` on the io thread, logs `ready`, waits for SIGINT or SIGTERM (which end it at once, by std::_Exit, while it starts), stops within `stop_timeout`, closes the connection.
/// A second signal stops at once. The supervisor is told of both, and that the io thread turns. `start` fails with an error, or the broker refuses a subscription meanwhile: it is logged in one line and the exit code is 1. `fatal` (handed to `start`) ends the
/// program in the same order with exit code 1.
using fatal_handler = std::function<void(std::string why)>;
using start_function = std::function<asio::awaitable<result<std::unique_ptr<runnable>>>(connection& nats, fatal_handler fatal)>;

[[nodiscard]] int run_program(const connection_options& options, std::chrono::milliseconds stop_timeout, start_function start);

} // namespace marquee
