// Three times the capacity of the machine, in an open loop: plays start whether or not earlier ones
// were answered. Edge, broker, services and clients share the machine.
#include "tests/end_to_end/load/endurance.hpp"

#include <boost/test/unit_test.hpp>

#include <sstream>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr float deadline_s = 2;
constexpr std::size_t connections = 4000; ///< connections

bool is_in_time(const play_outcome& one) { return is_played(one) && one.took() <= deadline_s; }
bool is_answered(const play_outcome& one) { return is_played(one) || is_refused(one); }
bool is_not_sent(const play_outcome& one) { return one.status == -1; }

/// Plays a second that were answered in time, of those that were due within the time.
double goodput(const outcomes& all, std::chrono::milliseconds time)
{
    const auto end = std::chrono::duration<float>(time).count();
    return static_cast<double>(
               count(all, [end](const play_outcome& one) { return is_in_time(one) && one.at <= end; })) /
           static_cast<double>(end);
}

play_stream_settings load_on(const marquee_system& system, std::chrono::milliseconds time)
{
    play_stream_settings with;
    with.port = system.port();
    with.time = time;
    return with;
}

double closed_loop(const marquee_system& system, std::size_t clients, std::chrono::milliseconds time)
{
    auto with = load_on(system, time);
    with.connections = clients;
    return goodput(play_stream(with).finish(), time);
}

/// The rate of a closed loop of that many clients.
std::size_t best_number_of_clients(const marquee_system& system)
{
    const auto time = is_full() ? 3000ms : 300ms;
    (void)closed_loop(system, 64, time); // warms up
    std::size_t best = 0;
    double most = 0;
    for (const std::size_t clients : {64, 128, 256, 512})
    {
        const auto rate = closed_loop(system, clients, time);
        BOOST_TEST_MESSAGE(clients << " clients at once: " << rate << " plays/s");
        if (rate > most)
            best = clients;
        most = std::max(most, rate);
    }
    return best;
}

std::string percentiles(const outcomes& all, bool (*which)(const play_outcome&),
                        float (play_outcome::*time)() const noexcept)
{
    std::ostringstream text;
    for (const double share : {0.5, 0.99, 1.0})
        text << (share == 0.5 ? "" : " / ") << took_ms(all, which, share, time);
    return text.str() + " ms";
}

/// Overload, with the capacity measured right before and after it. `pause`: how long a client waits
/// after a refused play.
void check_overload(const marquee_system& system, std::size_t clients, std::chrono::milliseconds pause)
{
    const auto time = is_full() ? 60'000ms : 2000ms;
    const auto reference = is_full() ? 10'000ms : 500ms;
    const auto before = closed_loop(system, clients, reference);
    auto with = load_on(system, time);
    with.rate = 3 * before;
    with.connections = connections;
    with.patience = 100ms;
    with.pause = pause;
    const auto all = play_stream(with).finish();
    const auto after = closed_loop(system, clients, reference);
    const auto best = (before + after) / 2; // the capacity varies
    const auto good = goodput(all, time);
    BOOST_TEST_MESSAGE(
        "best " << best << " plays/s (before " << before << ", after " << after << "); offered " << with.rate << ": "
                << by_status(all) << "; goodput " << good << " plays/s, " << 100 * good / best
                << " % of the best\n  50 % / 99 % / all: accepted, from when they were due, within "
                << percentiles(all, is_played, &play_outcome::took) << "; from when they were sent, within "
                << percentiles(all, is_played, &play_outcome::took_edge)
                << "; refused, from when they were sent, within "
                << percentiles(all, is_refused, &play_outcome::took_edge));
    BOOST_TEST(count(all, [](const play_outcome& one) { return is_answered(one) || is_not_sent(one); }) == all.size(),
               by_status(all));
    BOOST_TEST(count(all, is_refused) > 0U);
    BOOST_TEST(count(all, is_in_time) > 0U);
}

} // namespace

BOOST_AUTO_TEST_SUITE(overload)

BOOST_AUTO_TEST_CASE(at_three_times_its_capacity_plays_are_answered_in_time_or_refused_at_once)
{
    marquee_system system;
    const auto clients = best_number_of_clients(system);
    check_overload(system, clients, 1s);  // as Retry-After asks
    check_overload(system, clients, 0ms); // clients that ignore it
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
