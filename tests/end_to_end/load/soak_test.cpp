// A million plays: no resource grows with them.
#include "tests/end_to_end/load/endurance.hpp"
#include "tests/support/nats_client.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::uint64_t plays = is_full() ? 1'000'000 : 10'000;
constexpr int steps = 10;
const int warm_up = is_full() ? 7 : 3; ///< steps; by then reporting's database has filled its cache
constexpr long most_growth_kib = 8 * 1024;
constexpr long database_cache_kib = 96 * 1024; ///< 64 MiB of pages and their overhead

std::map<std::string, usage> usage_of_all(marquee_system& system)
{
    std::map<std::string, usage> all;
    for (const auto& name : programs_of_a_system)
        all[name] = usage_of(system.at(name).pid());
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(soak)

BOOST_AUTO_TEST_CASE(memory_descriptors_and_threads_do_not_grow_with_plays)
{
    marquee_system system;
    play_stream_settings with;
    with.port = system.port();
    with.plays = 500;
    BOOST_TEST(count(play_stream(with).finish(), is_played) == 500U); // warms up
    const auto before = usage_without_clients(system);
    std::map<std::string, usage> warm;
    std::map<std::string, usage> last;
    with.plays = plays;
    {
        play_stream viewers(with);
        for (int step = 1; step <= steps; ++step)
        {
            const auto so_far = plays * static_cast<std::uint64_t>(step) / steps;
            BOOST_TEST_REQUIRE(viewers.wait_for_answers(so_far));
            last = usage_of_all(system);
            for (const auto& [name, used] : last)
                BOOST_TEST_MESSAGE(so_far << " plays, " << name << ": " << used);
            BOOST_TEST_MESSAGE(so_far << " plays, broker: " << usage_of(system.broker().pid()));
            if (step == warm_up)
                warm = last;
        }
        const auto all = viewers.finish();
        BOOST_TEST(all.size() == plays);
        BOOST_TEST(count(all, is_played) == plays, by_status(all) << '\n' << account_of(system));
        BOOST_TEST_MESSAGE(static_cast<double>(plays) / all.back().at
                           << " plays/s, " << count(all, [](const play_outcome& one) { return !one.proper; })
                           << " of them without counts");
    }
    const auto after = usage_without_clients(system);
    for (const auto& name : programs_of_a_system)
        BOOST_TEST_CONTEXT(name << ": before " << before.at(name) << "; warm " << warm[name] << "; in the end "
                                << last[name] << "; after " << after.at(name))
        {
            BOOST_TEST(after.at(name).descriptors <=
                       before.at(name).descriptors + 1); // perhaps the connection of this request
            BOOST_TEST(after.at(name).threads == before.at(name).threads);
            const auto cache = name == "reporting" ? database_cache_kib : 0;
            if (plain_memory)
            {
                BOOST_TEST(last[name].resident_kib <= warm[name].resident_kib + most_growth_kib);
                BOOST_TEST(last[name].resident_kib <= before.at(name).resident_kib + cache + most_growth_kib);
            }
        }
    check_that_plays_are_counted(system);
}

// JetStream keeps the id of each event in memory, to find duplicates, for the stream's duplicate
// window.
BOOST_AUTO_TEST_CASE(the_memory_of_the_broker_is_bounded_by_one_duplicate_window)
{
    if (!is_full())
    {
        BOOST_TEST_MESSAGE("not run: MARQUEE_FULL is not set");
        return;
    }
    constexpr auto window = 20s;
    constexpr int windows = 6;
    constexpr double rate = 3000;
    constexpr long most_growth_kib = 24 * 1024; // the ids of the four windows after the second would take more
    nats_server broker;
    nats_client client(broker.url());
    const boost::json::object stream{
        {"name", "EVENTS"},      {"subjects", boost::json::array{"events"}},
        {"retention", "limits"}, {"storage", "file"},
        {"discard", "new"},      {"duplicate_window", std::chrono::nanoseconds(window).count()}};
    const auto made = client.request("$JS.API.STREAM.CREATE.EVENTS", serialize(stream));
    BOOST_TEST_REQUIRE(made.data.find("\"error\"") == std::string::npos, made.data);
    marquee_system system({.server = broker.url()});

    play_stream_settings with;
    with.port = system.port();
    with.rate = rate;
    with.time = windows * window;
    std::vector<usage> used{usage_of(broker.pid())};
    {
        play_stream viewers(with);
        for (int i = 1; i <= windows; ++i)
        {
            const auto so_far = static_cast<std::uint64_t>(rate * i * std::chrono::seconds(window).count() * 99 / 100);
            BOOST_TEST_REQUIRE(viewers.wait_for_answers(so_far));
            used.push_back(usage_of(broker.pid()));
            BOOST_TEST_MESSAGE(so_far << " plays, " << i << " windows, broker: " << used.back());
        }
        const auto all = viewers.finish();
        BOOST_TEST(count(all, is_played) > all.size() * 95 / 100, by_status(all)); // a slow machine may refuse some
    }
    BOOST_TEST(used.back().resident_kib <= used[2].resident_kib + most_growth_kib);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
