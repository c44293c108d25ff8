#include "broker/program/setting_sources.hpp"

#include "broker/program/config_file.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <algorithm>
#include <array>

#include <unistd.h>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

constexpr std::string_view prefix = "MARQUEE_";
constexpr std::string_view mask = "***";

/// Variables of this name that are no settings: of the log, of ./run and ./test, of planted faults.
constexpr std::array<std::string_view, 11> other_uses = {
    "LOG",      "BIN",     "CACHE", "FULL", "QUICK", "FAULT", "BENCH", "NATS_SERVER", "NEWER_NATS_SERVER",
    "SANITIZE", "RUN_TEST"};

/// `cors-origin` for `CORS_ORIGIN`; nothing where it cannot be the name of an option.
std::string option_of(std::string_view variable)
{
    std::string name;
    for (const char c : variable)
    {
        if (c >= 'A' && c <= 'Z')
            name += static_cast<char>(c - 'A' + 'a');
        else if (c == '_' || (c >= '0' && c <= '9'))
            name += c == '_' ? '-' : c;
        else
            return {};
    }
    return name;
}

std::vector<std::string> split_at_commas(std::string_view list)
{
    std::vector<std::string> all;
    for (std::size_t from = 0; from <= list.size();)
    {
        const auto comma = std::min(list.find(',', from), list.size());
        all.emplace_back(list.substr(from, comma - from));
        from = comma + 1;
    }
    return all;
}

std::string without_user_info(std::string_view server)
{
    const auto at = server.rfind('@');
    if (at == std::string_view::npos)
        return std::string(server);
    const auto scheme = server.find("://");
    const auto info = scheme == std::string_view::npos || scheme > at ? 0 : scheme + 3;
    return std::string(server.substr(0, info)).append(mask).append(server.substr(at));
}

bool is_secret(std::string_view option) { return option == "password" || option == "token"; }

/// Whether a value may have user info: a server's address, or any other URL.
bool may_have_user_info(std::string_view option, std::string_view value)
{
    return option == "server" || value.find("://") != std::string_view::npos;
}

/// What is wrong with a line by itself, in view of the options there are. Null: nothing.
const char* find_fault(const known_options& options, const config_line& line)
{
    if (options.is_action(line.name))
        return "is for the command line only";
    const auto* option = options.find(line.name);
    if (option == nullptr)
        return "is no option of this program";
    if (is_flag(*option) && line.value.empty())
        return "needs a value: true or false";
    return nullptr;
}

} // namespace

const po::option_description* known_options::find(const std::string& name) const
{
    if (name.empty() || is_action(name))
        return nullptr;
    const auto* found = all.find_nothrow(name, false);
    return found != nullptr && found->long_name() == name ? found : nullptr;
}

bool known_options::is_action(const std::string& name) const
{
    return std::find(actions.begin(), actions.end(), name) != actions.end();
}

bool is_flag(const po::option_description& option) { return option.semantic()->max_tokens() == 0; }

bool is_list(const po::option_description& option)
{
    return dynamic_cast<const po::typed_value<std::vector<std::string>>*>(option.semantic().get()) != nullptr;
}

std::string variable_of(std::string_view option)
{
    std::string name(prefix);
    for (const char c : option)
        name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    return name;
}

given_settings settings_of(const std::vector<po::option>& command_line)
{
    given_settings given;
    for (const auto& each : command_line)
    {
        auto& setting = given[each.string_key];
        setting.values.push_back(each.value.empty() ? "true" : each.value.front());
        setting.from.emplace_back(by_command_line);
    }
    return given;
}

environment_variables read_environment()
{
    environment_variables all;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each)
    {
        const std::string_view text = *each;
        if (const auto equals = text.find('='); text.starts_with(prefix) && equals != std::string_view::npos)
            all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    std::sort(all.begin(), all.end());
    return all;
}

std::vector<std::string> add_environment(given_settings& given, const known_options& options,
                                         const environment_variables& environment)
{
    std::vector<std::string> unknown;
    for (const auto& [variable, value] : environment)
    {
        const auto rest = std::string_view(variable).substr(prefix.size());
        if (std::find(other_uses.begin(), other_uses.end(), rest) != other_uses.end())
            continue;
        const auto name = option_of(rest);
        if (name == "config") // is read before, see program_settings
            continue;
        const auto* option = options.find(name);
        if (option == nullptr)
            unknown.push_back(variable);
        if (option == nullptr || value.empty() || given.count(name) > 0)
            continue;
        auto& setting = given[name];
        setting.values = is_list(*option) ? split_at_commas(value) : std::vector<std::string>{value};
        setting.from.assign(setting.values.size(), "environment " + variable);
    }
    return unknown;
}

result<void> add_file(given_settings& given, const known_options& options, const std::string& path,
                      std::vector<std::string>& warnings)
{
    auto file = read_config_file(path);
    if (file.has_error())
        return file.error();
    std::map<std::string, std::size_t> seen; // the line of each
    given_settings found;
    bool secret = false;
    for (auto& line : file->lines)
    {
        const auto at = path + ':' + std::to_string(line.number);
        if (const auto* fault = find_fault(options, line); fault != nullptr)
            return fail(errc::bad_request, at + ": " + line.name + ' ' + fault);
        const auto [first, is_new] = seen.emplace(line.name, line.number);
        if (!is_new && !is_list(*options.find(line.name)))
            return fail(errc::bad_request,
                        at + ": " + line.name + " is given twice, first in line " + std::to_string(first->second));
        secret = secret || holds_secret(line.name, line.value);
        found[line.name].values.push_back(std::move(line.value));
        found[line.name].from.push_back(at);
    }
    if (secret && file->others_write)
        return fail(errc::bad_request,
                    path + " holds a secret, and users other than its owner may write it (chmod go-w)");
    if (secret && file->all_read)
        warnings.push_back(path + " holds a secret, and everybody may read it: chmod o-r, or, where this program's "
                                  "user could not read it then, a variable or a file of its own for the secret");
    given.merge(found);
    return {};
}

bool holds_secret(std::string_view option, std::string_view value)
{
    return (is_secret(option) && !value.empty()) ||
           (may_have_user_info(option, value) && value.find('@') != std::string_view::npos);
}

std::string masked(std::string_view option, std::string_view value)
{
    if (is_secret(option))
        return value.empty() ? "" : std::string(mask);
    if (!holds_secret(option, value))
        return std::string(value);
    std::string shown;
    for (const auto& each : split_at_commas(value))
        (shown += shown.empty() ? "" : ",") += without_user_info(each);
    return shown;
}

} // namespace marquee
