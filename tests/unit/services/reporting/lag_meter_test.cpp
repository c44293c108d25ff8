#include "services/reporting/lag_meter.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

struct meter_fixture
{
    lag_meter meter;
    lag_meter::clock::time_point start{1000s};

    /// In milliseconds; -1: not known.
    long lag_at(std::chrono::milliseconds t) const
    {
        const auto lag = meter.lag(start + t);
        return lag ? static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(*lag).count()) : -1;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lag_meter_measures, meter_fixture)

BOOST_AUTO_TEST_CASE(nothing_is_known_before_everything_was_counted_once)
{
    BOOST_TEST(lag_at(0ms) == -1);
    meter.up(100, start);
    meter.counted(10, 90, start);
    BOOST_TEST(lag_at(5000ms) == -1);
}

BOOST_AUTO_TEST_CASE(an_empty_stream_has_no_lag_however_long_it_stays_empty)
{
    meter.up(0, start);
    BOOST_TEST(lag_at(0ms) == 0);
    BOOST_TEST(lag_at(9000ms) == 0);
}

BOOST_AUTO_TEST_CASE(a_batch_with_nothing_to_come_ends_the_lag)
{
    meter.up(100, start);
    meter.counted(10, 5, start);
    meter.counted(5, 0, start + 10ms);
    BOOST_TEST(lag_at(9000ms) == 0);
}

BOOST_AUTO_TEST_CASE(under_a_constant_load_the_lag_is_the_time_to_work_off_what_existed)
{
    meter.up(0, start);
    meter.counted(10, 20, start);         // complete once 30 have come
    meter.counted(20, 20, start + 300ms); // they have: what existed at 0 is counted
    BOOST_TEST(lag_at(300ms) == 300);     // since 0
    meter.counted(10, 30, start + 500ms); // 40 of 50
    BOOST_TEST(lag_at(500ms) == 500);
    meter.counted(10, 30, start + 700ms); // 50: what existed at 300 is counted
    BOOST_TEST(lag_at(700ms) == 400);
}

BOOST_AUTO_TEST_CASE(a_burst_after_a_quiet_time_lags_from_the_burst_on)
{
    meter.up(0, start);
    meter.counted(1, 0, start);
    meter.counted(10, 500, start + 60000ms);
    BOOST_TEST(lag_at(60000ms) == 0);
    BOOST_TEST(lag_at(60200ms) == 200);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_falls_behind_lags_more_and_more)
{
    meter.up(0, start);
    meter.counted(1, 1000, start + 10ms);
    for (int i = 1; i <= 20; ++i)
        meter.counted(1, 1000, start + 10ms + i * 100ms);
    BOOST_TEST(lag_at(2010ms) > 1000);
}

BOOST_AUTO_TEST_CASE(a_lost_consumer_lags_from_that_moment_until_it_has_counted_everything_again)
{
    meter.up(0, start);
    meter.down(start + 5000ms);
    BOOST_TEST(lag_at(5000ms) == 0);
    BOOST_TEST(lag_at(6500ms) == 1500);
    meter.up(3, start + 6500ms);
    BOOST_TEST(lag_at(6600ms) == 1600);
    meter.counted(3, 0, start + 6700ms);
    BOOST_TEST(lag_at(8000ms) == 0);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_comes_back_has_to_come_what_the_stream_has)
{
    meter.up(0, start);
    meter.down(start + 1000ms);
    meter.up(1'000'000, start + 3000ms);
    BOOST_TEST(meter.pending() == 1'000'000U);
    meter.counted(10, 999'990, start + 3100ms);
    BOOST_TEST(meter.pending() == 999'990U);
    meter.up(0, start + 4000ms);
    BOOST_TEST(meter.pending() == 0U);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_comes_back_to_a_stream_without_news_has_no_lag)
{
    meter.up(0, start);
    meter.down(start + 1000ms);
    meter.up(0, start + 3000ms);
    BOOST_TEST(lag_at(3000ms) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
