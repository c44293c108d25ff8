// Connections that are slow in every way there is, and normal plays among them.
#include "tests/end_to_end/endurance.hpp"
#include "tests/support/slow_clients.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::size_t connections = is_full() ? 10'000 : 300;
const int waves = is_full() ? 2 : 1; // what few connections leave behind is less than the allocator's moods
constexpr double most_bytes_each = 10 * 1024;

marquee_system::settings as_shipped_or_quicker()
{
    marquee_system::settings with;
    with.extra["edge"] = {"--max-connections", "15000"};
    if (!is_full())
        with.extra["edge"].insert(with.extra["edge"].end(), {"--header-timeout", "5s", "--body-timeout", "5s", "--write-timeout",
                                                             "5s", "--idle-timeout", "5s"});
    return with;
}

double p99_of_plays(const marquee_system& system)
{
    play_stream_settings with;
    with.port = system.port();
    with.rate = 200;
    with.time = is_full() ? 5s : 1s;
    const auto all = play_stream(with).finish();
    BOOST_TEST(count(all, is_played) == all.size(), by_status(all));
    return took_ms(all, is_played, 0.99);
}

/// What the edge uses once it has so many descriptors, or nearly: that of the last one who asked may be there still.
usage usage_with(marquee_system& system, std::size_t descriptors)
{
    const auto end = std::chrono::steady_clock::now() + 60s;
    auto now = usage_of(system.at("edge").pid());
    while ((now.descriptors > descriptors + 1 || now.descriptors + 1 < descriptors) && std::chrono::steady_clock::now() < end)
        now = usage_of(system.at("edge").pid());
    BOOST_TEST(now.descriptors <= descriptors + 1);
    BOOST_TEST(now.descriptors + 1 >= descriptors);
    return now;
}

} // namespace

BOOST_AUTO_TEST_SUITE(slow_connections)

BOOST_AUTO_TEST_CASE(thousands_of_slow_connections_cost_little_disturb_nobody_and_end_by_their_timers)
{
    marquee_system system(as_shipped_or_quicker());
    const http_call put{
        "POST", "/content/asset/long", {}, R"({"title":"T","genre":"g","summary":")" + std::string(16000, 's') + "\"}"};
    BOOST_TEST(system.call_as_admin(put).status == 200);
    (void)p99_of_plays(system); // what ordinary work needs is there
    const auto quiet = p99_of_plays(system);
    const auto before = usage_without_clients(system)["edge"];
    long first_wave = 0;
    for (int wave = 1; wave <= waves; ++wave)
    {
        slow_clients slow(system.port(), connections, "/content/asset/long");
        const auto held = usage_with(system, before.descriptors + connections);
        const auto each =
            1024.0 * static_cast<double>(held.resident_kib - before.resident_kib) / static_cast<double>(connections);
        const auto among_them = p99_of_plays(system);
        const auto left = slow.open();
        BOOST_TEST(slow.wait_until_closed(is_full() ? 180s : 60s), slow.open() << " are still open");
        const auto after = usage_with(system, before.descriptors);
        BOOST_TEST(after.threads == before.threads);
        BOOST_TEST_MESSAGE("wave " << wave << " of " << connections << ": " << each << " bytes each; p99 of plays " << among_them
                                   << " ms, without them " << quiet << " ms (" << left << " were still open then); before "
                                   << before << "; with them " << held << "; after " << after);
        if (plain_memory && wave == 1)
            BOOST_TEST(each <= most_bytes_each);
        if (plain_memory && wave > 1)
            BOOST_TEST(held.resident_kib <= first_wave + first_wave / 10, "memory was left over: " << first_wave << " KiB");
        first_wave = held.resident_kib;
    }
    if (is_full()) // the allocator gives back what has been unused for ten seconds, as it works
    {
        play_stream_settings with;
        with.port = system.port();
        with.rate = 500;
        with.time = 30s;
        (void)play_stream(with).finish();
        BOOST_TEST_MESSAGE("half a minute later: " << usage_without_clients(system)["edge"]);
    }
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
