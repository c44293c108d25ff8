#include "schemas/rfc3339.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

std::chrono::system_clock::time_point at(std::chrono::milliseconds since_epoch)
{
    return std::chrono::system_clock::time_point(since_epoch);
}

struct vector_row
{
    std::chrono::milliseconds since_epoch;
    const char* text;
};

const vector_row vectors[] = {
    {0ms, "1970-01-01T00:00:00.000Z"},
    {-1ms, "1969-12-31T23:59:59.999Z"},
    {-1s, "1969-12-31T23:59:59.000Z"},
    {1769851800s + 123ms, "2026-01-31T09:30:00.123Z"},
    {951782400s, "2000-02-29T00:00:00.000Z"},
    {1709210096s + 7ms, "2024-02-29T12:34:56.007Z"},
    {4102444799s + 999ms, "2099-12-31T23:59:59.999Z"},
};

const char* const times[] = {
    "2026-01-31T09:30:00Z",      "2026-01-31T09:30:00.1Z",      "2026-01-31T09:30:00.123456789Z",
    "2026-01-31T09:30:00+00:00", "2026-01-31T09:30:00.5+00:00", "2026-01-31t09:30:00z",
    "2024-02-29T00:00:00Z",      "2000-02-29T00:00:00Z",        "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z",      "9999-12-31T23:59:59Z",
};

const char* const no_times[] = {
    "",
    "2026-01-31",
    "09:30:00Z",
    "2026-01-31T09:30:00",       // no zone
    "2026-01-31T09:30:00+01:00", // not UTC
    "2026-01-31T09:30:00-00:00", // RFC 3339: the zone is unknown
    "2026-01-31T09:30:00+0000",
    "2026-01-31 09:30:00Z",
    "2026-01-31T09:30Z",
    "2026-01-31T09:30:00.Z",
    "2026-01-31T09:30:00.",
    "2026-01-31T09:30:00,5Z",
    "2026-01-31T09:30:00.5",
    "2026-01-31T09:30:00ZZ",
    "2026-01-31T09:30:00Z ",
    " 2026-01-31T09:30:00Z",
    "2026-00-31T09:30:00Z",
    "2026-13-01T09:30:00Z",
    "2026-01-00T09:30:00Z",
    "2026-01-32T09:30:00Z",
    "2026-02-29T09:30:00Z", // not a leap year
    "1900-02-29T09:30:00Z", // 1900 is not a leap year
    "2026-04-31T09:30:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T09:60:00Z",
    "2026-01-31T09:30:61Z",
    "2026-1-31T09:30:00Z",
    "+026-01-31T09:30:00Z",
    "-026-01-31T09:30:00Z",
    "2026/01/31T09:30:00Z",
    "2026-01-31T09-30-00Z",
    "20260131T093000Z0000",
    "1769851800",
    "now",
};

} // namespace

BOOST_AUTO_TEST_SUITE(rfc3339_)

BOOST_AUTO_TEST_CASE(times_are_written_in_utc_with_milliseconds)
{
    for (const auto& row : vectors)
    {
        BOOST_TEST(rfc3339(at(row.since_epoch)) == row.text);
        BOOST_TEST(is_rfc3339_utc(row.text));
    }
}

BOOST_AUTO_TEST_CASE(fractions_of_a_millisecond_are_cut_off)
{
    using std::chrono::duration_cast;
    using duration = std::chrono::system_clock::duration;
    const auto base = at(1769851800s);
    BOOST_TEST(rfc3339(base + duration_cast<duration>(999'999us)) == "2026-01-31T09:30:00.999Z");
    BOOST_TEST(rfc3339(at(0ms) - duration_cast<duration>(1us)) == "1969-12-31T23:59:59.999Z");
}

BOOST_AUTO_TEST_CASE(times_in_utc_are_recognised)
{
    for (const auto* text : times)
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(is_rfc3339_utc(text)); }
}

BOOST_AUTO_TEST_CASE(other_texts_are_not_times_in_utc)
{
    for (const auto* text : no_times)
        BOOST_TEST_CONTEXT(text) { BOOST_TEST(!is_rfc3339_utc(text)); }
}

BOOST_AUTO_TEST_CASE(a_truncated_time_is_not_a_time)
{
    constexpr std::string_view whole = "2026-01-31T09:30:00.123+00:00";
    BOOST_TEST(is_rfc3339_utc(whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
        BOOST_TEST_CONTEXT(whole.substr(0, size)) { BOOST_TEST(!is_rfc3339_utc(whole.substr(0, size))); }
}

BOOST_AUTO_TEST_CASE(a_time_is_read_to_the_millisecond_and_written_to_the_second)
{
    const auto ms = [](std::string_view text) { return parse_rfc3339_utc(text).value().time_since_epoch().count(); };
    BOOST_TEST(ms("1970-01-01T00:00:00Z") == 0);
    BOOST_TEST(ms("1969-12-31T23:59:59.9999z") == -1);
    BOOST_TEST(ms("2024-10-04T01:02:03.4+00:00") == 1'728'003'723'400);
    BOOST_TEST(ms("2016-12-31t23:59:60.5Z") == 1'483'228'800'500);
    BOOST_TEST(ms("9999-12-31T23:59:59.999999999999Z") == 253'402'300'799'999);
    BOOST_TEST(ms("0000-01-01T00:00:00Z") == -62'167'219'200'000);
    BOOST_TEST(!parse_rfc3339_utc("2026-02-29T09:30:00Z").has_value());
    for (const std::string text :
         {"0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2024-02-29T12:34:56Z", "9999-12-31T23:59:59Z"})
        BOOST_TEST(rfc3339_seconds(std::chrono::floor<std::chrono::seconds>(parse_rfc3339_utc(text).value())) == text);
}

BOOST_AUTO_TEST_SUITE_END()
