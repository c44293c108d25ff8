#include "broker/nats/message.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using namespace marquee;

namespace
{

using pairs = std::vector<header_list::value_type>;

pairs all_of(const header_list& headers) { return {headers.begin(), headers.end()}; }

} // namespace

BOOST_AUTO_TEST_SUITE(headers)

BOOST_AUTO_TEST_CASE(are_kept_in_order_and_may_have_any_text)
{
    header_list headers;
    BOOST_TEST(headers.empty());
    BOOST_TEST((headers.begin() == headers.end()));
    const std::string binary("a\r\nb\0c", 6);
    headers.set("First", "1");
    headers.set("Empty", "");
    headers.set("", "no name");
    headers.set("Binary", binary);
    BOOST_TEST((all_of(headers) == pairs{{"First", "1"}, {"Empty", ""}, {"", "no name"}, {"Binary", binary}}));
    BOOST_TEST(headers.get("Binary") == binary);
    BOOST_TEST(headers.has("Empty"));
    BOOST_TEST(headers.get("Empty").empty());
    BOOST_TEST(!headers.has("first")); // compared exactly
    BOOST_TEST(headers.get("Absent").empty());
}

BOOST_AUTO_TEST_CASE(a_header_set_again_has_its_new_value_only)
{
    header_list headers;
    headers.set("A", "1");
    headers.set("B", "2");
    headers.set("C", "3");
    headers.set("B", "a longer one");
    BOOST_TEST((all_of(headers) == pairs{{"A", "1"}, {"C", "3"}, {"B", "a longer one"}}));
    headers.set("B", "");
    BOOST_TEST((all_of(headers) == pairs{{"A", "1"}, {"C", "3"}, {"B", ""}}));
    const auto copy = headers;
    headers.set("A", "changed");
    BOOST_TEST(copy.get("A") == "1");
}

BOOST_AUTO_TEST_CASE(more_bytes_than_are_reserved_at_first)
{
    header_list headers;
    for (int i = 0; i < 100; ++i)
        headers.set("Name-" + std::to_string(i), std::string(50, static_cast<char>('a' + i % 26)));
    BOOST_TEST(all_of(headers).size() == 100U);
    BOOST_TEST(headers.get("Name-77") == std::string(50, 'z'));
}

BOOST_AUTO_TEST_SUITE_END()
