// What counts and what is rejected, and the answers.
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <algorithm>
#include <map>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(projection_counts, projection_fixture)

BOOST_AUTO_TEST_CASE(each_event_counts_for_its_asset_and_its_user)
{
    apply({stored(1, event_json("e1", "456", "8")), stored(2, event_json("e2", "456", "9")),
           stored(3, event_json("e3", "123", "8"))});
    BOOST_TEST(of_asset("456") == 2u);
    BOOST_TEST(of_asset("123") == 1u);
    BOOST_TEST(of_user("8") == 2u);
    BOOST_TEST(of_user("9") == 1u);
    BOOST_TEST(of_asset("8") == 0u);
    BOOST_TEST(of_user("456") == 0u);
    apply({stored(4, event_json("e4", "456", "8"))});
    BOOST_TEST(of_asset("456") == 3u);
    BOOST_TEST(of_user("8") == 3u);
    BOOST_TEST(counts.progress().applied == 4u);
    BOOST_TEST(counts.progress().last_sequence == 4u);
}

BOOST_AUTO_TEST_CASE(a_text_event_counts_every_time)
{
    apply({stored(1, "123:42"), stored(2, "123:42"), stored(3, "10.5240/7:a:b")});
    BOOST_TEST(of_asset("123") == 2u);
    BOOST_TEST(of_user("42") == 2u);
    BOOST_TEST(of_asset("10.5240/7:a") == 1u);
    BOOST_TEST(of_user("b") == 1u);
    BOOST_TEST(counts.progress().duplicates == 0u);
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_rejected_with_its_sequence_and_reason)
{
    apply({stored(1, "123:42"), stored(2, "garbage"), stored(3, "{"), stored(4, ""),
           stored(5, R"({"id":"e","asset":"","user":"u","time":"2026-01-31T09:30:00Z"})"), stored(6, "123:42")});
    BOOST_TEST(counts.progress().applied == 2u);
    BOOST_TEST(counts.progress().rejected == 4u);
    BOOST_TEST(counts.progress().last_reject_sequence == 5u);
    BOOST_TEST(!counts.progress().last_reject_reason.empty());
    BOOST_TEST(counts.progress().last_sequence == 6u);
    BOOST_TEST(of_asset("123") == 2u);
}

BOOST_AUTO_TEST_CASE(a_message_on_the_subject_of_corrections_is_never_a_view)
{
    std::vector<stored_message> messages;
    for (const std::string& payload :
         {std::string("a:u"), event_json("k", "a", "u"), std::string(R"({"retract":"k"})"), std::string()})
        messages.push_back(stored(messages.size() + 1, payload));
    for (auto& m : messages)
        m.subject = "events.admin";
    messages.push_back(stored(5, event_json("k", "a", "u"))); // no event has taken its id
    apply(messages);
    BOOST_TEST(of_asset("a") == 1U);
    BOOST_TEST(counts.progress().rejected == 4U);
    BOOST_TEST(counts.progress().duplicates == 0U);
    BOOST_TEST(counts.progress().last_reject_sequence == 4U);
}

BOOST_AUTO_TEST_CASE(what_was_counted_is_skipped_when_it_comes_again)
{
    const std::vector<stored_message> batch = {stored(1, "a:u"), stored(2, "a:u")};
    apply(batch);
    apply(batch);
    apply({stored(2, "a:u"), stored(3, "a:u")});
    apply({});
    BOOST_TEST(of_asset("a") == 3u);
}

BOOST_AUTO_TEST_CASE(the_top_is_by_views_and_then_by_id)
{
    apply({stored(1, "b:1"), stored(2, "a:1"), stored(3, "c:1"), stored(4, "c:2"), stored(5, "B:2")});
    const auto top = counts.top(3).value();
    BOOST_REQUIRE(top.size() == 3u);
    BOOST_TEST(top[0].id == "c");
    BOOST_TEST(top[0].views == 2u);
    BOOST_TEST(top[1].id == "B");
    BOOST_TEST(top[2].id == "a");
    BOOST_TEST(counts.top(1000).value().size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_counts_are_those_of_a_plain_recount)
{
    const auto stream = mixed_stream(2000);
    apply(stream);
    std::map<std::string, std::vector<nanoseconds>> seen; // too few messages to forget any
    std::map<std::string, std::uint64_t> by_asset;
    for (const auto& m : stream)
    {
        const auto event = parse_event(m.data);
        if (event.has_error())
            continue;
        if (event->id)
        {
            auto& uses = seen[*event->id];
            if (std::any_of(uses.begin(), uses.end(),
                            [&](nanoseconds use) { return std::chrono::abs(m.timestamp - use) < hours(24); }))
                continue;
            uses.push_back(m.timestamp);
        }
        ++by_asset[event->asset.text()];
    }
    for (const auto& [id, views] : by_asset)
        BOOST_TEST(of_asset(id) == views);
    BOOST_TEST(counts.top(1000).value().size() == by_asset.size());
}

BOOST_AUTO_TEST_SUITE_END()
