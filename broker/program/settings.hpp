// The settings of a program: what is in force, and where each value comes from.
#pragma once

#include "broker/program/options.hpp"
#include "broker/program/setting_sources.hpp"
#include "schemas/error.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

/// Says whether values can be used, without using them. `field` of a failure is the option.
using options_check = std::function<result<void>(const boost::program_options::variables_map&)>;

/// What distinguishes one program's settings from another's.
struct settings_description
{
    std::string program; ///< `marquee-edge`
    std::string summary; ///< one line, for --help
    boost::program_options::options_description options;
    options_check check = {};
    std::string bare = {};                 ///< the option whose value is one argument without a name; may be empty
    std::vector<std::string> actions = {}; ///< options that only the command line may have
    selected_context context = selected_context::ignored;
};

/// The values of all options. The first of these that gives an option decides it, a list as a
/// whole: the command line; the environment variable MARQUEE_OPTION; the configuration file of
/// --config or MARQUEE_CONFIG; the default. Values that are not given anywhere may have other
/// sources still, see read_connection_options(). A value: may be copied.
class program_settings
{
public:
    /// `command_line` has been parsed by the options of `what`. Reads the file. Fails with
    /// bad_request for values that are wrong; the detail says which, and where it comes from.
    [[nodiscard]] static result<program_settings> from(std::shared_ptr<const settings_description> what,
                                                       given_settings command_line,
                                                       const environment_variables& environment);

    /// Reads the file again. Fails as from() does.
    [[nodiscard]] result<program_settings> read_again() const;

    [[nodiscard]] const boost::program_options::variables_map& values() const noexcept { return values_; }
    [[nodiscard]] const given_settings& given() const noexcept { return given_; }
    [[nodiscard]] const std::string& file() const noexcept { return file_; } ///< empty: none
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

    /// Writes each setting with its value and where that comes from, in a line each. Secrets are
    /// masked.
    void print(std::ostream& out) const;

private:
    explicit program_settings(std::shared_ptr<const settings_description> what) : what_(std::move(what)) {}

    [[nodiscard]] known_options options() const;
    result<void> read_file();
    result<void> store();
    [[nodiscard]] error located(const error& why) const;

    std::shared_ptr<const settings_description> what_;
    given_settings unchanging_; ///< of the command line and the environment
    std::string file_;
    given_settings given_;
    std::vector<std::string> warnings_;
    boost::program_options::variables_map values_;
};

} // namespace marquee
