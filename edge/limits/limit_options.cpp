#include "edge/limits/limit_options.hpp"

#include "schemas/duration.hpp"
#include "schemas/parse_number.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

using texts = std::vector<std::string>;

/// An option's failure: its name in front of the detail.
error about(const std::string& option, const error& what)
{
    return fail(errc::bad_request, "--" + option + ": " + what.detail, option);
}

/// All values of an option that may be repeated and takes lists.
texts all_of(const po::variables_map& given, const std::string& option)
{
    texts all;
    if (given.count(option) == 0)
        return all;
    for (const auto& list : given[option].as<texts>())
        for (std::size_t from = 0; from <= list.size();)
        {
            const auto comma = std::min(list.find(',', from), list.size());
            all.emplace_back(trim_blanks(std::string_view(list).substr(from, comma - from)));
            from = comma + 1;
        }
    return all;
}

result<void> read_rate(const po::variables_map& given, const std::string& option, std::optional<rate>& into)
{
    if (given.count(option) == 0)
        return {};
    auto read = rate::parse(given[option].as<std::string>());
    if (read.has_error())
        return about(option, read.error());
    into = *read;
    return {};
}

result<void> read_rates(const po::variables_map& given, rate_settings& into)
{
    if (auto address = read_rate(given, "rate-address", into.address); address.has_error())
        return address;
    if (auto user = read_rate(given, "rate-user", into.user); user.has_error())
        return user;
    for (const auto& each : all_of(given, "trusted-proxy"))
        if (auto added = into.trusted_proxies.add(each); added.has_error())
            return about("trusted-proxy", added.error());
    return {};
}

/// An option whose value is a number from `lowest` to `highest`.
struct count_option
{
    const char* name;
    std::uint64_t lowest;
    std::uint64_t highest;
    std::uint64_t fallback;
    const char* meaning;
    void (*set)(limit_settings&, std::uint64_t);
};

const session_settings defaults;

const count_option counts[] = {
    {"max-connections-per-address", 0, 1'000'000, 0,
     "HTTP connections of one address (of IPv6: of a /64), trusted proxies apart; 0: any number",
     [](limit_settings& c, std::uint64_t n) { c.max_connections_per_address = n; }},
    {"max-requests-per-connection", 0, 1'000'000'000, defaults.requests,
     "requests on a connection before it is closed; 0: any number",
     [](limit_settings& c, std::uint64_t n) { c.session.requests = n; }},
    {"max-header-bytes", 256, 1U << 20U, defaults.head.header_bytes, "bytes of a request's head; beyond them 431",
     [](limit_settings& c, std::uint64_t n)
     {
         c.session.head.header_bytes = n;
         c.session.body.trailer_bytes = n;
         c.session.buffer_bytes = std::max(c.session.buffer_bytes, 2 * c.session.head.header_bytes);
     }},
    {"max-header-fields", 1, 1000, defaults.head.field_count, "header fields of a request; beyond them 431",
     [](limit_settings& c, std::uint64_t n) { c.session.head.field_count = n; }},
    {"max-target-bytes", 16, 1U << 20U, defaults.head.target_bytes, "bytes of a request's target; beyond them 414",
     [](limit_settings& c, std::uint64_t n) { c.session.head.target_bytes = n; }},
    {"max-body-bytes", 0, 1U << 30U, defaults.body.body_bytes, "bytes of a request's body; beyond them 413",
     [](limit_settings& c, std::uint64_t n) { c.session.body.body_bytes = n; }},
};

struct time_option
{
    const char* name;
    const char* fallback;
    const char* meaning;
    std::chrono::milliseconds session_settings::*set;
};

const time_option times[] = {
    {"handshake-timeout", "10s", "for a TLS handshake; then the connection is closed",
     &session_settings::handshake_timeout},
    {"header-timeout", "10s", "for a request's head, from its first byte; then 408", &session_settings::header_timeout},
    {"body-timeout", "10s", "for a request's body; then 408", &session_settings::body_timeout},
    {"write-timeout", "10s", "for a client that takes nothing of an answer; then its connection is closed",
     &session_settings::write_timeout},
    {"answer-timeout", "10m", "for a client to take a whole answer; then its connection is closed",
     &session_settings::answer_timeout},
    {"idle-timeout", "75s", "between the requests of a connection", &session_settings::idle_timeout},
};

result<void> read_counts_and_times(const po::variables_map& given, limit_settings& limits)
{
    for (const auto& each : counts)
    {
        const auto& text = given[each.name].as<std::string>();
        const auto number = parse_number<std::uint64_t>(text);
        if (!number || *number < each.lowest || *number > each.highest)
            return about(each.name, fail(errc::bad_request, "a number from " + std::to_string(each.lowest) + " to " +
                                                                std::to_string(each.highest)));
        each.set(limits, *number);
    }
    for (const auto& each : times)
    {
        const auto time = parse_duration(given[each.name].as<std::string>(), shortest_time, longest_time);
        if (time.has_error())
            return about(each.name, time.error());
        limits.session.*each.set = *time;
    }
    return {};
}

} // namespace

void add_limit_options(po::options_description& options)
{
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    const auto list = [](const char* name) { return po::value<texts>()->composing()->value_name(name); };
    options.add_options() //
        ("rate-address", text("R[:BURST]"),
         "requests a second from one client address (of IPv6 a /64); beyond them 429")            //
        ("rate-user", text("R[:BURST]"), "requests a second that name one user; beyond them 429") //
        ("trusted-proxy", list("NETWORK"),
         "proxies whose X-Forwarded-For is believed: 10.0.0.0/8,::1; may be repeated") //
        ("cors-origin", list("ORIGIN"),
         "whose pages may use the edge: https://shop.example, or * for all; may be repeated") //
        ("cors-header", list("NAME"),
         "a header field that such pages may send besides the usual ones; may be repeated");
    const auto known = [&](const char* name, const std::string& fallback, const char* value, const char* meaning)
    { options.add_options()(name, po::value<std::string>()->default_value(fallback)->value_name(value), meaning); };
    for (const auto& each : counts)
        known(each.name, std::to_string(each.fallback), "N", each.meaning);
    for (const auto& each : times)
        known(each.name, each.fallback, "TIME", each.meaning);
}

result<void> read_limit_options(const po::variables_map& given, limit_settings& limits)
{
    if (auto rates = read_rates(given, limits.rates); rates.has_error())
        return rates;
    if (auto read = read_counts_and_times(given, limits); read.has_error())
        return read;
    for (const auto& each : all_of(given, "cors-origin"))
        if (auto added = limits.session.cors.add(each); added.has_error())
            return about("cors-origin", added.error());
    for (const auto& each : all_of(given, "cors-header"))
        if (auto added = limits.session.cors.add_header(each); added.has_error())
            return about("cors-header", added.error());
    return {};
}

} // namespace marquee
