// What an edge takes over while it runs: as documented, and in its limits.
#include "edge/live_reload.hpp"

#include "broker/program/log_options.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>
#include <set>

using namespace marquee;

namespace
{

client_address address(const char* text) { return client_address::parse(text).value(); }

rate_settings rates(const char* of_address, const char* of_user)
{
    rate_settings made;
    if (of_address != nullptr)
        made.address = rate::parse(of_address).value();
    if (of_user != nullptr)
        made.user = rate::parse(of_user).value();
    return made;
}

/// The options in the table of docs/operations.md.
std::set<std::string> documented()
{
    std::ifstream file(MARQUEE_SOURCE_DIR "/docs/operations.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const auto from = page.find("| program | takes over |");
    const auto table = page.substr(from, page.find("\n\n", from) - from);
    std::set<std::string> names;
    for (auto at = table.find("`--"); at != std::string::npos; at = table.find("`--", at + 1))
        names.insert(table.substr(at + 3, table.find('`', at + 1) - at - 3));
    return names;
}

} // namespace

BOOST_AUTO_TEST_SUITE(live_reload_)

BOOST_AUTO_TEST_CASE(the_documented_options_are_those_that_are_taken_over)
{
    const auto options = live_reload::options();
    std::set<std::string> taken(options.begin(), options.end());
    for (const auto& each : log_option_names()) // of all programs, see settings_reloader
        taken.insert(each);
    BOOST_TEST(documented() == taken, boost::test_tools::per_element());

    boost::program_options::options_description known;
    add_edge_options(known);
    for (const auto& each : options)
        BOOST_TEST(known.find_nothrow(each, false) != nullptr, each);
}

BOOST_AUTO_TEST_CASE(a_rate_that_stays_keeps_its_buckets)
{
    const auto client = address("192.0.2.1").raw();
    const rate_limits before(rates("0.001:1", "0.001:1"));
    BOOST_TEST(before.address->take(client).allowed);
    BOOST_TEST(before.user->take(client).allowed);

    const rate_limits after(rates("0.001:1", "0.001:2"), &before);
    BOOST_TEST(!after.address->take(client).allowed);
    BOOST_TEST(after.user->take(client).allowed);
    BOOST_TEST(after.user->take(client).allowed);
    BOOST_TEST(!after.user->take(client).allowed);

    const rate_limits none(rates(nullptr, "0.001:2"), &after);
    BOOST_TEST(!none.address);
    BOOST_TEST(!none.user->take(client).allowed);
    BOOST_TEST(rate_limits(rates("0.001:1", nullptr), &none).address->take(client).allowed);
}

BOOST_AUTO_TEST_CASE(connections_that_were_there_before_a_change_of_limits_count_after_it)
{
    using entry = connection_limit::entry;
    const auto client = address("192.0.2.1");
    network_list proxies;
    BOOST_REQUIRE(proxies.add("192.0.2.0/24").has_value());
    connection_limit limit(3);
    for (int i = 0; i < 3; ++i)
        BOOST_TEST((limit.enter(client) == entry::granted));
    BOOST_TEST((limit.enter(client) == entry::too_many));

    limit.change(10, 2, {});
    BOOST_TEST((limit.enter(client) == entry::too_many_of_address));
    limit.leave(client);
    BOOST_TEST((limit.enter(client) == entry::too_many_of_address));
    limit.leave(client);
    BOOST_TEST((limit.enter(client) == entry::granted));

    limit.change(3, 2, proxies);
    BOOST_TEST((limit.enter(client) == entry::granted));
    BOOST_TEST((limit.enter(address("198.51.100.1")) == entry::too_many));
    limit.change(10, 2, {});
    BOOST_TEST((limit.enter(client) == entry::too_many_of_address));
    for (int i = 0; i < 3; ++i)
        limit.leave(client);
    for (int i = 0; i < 2; ++i)
        BOOST_TEST((limit.enter(client) == entry::granted));
    BOOST_TEST((limit.enter(client) == entry::too_many_of_address));
}

BOOST_AUTO_TEST_SUITE_END()
