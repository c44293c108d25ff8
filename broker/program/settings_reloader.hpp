// SIGHUP: the configuration file is read again.
#pragma once

#include "broker/program/settings.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <string>
#include <vector>

namespace marquee
{

namespace asio = boost::asio;

/// Reads the configuration file again at every SIGHUP and puts in force what can change in a
/// running program: the log, and what the program names. The log says which settings
/// have changed, and which of them need a restart. A file that is wrong changes nothing; why is
/// logged. A program without a file is left alone. On the thread that runs `io`.
class settings_reloader
{
public:
    /// What one program can change.
    struct live_part
    {
        std::vector<std::string> options; ///< without hyphens

        /// Puts all of them in force, or fails and has changed nothing. `done` is called once
        /// later, on the thread of the reloader, unless it failed or the program ends.
        std::function<result<void>(const boost::program_options::variables_map& values, std::function<void()> done)>
            apply;
    };

    /// Construct it on the thread that runs `io`: unblocks SIGHUP there, and a pending one is
    /// delivered. Destroyed when `io` has stopped for good.
    settings_reloader(asio::io_context& io, program_settings settings, live_part live = {});

private:
    void wait();
    void reload();
    void applied(const program_settings& next);
    void report(const program_settings& next) const;
    [[nodiscard]] bool is_live(const std::string& option) const;
    [[nodiscard]] bool differs(const program_settings& next, const std::string& option) const;
    [[nodiscard]] std::string changes(const program_settings& next, bool live) const;

    program_settings first_; ///< of the start: in force where a setting needs a restart
    program_settings now_;   ///< in force where it does not
    live_part live_;
    asio::signal_set hangup_;
};

} // namespace marquee
