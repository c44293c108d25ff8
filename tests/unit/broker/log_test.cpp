#include "broker/log.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace
{

/// What `write` sends to standard error while `action` runs.
template <class F>
std::string standard_error_of(F action)
{
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe(ends.data()) == 0);
    const int saved = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    action();
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(ends[1]);
    std::string text(65536, '\0');
    const auto size = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(logging)

BOOST_AUTO_TEST_CASE(one_event_is_one_line_whatever_the_text_holds)
{
    const auto text = standard_error_of(
        [] {
            marquee::log(marquee::log_level::warning, "a\nb\x7f", {{"key", "v\r\n\"w\" 100%s"}, {"plain", "x"}});
        });
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 1);
    BOOST_TEST(text.find(" warning ") != std::string::npos);
    BOOST_TEST(text.find("a\\x0ab\\x7f key=\"v\\x0d\\x0a\\\"w\\\" 100%s\" plain=x\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(debug_lines_are_left_out_by_default)
{
    BOOST_TEST(standard_error_of([] { marquee::log(marquee::log_level::debug, "quiet"); }).empty());
}

BOOST_AUTO_TEST_SUITE_END()
