#include "broker/jetstream/server_time.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(server_times)

BOOST_AUTO_TEST_CASE(a_time_is_read_to_the_nanosecond)
{
    const std::pair<const char*, std::int64_t> table[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"2026-11-28T18:50:35.12Z", 1795891835120000000},
        {"2026-11-28T18:50:35.123456789Z", 1795891835123456789},
        {"2024-02-29T23:59:59Z", 1709251199000000000},
    };
    for (const auto& [text, expected] : table)
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = parse_server_time(text);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(read->count() == expected);
        }
}

BOOST_AUTO_TEST_CASE(what_no_server_writes_is_no_time)
{
    for (const auto* text :
         {"", "Z", "2026-11-28", "2026-11-28T18:50:35", "2026-11-28T18:50:35+01:00", "2026-11-28T18:50:35.Z",
          "2026-11-28T18:50:35.1234567890Z", "2026-13-28T18:50:35Z", "2026-02-30T18:50:35Z", "2026-11-28T24:50:35Z",
          "2026-11-28T18:50:60Z", "2026-11-28 18:50:35Z", "-026-11-28T18:50:35Z", "2026-11-28T18:50:35ZZ",
          "2026-11-28T18:5"})
        BOOST_TEST(!parse_server_time(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
