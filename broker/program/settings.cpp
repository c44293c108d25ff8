#include "broker/program/settings.hpp"

#include "broker/program/log_options.hpp"
#include "broker/program/options.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>

#include <algorithm>
#include <ostream>
#include <utility>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

/// The default of an option, as --help shows it; empty where it has none.
std::string default_of(const po::option_description& option)
{
    if (is_flag(option))
        return "false";
    const auto shown = option.semantic()->name(); // `TIME (=2s)`
    const auto from = shown.find(" (=");
    return from == std::string::npos ? "" : shown.substr(from + 3, shown.size() - from - 4);
}

/// Stores the values of one option. Throws po::error.
void store_one(const po::options_description& options, const std::string& name, const given_setting& setting,
               po::variables_map& values)
{
    po::parsed_options parsed(&options, po::command_line_style::allow_long);
    for (const auto& value : setting.values)
    {
        po::option one(name, {value});
        one.original_tokens = {"--" + name, value};
        parsed.options.push_back(std::move(one));
    }
    po::store(parsed, values);
}

} // namespace

known_options program_settings::options() const { return {what_->options, what_->actions}; }

result<program_settings> program_settings::from(std::shared_ptr<const settings_description> what,
                                                given_settings command_line, const environment_variables& environment)
{
    program_settings made(std::move(what));
    made.unchanging_ = std::move(command_line);
    const auto unknown = add_environment(made.unchanging_, made.options(), environment);
    if (!unknown.empty())
    {
        std::string names;
        for (const auto& each : unknown)
            (names += names.empty() ? "" : ", ") += each;
        made.warnings_.push_back("environment variables that set no option: " + names);
    }
    if (const auto config = made.unchanging_.find("config"); config != made.unchanging_.end())
        made.file_ = config->second.values.front();
    else
        for (const auto& [variable, value] : environment)
            if (variable == variable_of("config"))
                made.file_ = value;
    if (made.file_.empty() && made.unchanging_.count("config") > 0)
        return fail(errc::bad_request, "--config: which FILE?", "config");
    if (auto read = made.read_file(); read.has_error())
        return read.error();
    return made;
}

result<program_settings> program_settings::read_again() const
{
    program_settings again(what_);
    again.unchanging_ = unchanging_;
    again.file_ = file_;
    if (auto read = again.read_file(); read.has_error())
        return read.error();
    return again;
}

result<void> program_settings::read_file()
{
    given_ = unchanging_;
    if (!file_.empty())
        if (auto added = add_file(given_, options(), file_, warnings_); added.has_error())
            return added;
    if (auto stored = store(); stored.has_error())
        return stored;
    if (auto log = check_log_options(values_); log.has_error())
        return located(log.error());
    if (what_->check)
        if (auto checked = what_->check(values_); checked.has_error())
            return located(checked.error());
    return {};
}

result<void> program_settings::store()
{
    for (const auto& [name, setting] : given_)
    {
        try
        {
            store_one(what_->options, name, setting, values_);
        }
        catch (const po::error& e)
        {
            return located(fail(errc::bad_request, e.what(), name));
        }
    }
    try
    {
        po::store(po::parsed_options(&what_->options), values_); // the defaults of the rest
        po::notify(values_);
    }
    catch (const po::error& e)
    {
        return fail(errc::bad_request, e.what());
    }
    return {};
}

/// `why`, with the places of the option's values in front, unless that is the command line.
error program_settings::located(const error& why) const
{
    const auto name = why.field.substr(std::min(why.field.find_first_not_of('-'), why.field.size()));
    const auto setting = given_.find(name);
    if (setting == given_.end() || setting->second.from.front() == by_command_line)
        return why;
    std::string places = setting->second.from.front();
    for (std::size_t i = 1; i < setting->second.from.size(); ++i)
        if (setting->second.from[i] != setting->second.from[i - 1])
            places += ", " + setting->second.from[i];
    return fail(why.code, places + ": " + why.detail, why.field);
}

void program_settings::print(std::ostream& out) const
{
    const auto known = options();
    connection_options used;
    if (what_->options.find_nothrow("context", false) != nullptr)
        if (auto read = read_connection_options(values_, what_->context); read.has_value())
            used = std::move(*read);
    if (!file_.empty())
        out << "config = " << file_ << " ("
            << (unchanging_.count("config") > 0 ? by_command_line : "environment MARQUEE_CONFIG") << ")\n";
    for (const auto& option : what_->options.options())
    {
        const auto& name = option->long_name();
        if (known.is_action(name))
            continue;
        if (const auto found = given_.find(name); found != given_.end())
        {
            const auto& [values, from] = found->second;
            for (std::size_t i = 0; i < values.size(); ++i)
                out << name << " = " << masked(name, values[i]) << " (" << from[i] << ")\n";
            continue;
        }
        auto [value, from] = fallback_of(name, values_, used);
        if (from.empty())
            from = "default";
        if (value.empty())
            value = default_of(*option);
        out << name << (value.empty() ? " not set" : " = " + masked(name, value)) << " (" << from << ")\n";
    }
}

} // namespace marquee
