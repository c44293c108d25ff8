#include "edge/http/byte_range.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;

namespace
{

constexpr auto tag_of_file = "\"tag\"";

std::string range_of(const std::string& range, std::uint64_t size = 1000, const std::string& if_range = "")
{
    http_fields fields;
    fields.add("Range", range);
    if (!if_range.empty())
        fields.add("If-Range", if_range);
    const auto read = read_range(fields, size, tag_of_file);
    BOOST_TEST((read.is != byte_range::kind::whole || (read.first == 0 && read.size == size)));
    return read.is == byte_range::kind::whole ? "whole" : content_range(read, size);
}

} // namespace

BOOST_AUTO_TEST_SUITE(byte_ranges)

BOOST_AUTO_TEST_CASE(one_range_is_a_part)
{
    const char* const table[][2] = {
        {"bytes=0-0", "bytes 0-0/1000"},
        {"bytes=0-999", "bytes 0-999/1000"},
        {"bytes=0-", "bytes 0-999/1000"},
        {"bytes=10-19", "bytes 10-19/1000"},
        {"bytes=990-2000", "bytes 990-999/1000"},
        {"bytes=-1", "bytes 999-999/1000"},
        {"bytes=-5000", "bytes 0-999/1000"},
        {"BYTES=1-2", "bytes 1-2/1000"},
        {"bytes= 1-2 ", "bytes 1-2/1000"},
        {"bytes=0000000000000000000000001-2", "bytes 1-2/1000"},
        {"bytes=5-99999999999999999999999999", "bytes 5-999/1000"},
    };
    for (const auto& [range, expected] : table)
        BOOST_TEST(range_of(range) == expected, range);
}

BOOST_AUTO_TEST_CASE(what_lies_behind_the_end_is_not_there)
{
    for (const auto* range : {"bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=99999999999999999999999999-"})
        BOOST_TEST(range_of(range) == "bytes */1000", range);
    for (const auto* range : {"bytes=0-", "bytes=0-0", "bytes=-1"})
        BOOST_TEST(range_of(range, 0) == "bytes */0", range);
}

BOOST_AUTO_TEST_CASE(what_is_no_range_or_several_is_the_whole)
{
    for (const auto* range : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-4", "bytes=0-1,3-4",
                              "items=0-1", "bytes=+1-2", "bytes=1 -2", "bytes=0x1-2", "bytes=-1-", "bytes=--1", "=0-1"})
        BOOST_TEST(range_of(range) == "whole", range);
    BOOST_TEST((read_range({}, 7, tag_of_file) == byte_range{byte_range::kind::whole, 0, 7}));
}

BOOST_AUTO_TEST_CASE(if_range_is_the_tag_or_the_range_does_not_count)
{
    BOOST_TEST(range_of("bytes=0-1", 10, tag_of_file) == "bytes 0-1/10");
    for (const auto* other : {"\"old\"", "W/\"tag\"", "tag", "Mon, 30 Nov 2026 08:00:00 GMT"})
        BOOST_TEST(range_of("bytes=0-1", 10, other) == "whole", other);
}

BOOST_AUTO_TEST_SUITE_END()
