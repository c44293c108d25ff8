// The broker is away for a while, under load.
#include "tests/end_to_end/load/endurance.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr long most_memory_kib = 16 * 1024;

/// Plays that were due between two moments.
outcomes due_between(const outcomes& all, float from, float to)
{
    outcomes some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                 [&](const play_outcome& one) { return one.due >= from && one.due < to; });
    return some;
}

} // namespace

BOOST_AUTO_TEST_SUITE(outage)

BOOST_AUTO_TEST_CASE(without_the_broker_plays_are_refused_at_once_memory_does_not_grow_and_plays_recover)
{
    const auto away_for = is_full() ? 60s : 3s;
    marquee_system system;
    play_stream_settings with;
    with.port = system.port();
    with.rate = is_full() ? 2000 : 200;
    with.connections = 256;
    play_stream viewers(with);
    BOOST_TEST_REQUIRE(viewers.wait_for_answers(500));

    std::map<std::string, usage> before;
    for (const auto& name : programs_of_a_system)
    {
        forget_peak(system.at(name).pid());
        before[name] = usage_of(system.at(name).pid());
    }
    const auto gone = viewers.now();
    system.broker().kill();
    BOOST_TEST_REQUIRE(system.at("edge").wait_for_line("broker link down", 60s).has_value());
    const auto noticed = viewers.now();
    std::this_thread::sleep_for(away_for); // the outage itself, not a wait for an event
    std::map<std::string, usage> meanwhile;
    for (const auto& name : programs_of_a_system)
        meanwhile[name] = usage_of(system.at(name).pid());
    system.broker().restart();
    const auto back = viewers.now();
    BOOST_TEST(system.call_until(200, a_play, 60s).status == 200);
    viewers.stop();
    const auto all = viewers.finish();

    const auto refused = due_between(all, noticed, back - 0.5F);
    BOOST_TEST(refused.size() > 100U);
    BOOST_TEST(count(refused, is_refused) == refused.size(), by_status(refused));
    BOOST_TEST(took_ms(refused, is_refused, 1) < 2000); // the deadline of a request
    for (const auto& one : all)
        if (one.status != 200 && one.status != 503)
            BOOST_TEST_REQUIRE(false,
                               one.status << " at " << one.at << ", broker gone at " << gone << ", back at " << back);
    for (const auto& name : programs_of_a_system)
    {
        const auto grown = meanwhile[name].peak_kib - before[name].resident_kib;
        BOOST_TEST_MESSAGE(name << ": " << meanwhile[name] << ", at most " << grown << " KiB more than before");
        if (plain_memory)
            BOOST_TEST(grown <= most_memory_kib, name << ": " << grown << " KiB");
    }
    float first = 1e9F;
    for (const auto& one : all)
        if (one.at > back && is_played(one))
            first = std::min(first, one.at);
    BOOST_TEST_MESSAGE("away for " << back - gone << " s: " << by_status(refused) << " within "
                                   << took_ms(refused, is_refused, 0.99) << " ms (99 %), "
                                   << took_ms(refused, is_refused, 1) << " ms (all); first play "
                                   << 1000 * (first - back) << " ms after the return");
    BOOST_TEST(first - back < 5.F); // about a second, and more on a busy machine
    check_that_all_routes_work(system);
}

BOOST_AUTO_TEST_SUITE_END()
