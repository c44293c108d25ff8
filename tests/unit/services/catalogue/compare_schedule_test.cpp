#include "services/catalogue/compare_schedule.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace std::chrono_literals;

struct schedule_fixture
{
    const compare_schedule::time_point start{1h};
    compare_schedule schedule{5000ms};

    static std::chrono::milliseconds::rep ms(compare_schedule::time_point when, compare_schedule::time_point since)
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(when - since).count();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(compare_schedule_, schedule_fixture)

BOOST_AUTO_TEST_CASE(comparisons_are_periodic)
{
    BOOST_TEST(ms(schedule.restart(start), start) == 5000);
    BOOST_TEST(schedule.begin());
    BOOST_TEST(ms(schedule.end(start + 1s), start) == 6000);
}

BOOST_AUTO_TEST_CASE(one_runs_at_a_time)
{
    BOOST_TEST(schedule.begin());
    BOOST_TEST(!schedule.begin());
    (void)schedule.end(start);
    BOOST_TEST(schedule.begin());
}

BOOST_AUTO_TEST_CASE(a_sign_brings_the_next_one_forward)
{
    schedule.restart(start);
    const auto sooner = schedule.sign(start + 10ms);
    BOOST_REQUIRE(sooner.has_value());
    BOOST_TEST(ms(*sooner, start) == 60);
    BOOST_TEST(!schedule.sign(start + 20ms).has_value()); // signs come in numbers
}

BOOST_AUTO_TEST_CASE(signs_ask_for_one_comparison_a_second_at_most)
{
    BOOST_TEST(schedule.begin());
    (void)schedule.end(start);
    const auto sooner = schedule.sign(start + 10ms);
    BOOST_REQUIRE(sooner.has_value());
    BOOST_TEST(ms(*sooner, start) == 1000);
}

BOOST_AUTO_TEST_CASE(a_sign_during_a_comparison_asks_for_another_one)
{
    BOOST_TEST(schedule.begin());
    BOOST_TEST(!schedule.sign(start).has_value());
    BOOST_TEST((schedule.state() == compare_state::running_again));
    BOOST_TEST(ms(schedule.end(start), start) == 1000);
    BOOST_TEST((schedule.state() == compare_state::scheduled));
}

BOOST_AUTO_TEST_CASE(a_comparison_that_cannot_tell_is_repeated_soon)
{
    BOOST_TEST(schedule.begin());
    schedule.repeat();
    BOOST_TEST(ms(schedule.end(start), start) == 1000);
}

BOOST_AUTO_TEST_CASE(disagreements_in_a_row_double_the_period_up_to_sixteen_times)
{
    for (const auto wanted : {10000, 20000, 40000, 80000, 80000})
    {
        BOOST_TEST(schedule.begin());
        schedule.disagreed();
        BOOST_TEST(ms(schedule.end(start), start) == wanted);
    }
    BOOST_TEST(schedule.begin());
    schedule.agreed();
    BOOST_TEST(ms(schedule.end(start), start) == 5000);
}

BOOST_AUTO_TEST_SUITE_END()
