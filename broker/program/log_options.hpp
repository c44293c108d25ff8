// The options of the log.
#pragma once

#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <string>
#include <vector>

namespace marquee
{

/// Adds --log-level and --log-format.
void add_log_options(boost::program_options::options_description& options);

/// Adds --access-log and --slow-request, for programs that answer requests.
void add_access_log_options(boost::program_options::options_description& options);

/// The names of both, without hyphens.
[[nodiscard]] std::vector<std::string> log_option_names();

/// Fails with bad_request, with the option in detail and field. Options that the program does not
/// have are left out.
[[nodiscard]] result<void> check_log_options(const boost::program_options::variables_map& given);

/// Puts the values in force, which check_log_options() has found right. Thread-safe.
void apply_log_options(const boost::program_options::variables_map& given);

} // namespace marquee
