#include "broker/base/log_quota.hpp"

#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const auto start = log_quota::clock::now() + 1h; // no window of these tests has ended by the real clock

auto lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

} // namespace

BOOST_AUTO_TEST_SUITE(log_quota_)

BOOST_AUTO_TEST_CASE(a_number_of_lines_per_window_is_granted_and_the_others_are_reported_once)
{
    log_quota quota(3, 1s);
    for (const auto second : {0s, 1s, 10s})
    {
        BOOST_TEST(quota.take_refused() == 0U);
        for (const auto later : {0ms, 1ms, 500ms})
            BOOST_TEST(quota.grants(start + second + later));
        for (const auto later : {500ms, 999ms})
            BOOST_TEST(!quota.grants(start + second + later));
        BOOST_TEST(quota.take_refused() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(a_flood_of_one_kind_is_a_few_lines_and_the_number_of_those_left_out)
{
    limited_log flood(log_level::warning, "rubbish", {5, 10s});
    limited_log other(log_level::warning, "something else", {5, 10s});
    const auto text = log_of(
        [&]
        {
            for (int i = 0; i < 20000; ++i)
                flood.write({{"number", std::to_string(i)}}, start + 1ms * (i % 1000));
            other.write({}, start);
        });
    BOOST_TEST(lines(text) == 6);
    BOOST_TEST(text.find("rubbish number=4\n") != std::string::npos);
    BOOST_TEST(text.find("something else\n") != std::string::npos);

    BOOST_TEST(log_of([&] { flood.report(start + 9s, false); }).empty());
    const auto told = log_of([&] { flood.report(start + 10s, false); });
    BOOST_TEST(lines(told) == 1);
    BOOST_TEST(told.find("more lines of one kind were left out kind=rubbish count=19995\n") != std::string::npos, told);
    BOOST_TEST(log_of([&] { flood.report(start + 20s, false); }).empty());
}

BOOST_AUTO_TEST_CASE(the_next_line_of_the_kind_comes_after_the_number_of_those_left_out)
{
    limited_log flood(log_level::error, "rubbish", {1, 10s});
    const auto text = log_of(
        [&]
        {
            for (const auto later : {0s, 1s, 2s, 30s})
                flood.write({}, start + later);
        });
    BOOST_TEST(lines(text) == 3);
    BOOST_TEST(text.find("count=2\n") < text.rfind("rubbish\n"));
}

BOOST_AUTO_TEST_CASE(everything_left_out_is_reported_at_the_end_of_a_program)
{
    limited_log flood(log_level::warning, "rubbish", {1, 10s});
    const auto text = log_of(
        [&]
        {
            flood.write({}, start);
            flood.write({}, start);
            report_left_out();
            report_left_out(true);
            report_left_out(true);
        });
    BOOST_TEST(lines(text) == 2);
    BOOST_TEST(text.find("kind=rubbish count=1\n") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
