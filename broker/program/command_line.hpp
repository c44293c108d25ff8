// Options and exit codes that all programs have.
#pragma once

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

/// Parses the command line: `options` plus --help, --version and --encode-id ID, which prints the
/// subject token of an id. Returns the values, or the exit code of a program that is done: it has
/// printed help or version to standard output (0), or one line that explains an unknown option or a
/// bad value to standard error (2). Hides secrets from `ps`, see hide_secrets(). If `bare` is
/// given, one argument without a name is the value of the option of that name.
[[nodiscard]] std::variant<boost::program_options::variables_map, int>
read_command_line(int argc, char** argv, const std::string& program, const std::string& summary,
                  boost::program_options::options_description options, const std::string& bare = {});

} // namespace marquee
