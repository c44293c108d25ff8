// How every service starts, runs and stops.
#pragma once

#include "broker/nats/connection.hpp"
#include "broker/program/command_line.hpp"
#include "broker/program/signals.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>

namespace marquee
{

/// The running part of a program. Destroyed on the io thread after stop() has returned.
class component
{
public:
    virtual ~component() = default;

    /// Stops serving, bounded by `until`.
    virtual asio::awaitable<void> stop(deadline until) = 0;

    /// True: it does not serve yet after its start, and calls notify_ready() itself.
    [[nodiscard]] virtual bool serves_later() const noexcept { return false; }
};

/// Ends the program in order, with exit code 1; `why` is logged. Call on the io thread.
using fatal_handler = std::function<void(std::string why)>;

/// Makes the component, on the io thread.
using start_function =
    std::function<asio::awaitable<result<std::unique_ptr<component>>>(connection& nats, fatal_handler fatal)>;

/// Runs a program on the calling thread and returns its exit code. Opens the connection, calls
/// `start`, logs `ready`, waits for SIGINT or SIGTERM, stops the component and closes the
/// connection within `stop_timeout`. Until `ready` a signal ends the process at once with exit code
/// 0 (exit_on_signal); a second signal does so with 1. If `start` fails, or the broker refuses a
/// subscription meanwhile, one line is logged and the exit code is 1. Notifies the supervisor of
/// start and stop, and runs its watchdog. With `settings` their file is read again at every SIGHUP,
/// see settings_reloader.
[[nodiscard]] int run_program(const connection_options& options, std::chrono::milliseconds stop_timeout,
                              start_function start, const program_settings* settings = nullptr);

} // namespace marquee
