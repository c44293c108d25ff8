#include "edge/log_quota.hpp"

#include <boost/test/unit_test.hpp>

using marquee::log_quota;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(log_quota_)

BOOST_AUTO_TEST_CASE(so_many_lines_a_second_are_granted_and_the_others_are_told_of_once)
{
    log_quota quota(3);
    const auto start = log_quota::clock::now();
    for (const auto second : {0s, 1s, 10s})
    {
        BOOST_TEST(quota.take_refused() == 0U);
        for (const auto later : {0ms, 1ms, 500ms})
            BOOST_TEST(quota.grants(start + second + later));
        for (const auto later : {500ms, 999ms})
            BOOST_TEST(!quota.grants(start + second + later));
        BOOST_TEST(quota.take_refused() == 2U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
