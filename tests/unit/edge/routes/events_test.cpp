#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(events, gateway_kit)

BOOST_AUTO_TEST_CASE(views_of_an_asset_and_of_a_user_are_passed_on)
{
    nats.script_json("reporting.asset.a=2Fb", R"({"id":"a/b","views":5})");
    BOOST_TEST(send("GET", "/events/asset/a%2Fb").body == R"({"id":"a/b","views":5})");
    nats.script_json("reporting.user.me=40example=2Eorg", R"({"id":"me@example.org","views":2})");
    BOOST_TEST(send("GET", "/events/user/me@example.org").body == R"({"id":"me@example.org","views":2})");
}

BOOST_AUTO_TEST_CASE(unknown_ids_and_failures_have_their_own_codes)
{
    struct row
    {
        const char* path;
        const char* subject;
        result<message> reply;
        int status;
        const char* code;
    };
    const auto json = [](const char* text) { return message{"", "", text, {}}; };
    const row table[] = {
        {"/events/asset/1", "reporting.asset.1", fail(errc::asset_not_found), 404, "asset_not_found"},
        {"/events/user/1", "reporting.user.1", fail(errc::user_not_found), 404, "user_not_found"},
        {"/events/user/1", "reporting.user.1", fail(errc::no_responders), 503, "no_responders"},
        {"/events/user/1", "reporting.user.1", fail(errc::timeout), 504, "timeout"},
        {"/events/user/1", "reporting.user.1", json("{}"), 502, "malformed_reply"},
        {"/events/user/1", "reporting.user.1", json(R"({"id":"2","views":1})"), 502, "malformed_reply"},
        {"/events/user/1", "reporting.user.1", json(R"({"id":"1","views":"1"})"), 502, "malformed_reply"},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.path << ' ' << each.code)
        {
            script_answer(each.subject, each.reply);
            const auto answer = send("GET", each.path);
            check_problem(answer, each.status, each.code);
            BOOST_TEST(member(answer, "id") == "1");
        }
}

BOOST_AUTO_TEST_CASE(a_lookup_of_a_silent_instance_is_retried)
{
    nats.script("reporting.user.1", fail(errc::timeout));
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    BOOST_TEST(send("GET", "/events/user/1").body == R"({"id":"1","views":2})");
    BOOST_REQUIRE(nats.seen.size() == 2U);
    BOOST_TEST((nats.seen[1].until.at() == nats.seen[0].until.at()));
}

BOOST_AUTO_TEST_CASE(a_bad_id_is_400_and_nothing_is_sent)
{
    check_problem(send("GET", "/events/asset/%00"), 400, "bad_id");
    const auto answer = send("GET", "/events/user/" + std::string(129, 'u'));
    check_problem(answer, 400, "bad_id");
    BOOST_TEST(member(answer, "field") == "user");
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(the_most_viewed_are_passed_on_with_the_limit)
{
    constexpr auto top = R"({"assets":[{"id":"1","views":9},{"id":"2","views":3}]})";
    nats.script_json("reporting.top", top);
    BOOST_TEST(send("GET", "/events/top?limit=2").body == top);
    BOOST_TEST(nats.seen.at(0).payload == R"({"limit":2})");
    nats.script_json("reporting.top", R"({"assets":[]})");
    BOOST_TEST(send("GET", "/events/top").status == 200);
    BOOST_TEST(nats.seen.at(1).payload == "{}");

    const auto answer = send("GET", "/events/top?limit=1001");
    check_problem(answer, 400, "bad_request");
    BOOST_TEST(member(answer, "field") == "limit");
    nats.script_json("reporting.top", R"({"assets":[{"id":"\u0000","views":9}]})");
    check_problem(send("GET", "/events/top"), 502, "malformed_reply");
}

BOOST_AUTO_TEST_SUITE_END()
