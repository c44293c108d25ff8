// Plays without statistics: always answered, and what was stored is counted in the end.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
namespace json = boost::json;

http_call play(const std::string& user) { return {"POST", "/play/asset/123/user/" + user}; }
http_call view(const std::string& user) { return {"POST", "/events/asset/123/user/" + user}; }

/// Waits until a user has that many views; returns how many there are.
std::int64_t views_of(const marquee_system& system, const std::string& user, std::int64_t wanted)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;)
    {
        const auto answer = system.call({"GET", "/events/user/" + user});
        const auto views = answer.status == 200 ? answer.number("views") : 0;
        if (views >= wanted || std::chrono::steady_clock::now() > end)
            return views;
    }
}

/// Records views until JetStream refuses one; returns how many it took.
int fill_up(const marquee_system& system, const std::string& user, int most,
            const boost::source_location& where = BOOST_CURRENT_LOCATION)
{
    for (int taken = 0; taken < most; ++taken)
    {
        const auto answer = system.call(view(user));
        if (answer.status == 200)
            continue;
        check_problem(answer, 503, "unavailable", where);
        return taken;
    }
    BOOST_FAIL("it was never full");
    return 0;
}

/// While nothing can be stored, plays are answered, views are refused, and other routes work.
void check_while_full(const marquee_system& system, const std::string& code)
{
    check_degraded(system.call(play("overfull")), "events");
    BOOST_TEST(system.call(play("overfull")).text("title") == "It");
    check_problem(system.call(view("overfull")), 503, code);
    BOOST_TEST(system.call({"GET", "/content/asset/123"}).status == 200);
    BOOST_TEST(system.call_as_admin({"GET", "/url/asset/123"}).status == 200);
}

/// Removes the limit of the stream.
void lift_limit_of_events(nats_client& client)
{
    const auto info = json::parse(client.request("$JS.API.STREAM.INFO.EVENTS").data);
    auto config = info.at("config").as_object();
    config["max_bytes"] = -1;
    const auto updated = json::parse(client.request("$JS.API.STREAM.UPDATE.EVENTS", json::serialize(config)).data);
    BOOST_REQUIRE_MESSAGE(!updated.as_object().contains("error"), json::serialize(updated));
}

} // namespace

BOOST_AUTO_TEST_SUITE(degraded)

BOOST_AUTO_TEST_CASE(without_reporting_plays_are_stored_and_counted_when_it_is_back)
{
    marquee_system system;
    nats_client client(system.broker().url());
    check_that_plays_are_counted(system);
    BOOST_TEST(system.stop("reporting") == 0);
    client.wait_until_present("reporting", false);
    for (int i = 0; i < 5; ++i)
    {
        check_degraded(system.call(play("away")), "reporting");
        check_degraded(system.call(view("away")), "reporting");
    }
    // The first use of a key counts, although its second use cannot be compared now.
    const auto keyed = [](const std::string& asset) -> http_call {
        return {"POST", "/play/asset/" + asset + "/user/keyed", {{"Idempotency-Key", "k"}}};
    };
    check_degraded(system.call(keyed("123")), "reporting");
    check_degraded(system.call(keyed("456")), "reporting");
    check_degraded(system.call(keyed("123")), "reporting");
    check_problem(system.call({"GET", "/events/user/away"}), 503, "no_responders");

    system.start("reporting");
    BOOST_TEST(views_of(system, "away", 10) == 10);
    BOOST_TEST(views_of(system, "keyed", 1) == 1);
    check_that_plays_are_counted(system);
    BOOST_TEST(counted(system, {"POST", "/play/asset/123/user/keyed"}, "k").number("userviews") == 1);
    check_problem(system.call_until(422, keyed("456")), 422, "key_reused");
    BOOST_TEST(counted(system, play("away"), "k").number("userviews") == 11);
}

BOOST_AUTO_TEST_CASE(without_a_stream_plays_are_answered_and_views_refused_until_there_is_one)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "edge"};
    marquee_system system(with);
    check_while_full(system, "no_responders");
    system.start("reporting"); // creates the stream
    check_that_plays_are_counted(system);
    BOOST_TEST(counted(system, view("overfull"), "k").number("userviews") == 1); // what was refused was not stored
}

BOOST_AUTO_TEST_CASE(a_full_stream_degrades_plays_and_refuses_views_until_it_has_room)
{
    marquee_system::settings with;
    with.extra["reporting"] = {"--max-bytes", "4K"};
    marquee_system system(with);
    nats_client client(system.broker().url());
    const int taken = fill_up(system, "filler", 200);
    BOOST_TEST(taken > 0);
    check_while_full(system, "unavailable");
    BOOST_TEST(views_of(system, "filler", taken) == taken);
    BOOST_TEST(system.call_as_admin({"POST", "/content/asset/789", {}, metadata_body}).status == 200); // another bucket

    lift_limit_of_events(client);
    check_that_plays_are_counted(system);
    BOOST_TEST(counted(system, play("filler"), "k").number("userviews") == taken + 1);
    BOOST_TEST(counted(system, view("overfull"), "k").number("userviews") == 1);
}

BOOST_AUTO_TEST_CASE(a_full_broker_store_refuses_changes_and_degrades_plays_until_it_has_room)
{
    marquee_system::settings with;
    with.broker =
        "accounts { APP { jetstream { max_store: 300K }, users [ { user: app, password: app } ] } }\nno_auth_user: app";
    marquee_system system(with);
    nats_client client(system.broker().url());
    const auto body = R"({"title":"t","genre":"g","summary":")" + std::string(16000, 's') + "\"}";
    int stored = 0;
    http_answer answer;
    for (int i = 0; i < 100 && (answer.status == 200 || i == 0); ++i)
    {
        answer = system.call_as_admin({"POST", "/content/asset/big" + std::to_string(i), {}, body});
        stored += answer.status == 200 ? 1 : 0;
    }
    check_problem(answer, 503, "unavailable");
    BOOST_TEST(stored > 0);
    const int taken = fill_up(system, "filler", 2000); // the space left is too small for another summary
    check_while_full(system, "unavailable");
    BOOST_TEST(system.call({"GET", "/content/asset/big0"}).status == 200);

    const auto purged = client.request("$JS.API.STREAM.PURGE.KV_metadata", R"({"filter":"$KV.metadata.big0"})");
    BOOST_TEST(json::parse(purged.data).at("purged").as_int64() == 1);
    check_that_plays_are_counted(system);
    BOOST_TEST(counted(system, play("filler"), "k").number("userviews") == taken + 1);
    BOOST_TEST(counted(system, view("overfull"), "k").number("userviews") == 1);
}

BOOST_AUTO_TEST_SUITE_END()
