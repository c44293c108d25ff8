// A projection and the stream that it is attached to: the same, another one, or one with a loss.
#include "tests/unit/services/reporting/projection/projection_file_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(projection_stream, file_fixture)

BOOST_AUTO_TEST_CASE(a_new_projection_takes_any_whole_stream_as_its_own)
{
    for (const auto& whole :
         {stream_state{"t", 0, 0, 0, "A"}, stream_state{"t", 1, 0, 0, "A"}, stream_state{"t", 1, 9, 9, "A"}})
    {
        auto counts = open();
        BOOST_TEST(code_of(counts.attach(whole)) == "ok");
        BOOST_TEST(counts.progress().stream_id == "A");
    }
}

BOOST_AUTO_TEST_CASE(the_id_of_the_stream_is_kept_and_tells_another_one_where_the_last_event_counted_is_gone)
{
    {
        auto counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 5, "A")).has_value());
        BOOST_REQUIRE(counts.attach(stream(1, 5, "B")).has_value()); // nothing was counted: any stream will do
        BOOST_REQUIRE(counts.attach(stream(1, 5, "A")).has_value());
        const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, "a:u"), stored(3, "a:u")};
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    auto counts = open();
    BOOST_TEST(counts.progress().stream_id == "A");
    for (const auto& whole :
         {stream(4, 9, "A"), stream(4, 9, ""), stream(1, 9, "B")}) // who reads on looks at event 3 first
        BOOST_TEST(code_of(counts.attach(whole)) == "ok");
    BOOST_TEST(counts.progress().stream_id == "A");
    for (const auto& refused : {counts.attach(stream(4, 9, "B")), counts.attach(stream(1, 9, "B"), last_counted::gone),
                                counts.attach(stream(1, 9, "A"), last_counted::another)})
    {
        BOOST_TEST(code_of(refused) == "unavailable");
        BOOST_TEST(says(refused.error().detail, "--rebuild"));
        BOOST_TEST(says(refused.error().detail, "--accept-loss"));
    }
    BOOST_TEST(code_of(counts.attach(stream(1, 9, "B"))) == "ok");
    const std::vector<stored_message> next = {stored(4, "a:u")};
    BOOST_REQUIRE(counts.apply(next).has_value()); // event 3 was there, so this is the stream, under another id
    BOOST_TEST(counts.progress().stream_id == "B");
    BOOST_TEST(code_of(counts.attach(stream(5, 9, "A"))) == "unavailable");
}

BOOST_AUTO_TEST_CASE(another_stream_is_accepted_at_the_start_only_and_counting_goes_on_behind_its_end)
{
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 8; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a", "u")));
    {
        auto counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 8, "A")).has_value());
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    settings.accept_loss = true;
    {
        auto counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 5, "B")).has_value());
        BOOST_TEST(counts.progress().last_sequence == 5U);
        BOOST_TEST(counts.progress().stream_id == "B");
        // The sequences of events 6 to 8 come again, and their ids are still taken.
        const std::vector<stored_message> anew = {
            stored(6, event_json("n6", "a", "u")), stored(7, event_json("e8", "a", "u")),
            stored(8, event_json("n8", "a", "u")), stored(9, event_json("e1", "a", "u"))};
        BOOST_REQUIRE(counts.apply(anew).has_value());
        BOOST_TEST(counts.asset_views(asset("a")).value() == 10U);
        BOOST_TEST(counts.progress().duplicates == 2U);
        BOOST_TEST(code_of(counts.attach(stream(1, 3, "C"))) == "unavailable"); // while it runs
    }
    settings.accept_loss = false;
    auto counts = open(); // accepted once, it is history
    BOOST_TEST(code_of(counts.attach(stream(1, 9, "B"))) == "ok");
    BOOST_TEST(counts.asset_views(asset("a")).value() == 10U);
}

