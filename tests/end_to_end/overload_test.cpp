// Three times what the machine can bear, in an open loop: plays come whether or not those before them were answered.
#include "tests/end_to_end/endurance.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr float deadline_s = 2;

bool is_in_time(const play_outcome& one) { return is_played(one) && one.took() <= deadline_s; }

/// Plays a second that were answered in time, of those that were due within the time.
double goodput(const outcomes& all, std::chrono::milliseconds time)
{
    const auto end = std::chrono::duration<float>(time).count();
    return static_cast<double>(count(all, [end](const play_outcome& one) { return is_in_time(one) && one.at <= end; })) /
           static_cast<double>(end);
}

outcomes run(const marquee_system& system, double rate, std::size_t connections, std::chrono::milliseconds time)
{
    play_stream_settings with;
    with.port = system.port();
    with.rate = rate;
    with.connections = connections;
    with.time = time;
    with.patience = 300ms;
    return play_stream(with).finish();
}

/// The best of what closed loops of several sizes come to.
double best_goodput(const marquee_system& system)
{
    double best = 0;
    const auto time = is_full() ? 5000ms : 700ms;
    (void)run(system, 0, 64, time);
    for (const std::size_t clients : {32, 64, 128, 256, 512})
    {
        const auto rate = goodput(run(system, 0, clients, time), time);
        BOOST_TEST_MESSAGE(clients << " clients at once: " << rate << " plays/s");
        best = std::max(best, rate);
    }
    return best;
}

} // namespace

BOOST_AUTO_TEST_SUITE(overload)

BOOST_AUTO_TEST_CASE(at_three_times_what_can_be_borne_plays_are_answered_in_time_or_refused_at_once)
{
    marquee_system system;
    const auto time = is_full() ? 60'000ms : 3000ms;
    const auto best = best_goodput(system);
    const auto all = run(system, 3 * best, 4000, time);
    const auto good = goodput(all, time);
    BOOST_TEST_MESSAGE("best " << best << " plays/s; offered " << 3 * best << ", " << all.size() << " in all: " << by_status(all)
                               << "; goodput " << good << " plays/s, " << 100 * good / best << " % of the best; answered within "
                               << took_ms(all, is_played, 0.5) << " / " << took_ms(all, is_played, 0.99) << " / "
                               << took_ms(all, is_played, 1) << " ms, refused within " << took_ms(all, is_refused, 0.5) << " / "
                               << took_ms(all, is_refused, 0.99) << " / " << took_ms(all, is_refused, 1)
                               << " ms (50 %, 99 %, all)");
    const auto answered = [](const play_outcome& one) { return is_played(one) || is_refused(one) || one.status == -1; };
    BOOST_TEST(count(all, answered) == all.size(), by_status(all));
    BOOST_TEST(count(all, is_refused) > 0U);
    BOOST_TEST(count(all, is_in_time) > 0U);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
