#include "broker/micro/bundle.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;

header_list headers_of(std::initializer_list<std::pair<const char*, const char*>> all)
{
    header_list headers;
    for (const auto& [name, value] : all)
        headers.set(name, value);
    return headers;
}

} // namespace

BOOST_AUTO_TEST_SUITE(bundle)

BOOST_AUTO_TEST_CASE(bundled_items_are_read_back_in_order)
{
    std::string text;
    append_to_bundle(text, "metadata.get.123", {}, "");
    append_to_bundle(text, "reporting.views.a.b", headers_of({{"Marquee-After", "17"}, {"Marquee-Event", "k-x: y"}}),
                     "");
    append_to_bundle(text, "", headers_of({{"Empty", ""}}), "two\r\nlines and \0 a NUL");
    const auto items = read_bundle(text);
    BOOST_REQUIRE(items.has_value());
    BOOST_REQUIRE(items->size() == 3U);
    BOOST_TEST((*items)[0].subject == "metadata.get.123");
    BOOST_TEST((*items)[0].headers.empty());
    BOOST_TEST((*items)[1].headers.get("Marquee-After") == "17");
    BOOST_TEST((*items)[1].headers.get("Marquee-Event") == "k-x: y");
    BOOST_TEST((*items)[2].subject == "-");
    BOOST_TEST((*items)[2].headers.has("Empty"));
    BOOST_TEST((*items)[2].data == "two\r\nlines and ");
}

BOOST_AUTO_TEST_CASE(an_empty_bundle_has_no_items) { BOOST_TEST(read_bundle("").value().empty()); }

BOOST_AUTO_TEST_CASE(a_malformed_bundle_is_refused_with_the_byte_of_the_bad_item)
{
    const std::pair<std::string, std::string> table[] = {
        {"garbage", "byte 0"},
        {"a 0 0\r\n", "byte 0"},
        {"a 0 0\r\n\n\n", "byte 0"},
        {"a 0 5\r\nabc\r\n", "byte 0"},
        {"a 0 -1\r\n\r\n", "byte 0"},
        {"a 0 1x\r\na\r\n", "byte 0"},
        {" 0 0\r\n\r\n", "byte 0"},
        {"a 99999999999999999999999 0\r\n\r\n", "byte 0"},
        {"a 18446744073709551615 0\r\n\r\n", "byte 0"},
        {"a 6 0\r\nName\r\n\r\n", "byte 0"},
        {"a 8 0\r\n: value\r\n\r\n", "byte 0"},
        {"a 0 1\r\nx\r\nb 0 1\r\n", "byte 10"},
    };
    for (const auto& [text, where] : table)
        BOOST_TEST_CONTEXT(text)
        {
            const auto items = read_bundle(text);
            BOOST_REQUIRE(items.has_error());
            BOOST_TEST((items.error() == errc::bad_request));
            BOOST_TEST(items.error().detail.find("at " + where + " is") != std::string::npos, items.error().detail);
        }
}

BOOST_AUTO_TEST_CASE(a_bundle_has_a_limit)
{
    std::string text;
    for (std::size_t i = 0; i < max_bundle_items; ++i)
        append_to_bundle(text, "a", {}, "");
    BOOST_TEST(read_bundle(text).value().size() == max_bundle_items);
    append_to_bundle(text, "a", {}, "");
    BOOST_TEST(read_bundle(text).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
