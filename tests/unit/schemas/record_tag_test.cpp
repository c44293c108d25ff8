#include "schemas/record_tag.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(record_tags)

BOOST_AUTO_TEST_CASE(a_tag_is_the_revision_and_the_hexadecimal_time_and_is_read_back)
{
    const std::tuple<std::uint64_t, std::int64_t, const char*> table[] = {
        {1, 0, "1-0"},
        {7, 255, "7-ff"},
        {123456, 1795892400123456789, "123456-18ec4a9f742ead15"},
        {UINT64_MAX, INT64_MAX, "18446744073709551615-7fffffffffffffff"},
    };
    for (const auto& [revision, stored, text] : table)
        BOOST_TEST_CONTEXT(text)
        {
            const record_tag tag{revision, std::chrono::nanoseconds(stored)};
            BOOST_TEST(to_text(tag) == text);
            BOOST_REQUIRE(parse_record_tag(text).has_value());
            BOOST_TEST((*parse_record_tag(text) == tag));
        }
}

BOOST_AUTO_TEST_CASE(any_other_text_is_not_a_tag)
{
    for (const std::string text : {"",
                                   "7",
                                   "-",
                                   "7-",
                                   "-7",
                                   "0-1",
                                   "07-1",
                                   "7-01",
                                   "7-A",
                                   "7-1 ",
                                   " 7-1",
                                   "+7-1",
                                   "7--1",
                                   "7-1-1",
                                   "7-0x1",
                                   "7-g",
                                   "18446744073709551616-1",
                                   "7-10000000000000000",
                                   "\"7-1\"",
                                   "W/\"7-1\"",
                                   "x-1",
                                   "*"})
        BOOST_TEST(!parse_record_tag(text).has_value(), text);
}

BOOST_AUTO_TEST_SUITE_END()
