#include "broker/base/log.hpp"

#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using marquee::test::log_of;

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(one_event_is_one_line_whatever_the_text_holds)
{
    const auto text = log_of(
        [] {
            marquee::log(marquee::log_level::warning, "a\nb\x7f", {{"key", "v\r\n\"w\" 100%s"}, {"plain", "x"}});
        });
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1);
    BOOST_TEST(text.find(" warning ") != std::string::npos);
    BOOST_TEST(text.find("a\\x0ab\\x7f key=\"v\\x0d\\x0a\\\"w\\\" 100%s\" plain=x\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_moves_a_cursor_breaks_a_line_or_reorders_text_is_escaped_and_other_text_is_not)
{
    const std::vector<std::pair<std::string, std::string>> table = {
        {std::string("\0", 1), "\\x00"},
        {"\x1b[2J", "\\x1b[2J"},
        {"\t", "\\x09"},
        {"\x7f", "\\x7f"},
        {"\u0080", "\\u0080"},
        {"\u0085", "\\u0085"},
        {"\u009b2J", "\\u009b2J"},
        {"\u009f", "\\u009f"},
        {"\u2028", "\\u2028"},
        {"\u2029", "\\u2029"},
        {"\u061c", "\\u061c"},
        {"\u200e", "\\u200e"},
        {"\u200f", "\\u200f"},
        {"\u202a", "\\u202a"},
        {"\u202b", "\\u202b"},
        {"\u202c", "\\u202c"},
        {"\u202d", "\\u202d"},
        {"\u202e", "\\u202e"},
        {"\u2066", "\\u2066"},
        {"\u2067", "\\u2067"},
        {"\u2068", "\\u2068"},
        {"\u2069", "\\u2069"},
        {"\ufeff", "\\ufeff"},
        {"\x80", "\\x80"},          // a continuation alone
        {"a\xc3", "a\\xc3"},        // cut off
        {"\xc0\xaf", "\\xc0\\xaf"}, // overlong
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          // a surrogate
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, // beyond U+10FFFF
        {"\xff\xfe", "\\xff\\xfe"},
        {"caf\u00e9", "caf\u00e9"},
        {"\u00a0", "\u00a0"},
        {"\u2030\u202f\u2065\u206a", "\u2030\u202f\u2065\u206a"},
        {"\u65e5\u672c", "\u65e5\u672c"},
        {"\U0001f3ac", "\U0001f3ac"},
    };
    for (const auto& [given, written] : table)
        BOOST_TEST_CONTEXT(written)
        {
            const auto& value = given;
            const auto text = log_of(
                [&] {
                    marquee::log(marquee::log_level::warning, "t:" + value, {{"key", value}});
                });
            BOOST_TEST(text.ends_with(": t:" + written + " key=" + written + "\n"), text);
        }
}

BOOST_AUTO_TEST_CASE(debug_lines_are_left_out_by_default)
{
    BOOST_TEST(log_of([] { marquee::log(marquee::log_level::debug, "quiet"); }).empty());
}

BOOST_AUTO_TEST_SUITE_END()