BOOST_AUTO_TEST_CASE(what_is_to_be_hidden_is_hidden_before_another_stream_is_accepted)
{
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 180; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a", i % 10 == 0 ? "jane" : "john")));
    events[150] = stored(151, R"({"erase":"jane"})");
    events[150].subject = "events.admin";
    std::vector<std::string> dumps;
    for (const bool soon : {true, false})
    {
        settings.path = folder.file(soon ? "soon.db" : "late.db");
        settings.accept_loss = false;
        auto counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 180, "A")).has_value());
        BOOST_REQUIRE(counts.apply(events).has_value());
        BOOST_TEST(counts.has_hidings());
        while (soon && counts.has_hidings())
            BOOST_REQUIRE(counts.hide_some(7).has_value());
        counts = projection::none();
        settings.accept_loss = true;
        counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 50, "B")).has_value());
        BOOST_TEST(!counts.has_hidings());
        auto again = stored(52, R"({"erase":"jane"})"); // of rows whose sequences are below 0 now
        again.subject = "events.admin";
        const std::vector<stored_message> more{stored(51, "b:jane"), again};
        BOOST_REQUIRE(counts.apply(more).has_value());
        dumps.push_back(dump_of(counts));
    }
    BOOST_TEST(dumps[0] == dumps[1]);
    BOOST_TEST(dumps[0].find("id e10 ") == std::string::npos);
    BOOST_TEST(dumps[0].find("id e180 ") == std::string::npos);
    BOOST_TEST(dumps[0].find("id e179 ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_lies_before_the_declared_begin_of_a_stream_is_no_loss)
{
    auto counts = open();
    auto begins_later = stream(1000, 1005, "A");
    begins_later.declared_first = 1000;
    BOOST_TEST(code_of(counts.attach(begins_later)) == "ok");
    const std::vector<stored_message> events = {stored(1000, "a:u")};
    BOOST_REQUIRE(counts.apply(events).has_value());
    begins_later.first_sequence = 1003;
    BOOST_TEST(says(counts.attach(begins_later).error().detail, "events 1001..1002 are gone"));
}

BOOST_AUTO_TEST_CASE(a_stream_that_became_shorter_is_refused)
{
    auto counts = open();
    BOOST_REQUIRE(counts.attach(stream(1, 3)).has_value());
    const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, "a:u"), stored(3, "a:u")};
    BOOST_REQUIRE(counts.apply(events).has_value());
    BOOST_TEST(code_of(counts.attach(stream(1, 3))) == "ok");
    const auto shorter = counts.attach(stream(1, 2));
    BOOST_TEST(code_of(shorter) == "unavailable");
    BOOST_TEST(says(shorter.error().detail, "--rebuild"));
}

BOOST_AUTO_TEST_CASE(a_stream_that_lost_its_end_and_grew_anew_is_refused)
{
    auto counts = open();
    const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, "a:u")};
    BOOST_REQUIRE(counts.apply(events).has_value());
    const auto before = dump_of(counts);
    const std::vector<stored_message> anew = {stored(2, "b:v", day_one + hours(1)),
                                              stored(3, "b:v", day_one + hours(1))};
    const auto applied = counts.apply(anew);
    BOOST_TEST(code_of(applied) == "unavailable");
    BOOST_TEST(says(applied.error().detail, "--rebuild"));
    const std::vector<stored_message> later = {stored(3, "b:v", day_one + hours(1))};
    BOOST_TEST(code_of(counts.apply(later)) == "unavailable"); // once wrong, it counts no more
    BOOST_TEST(counts.progress().last_sequence == 2u);
}

BOOST_AUTO_TEST_CASE(events_gone_before_they_were_counted_are_refused_unless_the_loss_is_accepted)
{
    {
        auto counts = open();
        const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, "a:u")};
        BOOST_REQUIRE(counts.attach(stream(1, 2)).has_value());
        BOOST_REQUIRE(counts.apply(events).has_value());
        BOOST_TEST(code_of(counts.attach(stream(3, 9))) == "ok"); // what was counted may go
        const auto gap = counts.attach(stream(4, 9));
        BOOST_TEST(code_of(gap) == "unavailable");
        BOOST_TEST(says(gap.error().detail, "3..3"));
        BOOST_TEST(says(gap.error().detail, "--accept-loss"));
    }
    settings.accept_loss = true;
    {
        auto counts = open();
        BOOST_TEST(code_of(counts.attach(stream(4, 9))) == "ok");
        BOOST_TEST(counts.progress().last_sequence == 3u);
    }
    settings.accept_loss = false;
    auto counts = open(); // accepted once, it is history
    BOOST_TEST(code_of(counts.attach(stream(4, 9))) == "ok");
    const std::vector<stored_message> rest = {stored(4, "a:u")};
    BOOST_REQUIRE(counts.apply(rest).has_value());
    BOOST_TEST(counts.asset_views(asset("a")).value() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
