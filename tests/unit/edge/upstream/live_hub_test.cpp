// Live streams of one thread: who gets which views, when, and what becomes of a slow client.
#include "edge/upstream/live_hub.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;

namespace
{

live_view view(const std::string& place, const std::string& asset, const std::string& user)
{
    return {place, asset, user, "2026-01-31T09:30:00.123Z", 2, 1};
}

live_place place(const std::string& text) { return live_place::parse(text).value(); }

std::string event(const std::string& place, const std::string& asset, const std::string& user)
{
    return "id: " + place + "\ndata: {\"asset\":\"" + asset +
           R"(","time":"2026-01-31T09:30:00.123Z","assetviews":2,"user":")" + user + "\",\"userviews\":1}\n\n";
}

std::string without_user(const std::string& place, const std::string& asset)
{
    return "id: " + place + "\ndata: {\"asset\":\"" + asset +
           "\",\"time\":\"2026-01-31T09:30:00.123Z\",\"assetviews\":2}\n\n";
}

live_filter everything() { return {{}, {}, true}; }
live_filter of_asset(const std::string& asset) { return {asset, {}, true}; }
live_filter of_user(const std::string& user) { return {{}, user, true}; }

struct hub_fixture
{
    live_counters counted;
    std::shared_ptr<live_hub> hub = make({});
    std::vector<std::weak_ptr<live_client>> catching_up;
    int started = 0;

    std::shared_ptr<live_hub> make(live_hub::settings with)
    {
        auto made = std::make_shared<live_hub>(counted, with);
        made->on_catch_up([this](std::weak_ptr<live_client> who) { catching_up.push_back(std::move(who)); });
        made->on_first_client([this] { ++started; });
        return made;
    }

    std::shared_ptr<live_client> add(live_filter filter, const std::string& after = {})
    {
        auto from = after.empty() ? std::nullopt : live_place::parse(after);
        return hub->add(std::move(filter), std::move(from), nullptr);
    }

    /// One that has joined, and taken the place where it did.
    std::shared_ptr<live_client> joined(live_filter filter)
    {
        auto client = add(std::move(filter));
        BOOST_TEST(client->next() == "id: " + hub->next()->text() + "\n\n");
        return client;
    }

