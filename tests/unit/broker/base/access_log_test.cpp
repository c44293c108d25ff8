#include "broker/base/access_log.hpp"

#include "broker/base/log_quota.hpp"
#include "tests/support/captured_log.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

/// The settings, as long as it exists.
struct in_force
{
    explicit in_force(double share, std::chrono::milliseconds slow = 1s) { set_access_log({share, slow}); }
    ~in_force()
    {
        set_access_log({});
        set_log_level(log_level::info);
    }
    in_force(const in_force&) = delete;
    in_force& operator=(const in_force&) = delete;
};

std::string line_of(bool failed, std::chrono::nanoseconds took, const std::string& id = "r")
{
    auto line = access_line(failed, took, id);
    return line ? line->take() : "";
}

bool is(const std::string& line, const std::string& level_and_text)
{
    const auto space = level_and_text.find(' ');
    return line.find(' ' + level_and_text.substr(0, space) + ' ') != std::string::npos &&
           line.ends_with(": " + level_and_text.substr(space + 1) + '\n');
}

} // namespace

BOOST_AUTO_TEST_SUITE(access_log)

BOOST_AUTO_TEST_CASE(off_leaves_out_all_but_failures_and_what_is_slow)
{
    const in_force off(0);
    BOOST_TEST(!logs_requests());
    BOOST_TEST(line_of(false, 999ms).empty());
    BOOST_TEST(is(line_of(false, 1000ms), "warning slow request"));
    BOOST_TEST(is(line_of(true, 1ms), "warning request failed"));
    BOOST_TEST(is(line_of(true, 2s), "warning request failed"));
}

BOOST_AUTO_TEST_CASE(on_is_all_and_the_time_of_slow_ones_can_be_set)
{
    const in_force on(1, 20ms);
    BOOST_TEST(logs_requests());
    BOOST_TEST(is(line_of(false, 19ms), "info request"));
    BOOST_TEST(is(line_of(false, 20ms), "warning slow request"));
    set_log_level(log_level::warning);
    BOOST_TEST(line_of(false, 19ms).empty());
    BOOST_TEST(!line_of(false, 20ms).empty());
    set_log_level(log_level::error);
    BOOST_TEST(line_of(true, 20ms).empty());
}

BOOST_AUTO_TEST_CASE(a_share_takes_about_as_many_and_the_same_each_time)
{
    const in_force some(0.1);
    int lines = 0;
    for (int i = 0; i < 10'000; ++i)
    {
        const auto id = "01JABC" + std::to_string(i);
        const bool first = !line_of(false, 1ms, id).empty();
        BOOST_TEST(first == !line_of(false, 1ms, id).empty());
        lines += first ? 1 : 0;
    }
    BOOST_TEST(lines > 850);
    BOOST_TEST(lines < 1150);
}

BOOST_AUTO_TEST_CASE(a_flood_of_failures_is_a_hundred_lines_and_a_number_unless_all_requests_get_lines)
{
    {
        const in_force off(0);
        int lines = 0;
        for (int i = 0; i < 1000; ++i)
            lines += line_of(true, 1ms).empty() ? 0 : 1;
        BOOST_TEST(lines == 100);
        const auto told = test::log_of([] { report_left_out(true); });
        BOOST_TEST(told.find("kind=\"request failed\" count=") != std::string::npos, told);
    }
    const in_force on(1);
    for (int i = 0; i < 1000; ++i)
        BOOST_TEST(!line_of(true, 1ms).empty());
}

BOOST_AUTO_TEST_CASE(the_option_is_off_on_or_a_share)
{
    const std::pair<const char*, double> right[] = {{"off", 0}, {"on", 1}, {"0", 0}, {"1", 1}, {"0.25", 0.25}};
    for (const auto& [text, share] : right)
        BOOST_TEST(parse_access_log(text).value() == share, text);
    for (const auto* wrong : {"", "On", "yes", "1.01", "-0.1", "0,5", "5%", "0.5x", "nan", "1e-2", "inf", " 1"})
        BOOST_TEST(parse_access_log(wrong).has_error(), wrong);
}

BOOST_AUTO_TEST_SUITE_END()
