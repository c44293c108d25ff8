// DELETE /events/user/{user}.
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

constexpr auto stored = R"({"stream":"EVENTS","seq":7})";
constexpr auto history = R"({"assets":[]})";

} // namespace

BOOST_FIXTURE_TEST_SUITE(erasure, gateway_kit)

BOOST_AUTO_TEST_CASE(an_erasure_is_stored_and_waited_for)
{
    nats.script_json("events.admin", stored);
    nats.script_json("reporting.history.a=2Fb", history); // of views after it
    BOOST_TEST(as_admin("DELETE", "/events/user/a%2Fb").body == R"({"status":"ok"})");
    BOOST_REQUIRE(nats.seen.size() == 2U);
    BOOST_TEST(nats.seen[0].payload == R"({"erase":"a/b"})");
    BOOST_TEST(nats.seen[0].headers.get("Nats-Msg-Id").size() == 26U);
    BOOST_TEST(nats.seen[1].headers.get("Marquee-After") == "7");
}

BOOST_AUTO_TEST_CASE(nobody_else_waits_for_an_erasure)
{
    fake_requester together(io.get_executor());
    edge_context both(nats, together);
    both.services.hedges = &waiting;
    both.access.admin = admin_token::from_file(token_file.path()).value();
    nats.script_json("events.admin", stored);
    nats.script_json("reporting.history.1", history);
    const auto request = make("DELETE", "/events/user/1", {{"Authorization", "Bearer s3cret-s3cret-s3cret"}});
    BOOST_TEST(send_through(both, request).status == 200);
    BOOST_TEST(together.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_user_without_views_is_erased)
{
    nats.script_json("events.admin", stored);
    script_answer("reporting.history.1", fail(errc::user_not_found));
    BOOST_TEST(as_admin("DELETE", "/events/user/1").body == R"({"status":"ok"})");
}

/// An instance of an older rule has counts, and no histories: it applies no corrections.
BOOST_AUTO_TEST_CASE(an_instance_that_knows_no_corrections_confirms_nothing)
{
    nats.script_json("events.admin", stored);
    nats.script_json("reporting.views.1.1", R"({"assetviews":0,"userviews":3})");
    script_answer("reporting.history.1", fail(errc::no_responders));
    check_problem(as_admin("DELETE", "/events/user/1"), 504, "outcome_unknown");
}

BOOST_AUTO_TEST_CASE(it_needs_the_admin_token_and_a_valid_user)
{
    check_problem(send("DELETE", "/events/user/1"), 401, "unauthorized");
    check_problem(as_admin("DELETE", "/events/user/%00"), 400, "bad_id");
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_stored_is_503_and_what_may_be_is_of_unknown_outcome)
{
    struct row
    {
        result<message> ack;
        int status;
        const char* code;
    };
    const auto json = [](const char* text) { return message{"", "", text, {}}; };
    const row rows[] = {
        {fail(errc::no_responders), 503, "no_responders"},
        {json(R"({"error":{"code":503,"description":"full"}})"), 503, "unavailable"},
        {json("{}"), 502, "malformed_reply"},
        {fail(errc::timeout), 504, "outcome_unknown"},
        {fail(errc::disconnected), 504, "outcome_unknown"},
    };
    for (const auto& [ack, status, code] : rows)
        BOOST_TEST_CONTEXT(code)
        {
            nats.forget_scripts();
            script_answer("events.admin", ack);
            const auto answer = as_admin("DELETE", "/events/user/1");
            check_problem(answer, status, code);
            BOOST_TEST(member(answer, "id") == "1");
        }
    edge.services.link_up = [] { return false; };
    check_problem(as_admin("DELETE", "/events/user/1"), 503, "disconnected");
}

BOOST_AUTO_TEST_CASE(what_no_instance_confirms_is_of_unknown_outcome)
{
    for (const auto& reply : {result<message>(fail(errc::timeout)), result<message>(fail(errc::unavailable)),
                              result<message>(message{"", "", "{}", {}})})
    {
        nats.forget_scripts();
        nats.script_json("events.admin", stored);
        script_answer("reporting.history.1", reply);
        check_problem(as_admin("DELETE", "/events/user/1"), 504, "outcome_unknown");
    }
}

BOOST_AUTO_TEST_SUITE_END()
