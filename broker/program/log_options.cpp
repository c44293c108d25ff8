#include "broker/program/log_options.hpp"

#include "broker/base/access_log.hpp"
#include "broker/base/log.hpp"
#include "schemas/duration.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <chrono>
#include <optional>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

constexpr std::chrono::milliseconds shortest_slow{1};
constexpr std::chrono::milliseconds longest_slow = std::chrono::hours(1);

error option_error(const std::string& option, const std::string& detail)
{
    return fail(errc::bad_request, "--" + option + ": " + detail, option);
}

/// Nothing where it is not given and has no default.
std::optional<std::string> value_of(const po::variables_map& given, const char* option)
{
    if (given.count(option) == 0)
        return std::nullopt;
    return given[option].as<std::string>();
}

} // namespace

void add_log_options(po::options_description& options)
{
    options.add_options() //
        ("log-level", po::value<std::string>()->value_name("LEVEL"),
         "debug, info, warning or error (MARQUEE_LOG; info)") //
        ("log-format", po::value<std::string>()->value_name("FORMAT")->default_value("text"),
         "of the lines of the log: text, json or logfmt");
}

void add_access_log_options(po::options_description& options)
{
    options.add_options() //
        ("access-log", po::value<std::string>()->value_name("WHICH")->default_value("off"),
         "which requests get a line in the log: off, on, or a share of them such as 0.01; those that fail or are slow "
         "always do") //
        ("slow-request", po::value<std::string>()->value_name("TIME")->default_value("1s"),
         "a request that takes as long is slow");
}

std::vector<std::string> log_option_names() { return {"log-level", "log-format", "access-log", "slow-request"}; }

result<void> check_log_options(const po::variables_map& given)
{
    if (const auto level = value_of(given, "log-level"); level && !parse_log_level(*level))
        return option_error("log-level", "debug, info, warning or error");
    if (const auto format = value_of(given, "log-format"); format && !parse_log_format(*format))
        return option_error("log-format", "text, json or logfmt");
    if (const auto share = value_of(given, "access-log"))
        if (const auto read = parse_access_log(*share); read.has_error())
            return option_error("access-log", read.error().detail);
    if (const auto slow = value_of(given, "slow-request"))
        if (const auto read = parse_duration(*slow, shortest_slow, longest_slow); read.has_error())
            return option_error("slow-request", read.error().detail);
    return {};
}

void apply_log_options(const po::variables_map& given)
{
    const auto level = value_of(given, "log-level");
    set_log_level(level ? parse_log_level(*level) : std::nullopt);
    if (const auto format = value_of(given, "log-format"))
        set_log_format(parse_log_format(*format).value_or(log_format::text));
    access_log_settings access;
    if (const auto share = value_of(given, "access-log"))
        access.share = parse_access_log(*share).value();
    if (const auto slow = value_of(given, "slow-request"))
        access.slow = parse_duration(*slow, shortest_slow, longest_slow).value();
    set_access_log(access);
}

} // namespace marquee
