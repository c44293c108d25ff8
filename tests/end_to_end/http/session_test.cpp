// The seed's own session, through the real processes.
#include "tests/end_to_end/counted.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;

BOOST_AUTO_TEST_SUITE(session)

BOOST_AUTO_TEST_CASE(a_play_answers_what_the_page_needs_and_counts_itself)
{
    const marquee_system marquee;
    const auto first = marquee.call({"POST", "/play/asset/456/user/8"});
    BOOST_TEST(first.status == 200);
    BOOST_TEST(first.header("Content-Type") == "application/json");
    BOOST_TEST(first.header("Cache-Control") == "no-store");
    BOOST_TEST(first.body == R"({"id":"456","title":"Terminator","genre":"action","summary":"Summary for terminator",)"
                             R"("url":"path/to/asset456.mp4","userviews":1,"assetviews":1})");

    const auto other = marquee.call({"POST", "/play/asset/123/user/1"});
    BOOST_TEST(other.body == R"({"id":"123","title":"It","genre":"horror","summary":"A very scary movie",)"
                             R"("url":"path/to/asset123.mp4","userviews":1,"assetviews":1})");

    const auto second = counted(marquee, {"POST", "/play/asset/123/user/1"}, "second");
    BOOST_TEST(second.number("userviews") == 2);
    BOOST_TEST(second.number("assetviews") == 2);
    BOOST_TEST(marquee.call({"GET", "/events/asset/123"}).number("views") == 2);
    BOOST_TEST(marquee.call({"GET", "/events/user/8"}).number("views") == 1);
}

BOOST_AUTO_TEST_CASE(another_users_play_counts_for_the_asset_and_not_for_this_user)
{
    const marquee_system marquee;
    BOOST_TEST(marquee.call({"POST", "/play/asset/123/user/1"}).status == 200);
    const auto answer = counted(marquee, {"POST", "/play/asset/123/user/2"}, "other");
    BOOST_TEST(answer.number("userviews") == 1);
    BOOST_TEST(answer.number("assetviews") == 2);
}

BOOST_AUTO_TEST_SUITE_END()
