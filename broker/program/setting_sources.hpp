// Where settings come from: the command line, the environment, a configuration file.
#pragma once

#include "schemas/error.hpp"

#include <boost/program_options/option.hpp>
#include <boost/program_options/options_description.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// In given_setting::from: what users type and cannot change while the program runs.
inline constexpr const char* by_command_line = "command line";

/// The values of one option, as texts, and where each comes from: `command line`,
/// `environment MARQUEE_TIMEOUT`, `edge.conf:3`.
struct given_setting
{
    std::vector<std::string> values;
    std::vector<std::string> from;
};

/// By the option's name, without hyphens in front. A flag has the value `true` or what was given.
using given_settings = std::map<std::string, given_setting>;

/// The options that a program has.
struct known_options
{
    const boost::program_options::options_description& all;
    const std::vector<std::string>& actions; ///< those that only a command line may have: --help

    /// Null where there is none of this name that is a setting.
    [[nodiscard]] const boost::program_options::option_description* find(const std::string& name) const;

    [[nodiscard]] bool is_action(const std::string& name) const;
};

[[nodiscard]] bool is_flag(const boost::program_options::option_description& option);
[[nodiscard]] bool is_list(const boost::program_options::option_description& option); ///< may be repeated

/// `MARQUEE_CORS_ORIGIN` for `cors-origin`.
[[nodiscard]] std::string variable_of(std::string_view option);

/// The settings of a parsed command line.
[[nodiscard]] given_settings settings_of(const std::vector<boost::program_options::option>& command_line);

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// The process's own. Call before a second thread starts.
[[nodiscard]] environment_variables read_environment();

/// Adds what the variables MARQUEE_… set to what is not given yet. An empty variable sets nothing;
/// one of a list is split at commas. Returns the names of those that belong to no setting and are
/// not known to be for something else.
[[nodiscard]] std::vector<std::string> add_environment(given_settings& given, const known_options& options,
                                                       const environment_variables& environment);

/// Adds what the file sets to what is not given yet; `warnings` get what is worth one. Fails as
/// read_config_file() does, and with bad_request for a name that is no setting, for one that is
/// given twice and is no list, and for a file that holds a secret and can be written by others.
[[nodiscard]] result<void> add_file(given_settings& given, const known_options& options, const std::string& path,
                                    std::vector<std::string>& warnings);

/// True: the value must not be shown.
[[nodiscard]] bool holds_secret(std::string_view option, std::string_view value);

/// The value, with passwords, tokens and the user info of URLs as `***`.
[[nodiscard]] std::string masked(std::string_view option, std::string_view value);

} // namespace marquee
