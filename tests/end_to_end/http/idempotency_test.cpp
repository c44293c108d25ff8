// A retry under the same key is the same play, whichever edge it goes through and whatever
// restarted meanwhile.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee::test;

marquee_system::settings two_edges()
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "edge-2"};
    return with;
}
using shared = shared_system<two_edges>;

http_call keyed(const std::string& target, const std::string& key)
{
    return {"POST", target, {{"Idempotency-Key", key}}};
}

http_answer send(const http_call& call, const std::string& edge = "edge") { return shared::system->call(call, edge); }

/// Sends a play or a view and checks the counts after it. Where they came too late to be shown it
/// asks again: under the call's own key, or, where it has none, under one that was used for this
/// asset and user.
void check_counts(http_call call, int user, int asset, const std::string& edge = "edge",
                  const std::string& used_key = {}, const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    auto answer = send(call, edge);
    if (call.headers.empty())
        call.headers.emplace_back("Idempotency-Key", used_key);
    for (int more = 0; is_degraded(answer) && more < 60; ++more) // each takes up to half a second
        answer = send(call, edge);
    BOOST_TEST_CONTEXT("called at line " << where.line() << ", body " << answer.body)
    {
        BOOST_REQUIRE(answer.status == 200);
        BOOST_REQUIRE(!is_degraded(answer));
        BOOST_TEST(answer.number("userviews") == user);
        BOOST_TEST(answer.number("assetviews") == asset);
    }
}

/// That a key was used for another asset; once the counts are there to tell.
http_answer refused(const http_call& call, const std::string& edge = "edge")
{
    return shared::system->call_until(422, call, std::chrono::seconds(20), edge);
}

/// A playable asset without views.
std::string fresh_asset()
{
    static int made = 0;
    const auto id = "key" + std::to_string(++made);
    const auto put = shared::system->call_as_admin({"POST", "/content/asset/" + id, {}, metadata_body});
    BOOST_REQUIRE_MESSAGE(put.status == 200, put.body);
    BOOST_REQUIRE(shared::system->call_as_admin({"POST", "/url/asset/" + id, {}, url_body}).status == 200);
    return id;
}

} // namespace

BOOST_AUTO_TEST_SUITE(idempotency, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_retry_counts_nothing_and_answers_the_current_counts)
{
    for (const std::string route : {"/play", "/events"})
        BOOST_TEST_CONTEXT(route)
        {
            const auto asset = fresh_asset();
            const auto target = route + "/asset/" + asset + "/user/u" + asset;
            check_counts(keyed(target, "k"), 1, 1);
            check_counts(keyed(target, "\"k\""), 1, 1); // the same key, quoted
            check_counts(keyed(target, "k"), 1, 1, "edge-2");
            check_counts(keyed(target, "K"), 2, 2);            // another key
            check_counts({"POST", target}, 3, 3, "edge", "k"); // none: a play of its own
            check_counts({"POST", target}, 4, 4, "edge", "k");
            check_counts(keyed(target, "k"), 4, 4, "edge-2");
        }
}

BOOST_AUTO_TEST_CASE(a_key_belongs_to_its_user_and_holds_for_plays_and_views_alike)
{
    const auto asset = fresh_asset();
    check_counts(keyed("/play/asset/" + asset + "/user/ua", "shared"), 1, 1);
    check_counts(keyed("/play/asset/" + asset + "/user/ub", "shared"), 1, 2);
    check_counts(keyed("/events/asset/" + asset + "/user/ua", "shared"), 1, 2, "edge-2");
    // User and key are kept apart: "uc" with "dk" is not "ucd" with "k".
    check_counts(keyed("/play/asset/" + asset + "/user/uc", "dk"), 1, 3);
    check_counts(keyed("/play/asset/" + asset + "/user/ucd", "k"), 1, 4);
}

BOOST_AUTO_TEST_CASE(the_same_users_key_on_another_asset_is_422_through_every_edge_and_counts_nothing)
{
    const auto first = fresh_asset();
    const auto other = fresh_asset();
    check_counts(keyed("/play/asset/" + first + "/user/ux", "once"), 1, 1);
    for (const auto* edge : {"edge", "edge-2"})
        for (const std::string route : {"/play", "/events"})
        {
            const auto answer = refused(keyed(route + "/asset/" + other + "/user/ux", "once"), edge);
            check_problem(answer, 422, "key_reused");
            BOOST_TEST(answer.text("id") == other);
            BOOST_TEST(answer.text("field") == "Idempotency-Key");
        }
    check_problem(send({"GET", "/events/asset/" + other}), 404, "asset_not_found");
    check_counts(keyed("/play/asset/" + first + "/user/ux", "once"), 1, 1); // the first use counts
}

BOOST_AUTO_TEST_CASE(a_retry_after_every_process_was_restarted_still_counts_nothing)
{
    const auto asset = fresh_asset();
    const auto target = "/play/asset/" + asset + "/user/uy";
    check_counts(keyed(target, "lasting"), 1, 1);
    auto& system = *shared::system;
    for (const auto* name : {"edge", "edge-2", "reporting", "metadata", "cdnurl"})
        BOOST_TEST(system.stop(name) == 0);
    system.broker().kill();
    system.broker().restart();
    for (const auto* name : {"metadata", "cdnurl", "reporting", "edge", "edge-2"})
        system.start(name);
    check_counts(keyed(target, "lasting"), 1, 1, "edge-2");
    check_problem(refused(keyed("/play/asset/123/user/uy", "lasting")), 422, "key_reused");
    check_counts({"POST", target}, 2, 2, "edge", "lasting");
}

BOOST_AUTO_TEST_CASE(of_many_retries_at_once_through_two_edges_one_counts)
{
    const auto asset = fresh_asset();
    const std::vector<http_call> calls(16, keyed("/play/asset/" + asset + "/user/uz", "at-once"));
    for (const auto* edge : {"edge", "edge-2"})
        for (const auto& answer : shared::client->call_all(shared::system->port(edge), calls))
        {
            BOOST_TEST(answer.status == 200);
            BOOST_TEST((is_degraded(answer) || answer.number("assetviews") == 1));
        }
    check_counts(calls.front(), 1, 1);
}

BOOST_AUTO_TEST_CASE(a_malformed_key_is_400_and_counts_nothing)
{
    const auto asset = fresh_asset();
    const auto target = "/play/asset/" + asset + "/user/uw";
    const std::string none[] = {"", "\"\"", "\"open", "a b", "a,b", "\"a\"b", "\"a\\b\"", std::string(256, 'k')};
    for (const auto& key : none)
        BOOST_TEST_CONTEXT("key " << key)
        {
            const auto answer = send(keyed(target, key));
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(answer.text("field") == "Idempotency-Key");
        }
    auto twice = keyed(target, "a");
    twice.headers.emplace_back("Idempotency-Key", "b");
    check_problem(send(twice), 400, "bad_request");
    check_counts(keyed(target, std::string(255, 'k')), 1, 1);
}

BOOST_AUTO_TEST_SUITE_END()