    void take(const std::vector<live_view>& views, const std::string& next)
    {
        hub->take(views, place(next));
        hub->flush();
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(live_hub_, hub_fixture)

BOOST_AUTO_TEST_CASE(a_client_is_told_its_place_once_that_is_known)
{
    const auto early = add(everything());
    BOOST_TEST(started == 1);
    BOOST_TEST(early->next() == "");
    hub->begin(place("E-7"));
    BOOST_TEST(early->next() == "id: E-7\n\n");
    const auto late = add(everything());
    BOOST_TEST(late->next() == "id: E-7\n\n");
    BOOST_TEST(started == 1);
    BOOST_TEST(counted.clients.get() == 2U);
}

BOOST_AUTO_TEST_CASE(each_client_gets_what_its_filter_takes)
{
    hub->begin(place("E-1"));
    const auto all = joined(everything());
    const auto a = joined(of_asset("a"));
    const auto u = joined(of_user("u"));
    const auto both = joined({"a", "u", true});
    const auto unnamed = joined({"a", {}, false});
    take({view("E-2-0", "a", "u"), view("E-2-1", "a", "v"), view("E-3-0", "b", "u")}, "E-4");
    BOOST_TEST(all->next() == event("E-2-0", "a", "u") + event("E-2-1", "a", "v") + event("E-3-0", "b", "u"));
    BOOST_TEST(a->next() == event("E-2-0", "a", "u") + event("E-2-1", "a", "v"));
    BOOST_TEST(u->next() == event("E-2-0", "a", "u") + event("E-3-0", "b", "u"));
    BOOST_TEST(both->next() == event("E-2-0", "a", "u"));
    BOOST_TEST(unnamed->next() == without_user("E-2-0", "a") + without_user("E-2-1", "a"));
    for (const auto& each : {all, a, u, both, unnamed})
        BOOST_TEST(each->next() == "");
    BOOST_TEST(counted.events.get() == 10U);
}

BOOST_AUTO_TEST_CASE(old_views_leave_the_ring)
{
    live_hub::settings with;
    with.beats = 2;
    hub = make(with);
    hub->begin(place("E-1"));
    take({view("E-2-0", "a", "u")}, "E-2");
    const auto at_once = add(everything(), "E-1");
    BOOST_TEST(at_once->next() == event("E-2-0", "a", "u"));
    hub->beat(1);
    take({view("E-3-0", "b", "u")}, "E-3");
    for (int i = 0; i < 2; ++i)
        hub->beat(1);
    const auto late = add(everything(), "E-1");
    BOOST_TEST(catching_up.size() == 1U); // reporting is asked again
    const auto newer = add(everything(), "E-2-0");
    BOOST_TEST(catching_up.size() == 1U);
    BOOST_TEST(newer->next() == event("E-3-0", "b", "u"));
    for (int i = 0; i < 3; ++i)
        hub->beat(1);
    BOOST_TEST(hub->next()->text() == "E-3");
    const auto last = add(everything(), "E-2");
    BOOST_TEST(catching_up.size() == 2U);
}

BOOST_AUTO_TEST_CASE(views_are_given_together_at_a_flush)
{
    hub->begin(place("E-1"));
    const auto client = joined(of_asset("a"));
    int woken = 0;
    client->on_change([&] { ++woken; });
    hub->take({view("E-2-0", "a", "u")}, place("E-2"));
    hub->take({view("E-3-0", "a", "u"), view("E-4-0", "b", "u")}, place("E-4"));
    BOOST_TEST(woken == 0);
    BOOST_TEST(client->next() == "");
    BOOST_TEST(hub->is_dirty());
    hub->flush();
    BOOST_TEST(woken == 1);
    hub->take({view("E-5-0", "a", "u")}, place("E-5"));
    BOOST_TEST(client->next() == event("E-2-0", "a", "u") + event("E-3-0", "a", "u"));
    BOOST_TEST(client->next() == ""); // not yet
    hub->flush();
    BOOST_TEST(client->next() == event("E-5-0", "a", "u"));
    BOOST_TEST(woken == 2);
    take({view("E-6-0", "b", "u")}, "E-6");
    BOOST_TEST(woken == 2);
}

BOOST_AUTO_TEST_CASE(a_view_never_comes_twice)
{
    hub->begin(place("E-1"));
    const auto client = joined(everything());
    take({view("E-2-0", "a", "u")}, "E-2");
    take({view("E-2-0", "a", "u"), view("E-2-1", "a", "u"), view("no place", "a", "u"), view("E-3-0", "b", "u")},
         "E-3");
    BOOST_TEST(client->next() == event("E-2-0", "a", "u") + event("E-3-0", "b", "u"));
    take({}, "E-2"); // an instance that is behind
    BOOST_TEST(hub->next()->text() == "E-3");
}

BOOST_AUTO_TEST_CASE(a_client_goes_on_from_a_place_in_the_ring)
{
    hub->begin(place("E-1"));
    const auto other = joined(everything());
    take({view("E-2-0", "a", "u"), view("E-2-1", "b", "u"), view("E-3-0", "a", "v")}, "E-5");
    const auto client = add(of_asset("a"), "E-2-0");
    BOOST_TEST(client->next() == event("E-3-0", "a", "v"));
    BOOST_TEST(client->next() == "");
    const auto at_end = add(everything(), "0-5");
    BOOST_TEST(at_end->next() == ":\nid: E-5\n\n");
    BOOST_TEST(catching_up.empty());
}

BOOST_AUTO_TEST_CASE(older_and_later_places_and_other_epochs_have_to_catch_up)
{
    hub = make({.views = 2, .piece_bytes = 1000});
    hub->begin(place("E-1"));
    const auto other = joined(everything());
    take({view("E-2-0", "a", "u"), view("E-3-0", "b", "u"), view("E-4-0", "a", "v")}, "E-4");
    std::vector<std::shared_ptr<live_client>> clients;
    for (const auto* after : {"E-1", "E-5-0", "F-3-0"})
        clients.push_back(add(everything(), after));
    BOOST_TEST(catching_up.size() == 3U);
    for (const auto& each : clients)
    {
        BOOST_TEST(each->catches_up());
        BOOST_TEST(each->next() == "");
    }
}

BOOST_AUTO_TEST_CASE(a_client_catches_up_and_joins)
{
    hub->begin(place("E-5"));
    const auto other = joined(everything());
    take({view("E-6-0", "a", "u")}, "E-6");
    const auto client = add(of_asset("a"), "E-1-0");
    BOOST_TEST(!hub->join(*client));
    client->caught_up({}, place("E-2"), true);
    client->caught_up({view("E-3-0", "a", "u"), view("E-3-1", "b", "u"), view("E-1-0", "a", "u")}, place("E-3-1"),
                      false);
    BOOST_TEST(!client->has_taken_all());
    BOOST_TEST(client->next() == "id: E-2\nevent: gap\ndata: {\"next\":\"E-2\"}\n\n" + event("E-3-0", "a", "u"));
    BOOST_TEST(client->has_taken_all());
    client->caught_up({}, place("E-5"), false);
    BOOST_TEST(hub->join(*client));
    BOOST_TEST(!client->catches_up());
    BOOST_TEST(client->next() == event("E-6-0", "a", "u"));
    take({view("E-7-0", "a", "u")}, "E-7");
    BOOST_TEST(client->next() == event("E-7-0", "a", "u"));
}

BOOST_AUTO_TEST_CASE(a_client_that_catches_up_is_kept_about_a_piece_and_goes_on_behind_it)
{
    hub = make({.views = 3, .piece_bytes = 100});
    hub->begin(place("E-50"));
    const auto client = add(everything(), "E-1-0");
    std::vector<live_view> views;
    for (int i = 2; i <= 20; ++i)
        views.push_back(view("E-" + std::to_string(i) + "-0", "a", "u"));
    std::string all;
    std::string whole;
    for (const auto& each : views)
        whole += event(each.id, "a", "u");
    for (int asked = 0; client->after().at.sequence < 20; ++asked) // each reply begins where the client is
    {
        BOOST_REQUIRE(asked < 20);
        client->caught_up(views, place("E-20"), false);
        const auto piece = client->next();
        BOOST_TEST(piece.size() < 100 + event("E-20-0", "a", "u").size());
        all += piece;
    }
    BOOST_TEST(all == whole);
}

BOOST_AUTO_TEST_CASE(a_client_that_falls_out_of_the_ring_is_told_and_ends)
{
    hub = make({.views = 3, .piece_bytes = 1000});
    hub->begin(place("E-1"));
    const auto slow = joined(everything());
    const auto slow_too = joined(of_asset("a"));
    const auto quick = joined(everything());
    for (int i = 2; i < 8; ++i)
    {
        const auto at = "E-" + std::to_string(i);
        take({view(at + "-0", i == 2 ? "a" : "b", "u")}, at);
        BOOST_TEST(quick->next() == event(at + "-0", i == 2 ? "a" : "b", "u"));
    }
    for (const auto& each : {slow, slow_too})
    {
        BOOST_TEST(each->next() == "event: slow\ndata: {}\n\n");
        BOOST_TEST(each->ended());
    }
    BOOST_TEST(!quick->ended());
    BOOST_TEST(counted.slow.get() == 2U);
}

BOOST_AUTO_TEST_CASE(much_is_taken_in_pieces)
{
    hub = make({.views = 100, .piece_bytes = 200});
    hub->begin(place("E-1"));
    const auto client = joined(everything());
    std::vector<live_view> views;
    std::string expected;
    for (int i = 2; i < 12; ++i)
    {
        views.push_back(view("E-" + std::to_string(i) + "-0", "a", "u"));
        expected += event(views.back().id, "a", "u");
    }
    take(views, "E-12");
    std::string all;
    int pieces = 0;
    for (auto piece = client->next(); !piece.empty(); piece = client->next(), ++pieces)
    {
        BOOST_TEST(piece.size() < 400U);
        all += piece;
    }
    BOOST_TEST(all == expected);
    BOOST_TEST(pieces > 2);
}

BOOST_AUTO_TEST_CASE(a_client_that_takes_what_it_wants_is_never_slow)
{
    hub = make({.views = 3, .piece_bytes = 1000});
    hub->begin(place("E-1"));
    const auto client = joined(of_asset("a"));
    hub->take({view("E-2-0", "a", "u")}, place("E-2"));
    hub->flush();
    hub->take({view("E-3-0", "a", "u")}, place("E-3"));
    BOOST_TEST(client->next() == event("E-2-0", "a", "u"));
    hub->flush();
    BOOST_TEST(client->next() == event("E-3-0", "a", "u"));
    BOOST_TEST(client->next() == "");
    for (int i = 4; i < 20; ++i)
        take({view("E-" + std::to_string(i) + "-0", "b", "u")}, "E-" + std::to_string(i));
    take({view("E-20-0", "a", "u")}, "E-20");
    BOOST_TEST(client->next() == event("E-20-0", "a", "u"));
}

BOOST_AUTO_TEST_CASE(a_gap_is_told_to_everybody_after_the_views_before_it)
{
    hub->begin(place("E-1"));
    const auto client = joined(of_asset("a"));
    hub->take({view("E-2-0", "a", "u")}, place("E-2"));
    hub->gap(place("F-9"));
    BOOST_TEST(client->next() == event("E-2-0", "a", "u") + "id: F-9\nevent: gap\ndata: {\"next\":\"F-9\"}\n\n");
    take({view("F-10-0", "a", "u")}, "F-10");
    BOOST_TEST(client->next() == event("F-10-0", "a", "u"));
}

BOOST_AUTO_TEST_CASE(a_heartbeat_moves_the_place_and_reaches_each_client_once_a_round)
{
    hub->begin(place("E-1"));
    std::vector<std::shared_ptr<live_client>> clients;
    for (int i = 0; i < 5; ++i)
        clients.push_back(joined(of_asset("a")));
    take({}, "E-9");
    for (int part = 0; part < 3; ++part)
        hub->beat(3);
    for (const auto& each : clients)
        BOOST_TEST(each->next() == ":\nid: E-9\n\n");
    hub->take({view("E-10-0", "a", "u")}, place("E-10"));
    hub->beat(1);
    BOOST_TEST(clients[0]->next() == ":\n\n"); // a view is on its way: its place is not past it
}

BOOST_AUTO_TEST_CASE(draining_ends_with_a_time_to_come_back)
{
    hub->begin(place("E-1"));
    const auto client = joined(everything());
    const auto another = joined(everything());
    int woken = 0;
    client->on_change([&] { ++woken; });
    client->drain();
    another->drain();
    BOOST_TEST(woken == 1);
    BOOST_TEST(client->next() == "retry: 1000\n\n");
    BOOST_TEST(another->next() == "retry: 1377\n\n");
    BOOST_TEST(client->ended());
    take({view("E-2-0", "a", "u")}, "E-2");
    BOOST_TEST(client->next() == "");
}

BOOST_AUTO_TEST_CASE(clients_leave_at_any_time)
{
    hub->begin(place("E-1"));
    auto all = joined(everything());
    auto a = joined(of_asset("a"));
    auto a_too = joined(of_asset("a"));
    auto u = joined(of_user("u"));
    auto permit = std::make_shared<int>(0);
    auto waiting = hub->add(everything(), place("F-1"), permit);
    hub->take({view("E-2-0", "a", "u")}, place("E-2"));
    all.reset();
    a.reset();
    u.reset();
    BOOST_TEST(permit.use_count() == 2);
    waiting.reset();
    BOOST_TEST(permit.use_count() == 1);
    hub->flush();
    BOOST_TEST(a_too->next() == event("E-2-0", "a", "u"));
    BOOST_TEST(counted.clients.get() == 1U);
    a_too.reset();
    BOOST_TEST(hub->clients() == 0U);
    BOOST_TEST(catching_up.at(0).expired());
    take({view("E-3-0", "a", "u")}, "E-3");
    hub->end();
    const auto next = add(everything());
    BOOST_TEST(started == 2);
    BOOST_TEST(next->next() == "");
    hub->begin(place("E-9"));
    BOOST_TEST(next->next() == "id: E-9\n\n");
}

BOOST_AUTO_TEST_CASE(an_erased_users_views_before_the_erasure_are_not_sent)
{
    hub->begin(place("0-1"));
    const auto all = joined(everything());
    const auto of_v = joined(of_user("v"));
    hub->take({view("0-2-0", "a", "u"), view("0-3-0", "a", "v"), view("0-5-0", "b", "u")}, place("0-5"));
    hub->forget("u", 4);
    hub->flush();
    BOOST_TEST(all->next() == event("0-3-0", "a", "v") + event("0-5-0", "b", "u"));
    BOOST_TEST(of_v->next() == event("0-3-0", "a", "v"));
    const auto late = add(everything(), "0-1");
    BOOST_TEST(late->next() == event("0-3-0", "a", "v") + event("0-5-0", "b", "u"));
}

BOOST_AUTO_TEST_SUITE_END()
