#include "broker/base/log_repeats.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

const auto first_time = log_repeats::clock::now();

/// How many of `times` equal lines are written.
int admitted(log_repeats& repeats, const std::string& text, int times, std::vector<log_repeats::line>& ended,
             log_repeats::clock::time_point now = first_time)
{
    int written = 0;
    for (int i = 0; i < times; ++i)
        written += repeats.admit(log_level::warning, text, {{"key", "value"}}, now, ended) ? 1 : 0;
    return written;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_repeats_)

BOOST_AUTO_TEST_CASE(what_repeats_is_reported_when_its_time_is_over)
{
    log_repeats repeats;
    std::vector<log_repeats::line> ended;
    BOOST_TEST(admitted(repeats, "a", 100, ended) == 5);
    BOOST_TEST(admitted(repeats, "b", 3, ended, first_time + 1s) == 3); // others in between change nothing
    BOOST_TEST(admitted(repeats, "a", 10, ended, first_time + 9s) == 0);
    BOOST_TEST(repeats.take_ended(first_time + 9999ms, false).empty());
    const auto over = repeats.take_ended(first_time + 10s, false);
    BOOST_TEST_REQUIRE(over.size() == 1U);
    BOOST_TEST(over[0].text == "a");
    BOOST_TEST(over[0].repeated == 105U);
    BOOST_TEST(over[0].fields.at(0).value == "value");
    BOOST_TEST(ended.empty());
    BOOST_TEST(admitted(repeats, "a", 10, ended, first_time + 10s) == 5);
}

BOOST_AUTO_TEST_CASE(a_new_window_begins_with_the_report_of_the_one_before)
{
    log_repeats repeats;
    std::vector<log_repeats::line> ended;
    BOOST_TEST(admitted(repeats, "a", 7, ended) == 5);
    BOOST_TEST(admitted(repeats, "a", 1, ended, first_time + 20s) == 1);
    BOOST_TEST_REQUIRE(ended.size() == 1U);
    BOOST_TEST(ended[0].repeated == 2U);
    BOOST_TEST(repeats.take_ended(first_time + 20s, true).empty());
}

BOOST_AUTO_TEST_CASE(lines_that_differ_in_anything_are_different)
{
    log_repeats repeats;
    std::vector<log_repeats::line> ended;
    for (int i = 0; i < 5; ++i)
    {
        BOOST_TEST(repeats.admit(log_level::warning, "a", {{"key", "1"}}, first_time, ended));
        BOOST_TEST(repeats.admit(log_level::error, "a", {{"key", "1"}}, first_time, ended));
        BOOST_TEST(repeats.admit(log_level::warning, "a", {{"key", "2"}}, first_time, ended));
        BOOST_TEST(repeats.admit(log_level::warning, "a", {{"other", "1"}}, first_time, ended));
        BOOST_TEST(repeats.admit(log_level::warning, "a", {}, first_time, ended));
    }
}

BOOST_AUTO_TEST_CASE(more_different_lines_than_it_knows_push_out_the_oldest_which_is_reported)
{
    log_repeats repeats;
    std::vector<log_repeats::line> ended;
    BOOST_TEST(admitted(repeats, "oldest", 8, ended) == 5);
    for (std::size_t i = 0; i < log_repeats::lines; ++i)
        BOOST_TEST(admitted(repeats, std::to_string(i), 1, ended, first_time + 1s) == 1);
    BOOST_TEST_REQUIRE(ended.size() == 1U);
    BOOST_TEST(ended[0].text == "oldest");
    BOOST_TEST(ended[0].repeated == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
