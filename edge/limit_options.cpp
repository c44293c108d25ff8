#include "edge/limit_options.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <string>
#include <vector>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

using texts = std::vector<std::string>;

/// The failure of an option, with its name in front.
error about(const std::string& option, const error& what)
{
    return fail(errc::bad_request, "--" + option + ": " + what.detail, option);
}

/// The values of an option that may be repeated and takes lists: all of them.
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

} // namespace

void add_limit_options(po::options_description& options)
{
    const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
    const auto list = [](const char* name) { return po::value<texts>()->composing()->value_name(name); };
    options.add_options()                                                                                                 //
        ("rate-address", text("R[:BURST]"), "requests a second from one client address (of IPv6 a /64); beyond them 429") //
        ("rate-user", text("R[:BURST]"), "requests a second that name one user; beyond them 429")                         //
        ("trusted-proxy", list("NETWORK"), "proxies whose X-Forwarded-For is believed: 10.0.0.0/8,::1; may be repeated")  //
        ("cors-origin", list("ORIGIN"), "whose pages may use the edge: https://shop.example, or * for all; may be repeated");
}

result<void> read_limit_options(const po::variables_map& given, edge_config& config)
{
    if (auto rates = read_rates(given, config.rates); rates.has_error())
        return rates;
    for (const auto& each : all_of(given, "cors-origin"))
        if (auto added = config.session.cors.add(each); added.has_error())
            return about("cors-origin", added.error());
    return {};
}

} // namespace marquee
