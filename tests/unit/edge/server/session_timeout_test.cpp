#include "edge/server/session_timeout.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(session_timeout_)

BOOST_AUTO_TEST_CASE(it_expires_after_its_time_and_not_before)
{
    session_timeout timeout;
    const auto now = session_timeout::clock::now();
    BOOST_TEST(!timeout.check(now + 24h));
    timeout.expire_after(10s);
    BOOST_TEST(!timeout.check(now + 5s));
    BOOST_TEST(!timeout.expired());
    BOOST_TEST(timeout.check(now + 11s));
    BOOST_TEST(timeout.expired());
    timeout.never_expire();
    BOOST_TEST(!timeout.check(now + 24h));
}

BOOST_AUTO_TEST_CASE(an_operation_that_completes_after_its_cancellation_is_forgiven_and_the_next_is_cancelled)
{
    session_timeout timeout;
    const auto now = session_timeout::clock::now();
    timeout.expire_after(10s);
    BOOST_TEST(timeout.check(now + 11s));
    timeout.forgive();
    BOOST_TEST(!timeout.expired());
    BOOST_TEST(timeout.check(now + 11s));
    BOOST_TEST(timeout.expired());
    timeout.expire_after(10s);
    BOOST_TEST(!timeout.expired());
}

BOOST_AUTO_TEST_CASE(it_can_be_made_sooner_but_not_later)
{
    session_timeout timeout;
    const auto now = session_timeout::clock::now();
    timeout.expire_after(10s);
    timeout.expire_by(now + 20s);
    BOOST_TEST(timeout.check(now + 11s));
    timeout.expire_after(10s);
    timeout.expire_by(now + 1s);
    BOOST_TEST(timeout.check(now + 2s));
}

BOOST_AUTO_TEST_SUITE_END()
