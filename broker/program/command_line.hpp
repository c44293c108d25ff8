// Options and exit codes that all programs have.
#pragma once

#include "broker/program/settings.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <string>
#include <variant>

namespace marquee
{

enum exit_code : int
{
    exit_ok = 0,     ///< stopped in order
    exit_failed = 1, ///< could not start, or failed
    exit_usage = 2   ///< the command line is wrong
};

/// Reads the settings of a program: its own options plus --config, --print-config, --log-level,
/// --encode-id, --help and --version. Returns the exit code of a program that is done: it has
/// printed what it was asked for to standard output (0), or one line that explains what is wrong to
/// standard error (2). Sets the log's program name and level, logs warnings, and hides secrets from
/// `ps`. Call first in main(), before a second thread starts.
[[nodiscard]] std::variant<program_settings, int> read_settings(int argc, char** argv, settings_description what);

/// For programs whose only settings are those of the command line: no file, no environment, and
/// none of the options for them; else as read_settings(). Returns the values.
[[nodiscard]] std::variant<boost::program_options::variables_map, int>
read_command_line(int argc, char** argv, const std::string& program, const std::string& summary,
                  boost::program_options::options_description options, const std::string& bare = {});

} // namespace marquee
