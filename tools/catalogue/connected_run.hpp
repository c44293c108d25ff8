// What marquee-import and marquee-export share as programs.
#pragma once

#include "broker/nats/connection.hpp"
#include "broker/program/options.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace marquee::catalogue_files
{

/// The part of a program that needs the broker.
struct connected_work
{
    std::function<asio::awaitable<result<void>>(connection&)> run;
    std::function<void()> stop; ///< at SIGINT or SIGTERM; the second one ends the process at once
};

/// Names the context and its server on standard error, if there is one, connects, runs the work and
/// closes the connection. Logs a failure. Returns an exit code: of exit_code, exit_failed for a
/// failure. `io` runs meanwhile, and outlives what the work makes on it.
[[nodiscard]] int run_connected(const std::string& program, asio::io_context& io, connection_options how,
                                const connected_work& work);

/// Prints `program: why (see --help)`; returns exit_usage.
int wrong_usage(const std::string& program, const error& why);

} // namespace marquee::catalogue_files
