#include "schemas/duration.hpp"

#include <boost/test/unit_test.hpp>

#include <utility>

using namespace marquee;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(duration_)

BOOST_AUTO_TEST_CASE(times_have_units_or_are_seconds)
{
    const std::pair<const char*, std::chrono::milliseconds> table[] = {
        {"2s", 2s}, {"1500ms", 1500ms}, {"3", 3s},         {"1m", 60s},  {"1ms", 1ms}, {"60m", 60min},
        {"1h", 1h}, {"0003", 3s},       {"3600000ms", 1h}, {"24h", 24h}, {"7d", 168h}};
    for (const auto& [text, time] : table)
        BOOST_TEST_CONTEXT(text) { BOOST_TEST((parse_duration(text, 1ms, 168h).value() == time)); }
}

BOOST_AUTO_TEST_CASE(other_texts_and_times_out_of_bounds_are_refused)
{
    for (const auto* text : {"", "0", "0s", "-1s", "s", "ms", "2 s", " 2s", "2s ", "2x", "1.5s", "61m", "2h", "1d",
                             "+1s", "99999999999999999999s", "9223372036854775807h", "18446744073709551615"})
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = parse_duration(text, 1ms, 1h);
            BOOST_REQUIRE(read.has_error());
            BOOST_TEST((read.error() == errc::bad_request));
            BOOST_TEST(read.error().detail ==
                       "a time is a number with ms, s, m, h or d, or of seconds, from 1ms to 1h");
        }
    BOOST_TEST((parse_duration("0", 0ms, 1h).value() == 0ms));
}

BOOST_AUTO_TEST_CASE(a_written_duration_is_read_as_the_same_one)
{
    const std::pair<std::chrono::milliseconds, const char*> table[] = {
        {0ms, "0ms"}, {1ms, "1ms"}, {1500ms, "1500ms"}, {90s, "90s"}, {2min, "2m"}, {1h, "1h"}, {24h, "1d"}};
    for (const auto& [time, text] : table)
    {
        BOOST_TEST(to_text(time) == text);
        BOOST_TEST((parse_duration(text, 0ms, 24h).value() == time));
    }
}

BOOST_AUTO_TEST_SUITE_END()
