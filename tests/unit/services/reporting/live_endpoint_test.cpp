// reporting.live: views from memory and from the stream, places, gaps, waiting.
#include "schemas/base32_sha256.hpp"
#include "tests/unit/services/reporting/live_fixture.hpp"

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(live_endpoint_, live_fixture)

BOOST_AUTO_TEST_CASE(a_request_without_a_place_waits_for_the_next_view)
{
    count({stored(1, "a:u")});
    const auto answer = begin("");
    BOOST_TEST(!answer->has_value());
    count({stored(2, "{no event")});
    io.restart();
    io.poll();
    BOOST_TEST(!answer->has_value());
    count({stored(3, "a:u\nb:v")});
    BOOST_TEST(shown(finish(answer)) == "0-3-0 a u 2 2\n0-3-1 b v 1 1\n0-3");
    BOOST_TEST(stream.requests == 0U);
}

BOOST_AUTO_TEST_CASE(without_views_the_reply_is_empty_shortly_before_the_deadline)
{
    count({stored(1, "a:u"), stored(2, "{no event")});
    BOOST_TEST(shown(call("", 40ms)) == "0-2");
    BOOST_TEST(shown(after("0-2", 100, 40ms)) == "0-2");
    BOOST_TEST(shown(call("", 0ms)) == "0-2");
}

BOOST_AUTO_TEST_CASE(views_come_once_in_portions_and_from_any_place)
{
    (void)call("", 0ms);
    count({stored(1, "a:u\nb:u\na:v"), stored(2, event_json("e", "a", "w")), stored(3, event_json("e", "a", "w"))});
    BOOST_TEST(shown(after("0-0", 2)) == "0-1-0 a u 1 1\n0-1-1 b u 1 2\n0-1-1");
    BOOST_TEST(shown(after("0-1-1", 2)) == "0-1-2 a v 2 1\n0-2-0 a w 3 1\n0-3");
    BOOST_TEST(shown(after("0-1", 2)) == "0-2-0 a w 3 1\n0-3");
    BOOST_TEST(stream.requests == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_not_in_memory_is_read_from_the_stream)
{
    count({stored(1, event_json("e1", "a", "u")), stored(2, event_json("e1", "a", "u")),
           stored(3, event_json("e2", "b", "u") + '\n' + event_json("e2", "b", "u") + "\nno event\nc:v"),
           stored(4, "{no event")});
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-3-0 b u\n0-3-3 c v\n0-4");
    BOOST_TEST(shown(after("0-0", 1)) == "0-1-0 a u\n0-1");
    BOOST_TEST(shown(after("0-1-0", 1)) == "0-3-0 b u\n0-3-0");
    BOOST_TEST(shown(after("0-3-0", 1)) == "0-3-3 c v\n0-4");
    count({stored(5, "d:w")});
    BOOST_TEST(shown(after("0-3-3")) == "0-5-0 d w 1 1\n0-5");
}

BOOST_AUTO_TEST_CASE(a_long_stretch_is_read_in_parts)
{
    std::vector<stored_message> many;
    for (std::uint64_t i = 1; i <= 600; ++i)
        many.push_back(stored(i, i % 300 == 0 ? "a:u" : "{no event"));
    count(many);
    BOOST_TEST(shown(after("0-0")) == "0-300-0 a u\n0-512"); // it reads 256 messages at a time
    BOOST_TEST(shown(after("0-512")) == "0-600-0 a u\n0-600");
}

BOOST_AUTO_TEST_CASE(the_ids_of_a_batch_are_views_where_they_were_first_used)
{
    const std::string batch = "01JDXABCDEFGHJKMNPQRSTVWXY";
    const auto text = event_json(batch + ".0", "a", "u") + '\n' + event_json(batch + ".1", "b", "v");
    count({stored(1, text), stored(2, text), stored(3, event_json(batch + ".1", "b", "v"))});
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-1-1 b v\n0-3");
}

BOOST_AUTO_TEST_CASE(a_stream_that_does_not_answer_fails_a_reading_and_nothing_else)
{
    std::vector<stored_message> many;
    for (std::uint64_t i = 1; i <= 40; ++i)
        many.push_back(stored(i, "a:u"));
    count(many);
    stream.silent = true;
    const auto answer = begin(R"({"after":"0-0"})", 300ms);
    BOOST_TEST((stream.last_until.remaining() < 230ms)); // so that the reply is in time
    run_until(io, [&] { return answer->has_value(); });
    BOOST_TEST(code_of(**answer) != "ok");
    io.restart();
    io.run_for(50ms); // whatever was asked ends, too
    stream.silent = false;
    BOOST_TEST(after("0-0").views.size() == 40U);
}

BOOST_AUTO_TEST_CASE(what_is_taken_back_and_who_is_erased_is_not_shown_again)
{
    const std::string batch = "01JDXABCDEFGHJKMNPQRSTVWXY";
    const std::vector<stored_message> events{
        stored(1, event_json("e1", "a", "u")), stored(2, event_json("e2", "b", "u")),
        stored(3, event_json(batch + ".0", "c", "v") + '\n' + event_json(batch + ".1", "c", "w")), stored(4, "d:v")};
    auto retract = stored(5, R"({"retract":"e2"})");
    auto retract_in_batch = stored(6, R"({"retract":")" + batch + R"(.1"})");
    auto erase = stored(7, R"({"erase":"v"})");
    for (auto* each : {&retract, &retract_in_batch, &erase})
        each->subject = "events.admin";
    const std::vector<stored_message> corrections{retract, retract_in_batch, erase};

    count(events);
    count(corrections);
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-7"); // from the stream

    views = make(hours(25)); // counts anew
    endpoint = live_endpoint(views, [] { return boost::json::value(); });
    (void)call("", 0ms);
    count(events);
    BOOST_TEST(after("0-0").views.size() == 5U);
    count(corrections);
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u 1 1\nerased v 7\n0-7"); // from memory
}

BOOST_AUTO_TEST_CASE(an_erased_user_who_plays_again_has_the_views_since_then)
{
    auto erase = stored(3, R"({"erase":"u"})");
    erase.subject = "events.admin";
    for (const auto window : {nanoseconds(hours(25)), nanoseconds(0)})
    {
        views = make(window);
        endpoint = live_endpoint(views, [] { return boost::json::value(); });
        count({stored(1, "a:u\na:v"), stored(2, event_json("e2", "b", "u")), erase, stored(4, "c:u")});
        BOOST_TEST(shown(after("0-0")) == "0-1-1 a v\n0-4-0 c u\n0-4");
    }
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_told_who_is_erased)
{
    count({stored(1, "a:u")});
    const auto answer = begin("");
    auto erase = stored(2, R"({"erase":"u"})");
    erase.subject = "events.admin";
    count({erase});
    BOOST_TEST(shown(finish(answer)) == "erased u 2\n0-2");
    BOOST_TEST(shown(after("0-2", 100, 40ms)) == "0-2");
    count({stored(3, "b:u")});
    BOOST_TEST(shown(after("0-1")) == "0-3-0 b u 1 1\nerased u 2\n0-3");
}

/// As after a restart: an edge asks after a place with views that it has kept.
BOOST_AUTO_TEST_CASE(who_was_erased_before_anybody_asked_is_told_by_a_hash)
{
    auto erase = stored(3, R"({"erase":"u"})");
    erase.subject = "events.admin";
    count({stored(1, "a:u"), stored(2, "b:u"), erase, stored(4, "a:v")});
    const auto reply = after("0-1-0");
    BOOST_TEST(shown(reply) == "0-4-0 a v\n0-4");
    BOOST_REQUIRE(reply.erased_before.has_value());
    BOOST_REQUIRE(reply.erased_before->size() == 1U);
    BOOST_TEST(reply.erased_before->front().hash == base32_sha256("u"));
    BOOST_TEST(reply.erased_before->front().sequence == 3U);
    BOOST_TEST(!after("0-3").erased_before.has_value());
    BOOST_TEST(!after("0-4", 100, 40ms).erased_before.has_value());
    erase.sequence = 5;
    count({erase});
    const auto known = after("0-3");
    BOOST_TEST(!known.erased_before.has_value());
    BOOST_TEST(known.erased.value().front().user == "u");
}

BOOST_AUTO_TEST_CASE(the_ring_keeps_the_last_erasures)
{
    live_ring ring(2);
    for (std::uint64_t i = 1; i <= live_ring::most_erasures + 2; ++i)
    {
        ring.erased("u", i);
        ring.erased("u", i); // again, after a rollback
    }
    BOOST_TEST(ring.erasures().size() == live_ring::most_erasures);
    BOOST_TEST(ring.erasures().front().sequence == 3U);
    ring.begin_after(7);
    BOOST_TEST(ring.erasures().empty());
}

BOOST_AUTO_TEST_CASE(the_ring_keeps_the_last_views_and_takes_each_once)
{
    live_ring ring(2);
    ring.begin_after(7);
    for (std::uint64_t sequence : {8, 9, 10})
        ring.counted({sequence, 0, "a", "u", day_one, 1, 1});
    BOOST_TEST(ring.size() == 0U);
    ring.publish(10);
    BOOST_TEST(ring.size() == 2U);
    BOOST_TEST((ring.begin() == live_position{8, 0}));
    BOOST_TEST((ring.end() == live_position{10}));
    ring.counted({10, 0, "a", "u", day_one, 1, 1}); // again, after a rollback
    ring.counted({11, 0, "a", "u", day_one, 1, 1});
    ring.discard();
    ring.counted({11, 0, "b", "u", day_one, 1, 1});
    ring.publish(12);
    BOOST_TEST(ring.size() == 2U);
    BOOST_TEST(ring[1].asset == "b");
    BOOST_TEST(ring.first_after({10, 0}) == 1U);
    BOOST_TEST(ring.first_after({12}) == 2U);
}

BOOST_AUTO_TEST_CASE(a_place_of_another_epoch_is_a_gap)
{
    stream_state attached;
    attached.id = "A";
    BOOST_REQUIRE(views->counts.attach(attached).has_value());
    count({stored(1, "a:u")});
    BOOST_TEST(shown(after("B-7-0")) == "gap A-1");
    BOOST_TEST(shown(after("A-0")) == "A-1-0 a u\nA-1");
    BOOST_TEST(shown(after("0-0")) == "A-1-0 a u\nA-1"); // no id on either side says nothing
}

BOOST_AUTO_TEST_CASE(a_place_that_the_stream_no_longer_has_is_a_gap)
{
    count({stored(1, "a:u"), stored(2, "b:u"), stored(3, "c:u"), stored(4, "d:u")});
    stream.messages.erase(3); // deleted by hand: no loss of others
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-2-0 b u\n0-4-0 d u\n0-4");
    stream.messages.erase(1);
    BOOST_TEST(shown(after("0-0")) == "gap 0-1");
    BOOST_TEST(shown(after("0-1")) == "0-2-0 b u\n0-4-0 d u\n0-4");
    stream.messages.erase(2);
    BOOST_TEST(shown(after("0-1")) == "gap 0-3");
}

BOOST_AUTO_TEST_CASE(a_view_a_dedupe_window_old_is_a_gap)
{
    count({stored(1, event_json("e1", "a", "u")), stored(2, event_json("e2", "b", "u"), day_one + hours(23)),
           stored(3, event_json("e3", "c", "u"), day_one + hours(24))});
    BOOST_TEST(shown(after("0-0")) == "gap 0-1");
    BOOST_TEST(shown(after("0-1")) == "0-2-0 b u\n0-3-0 c u\n0-3");
}

BOOST_AUTO_TEST_CASE(without_a_dedupe_window_every_event_is_a_view)
{
    views = make(nanoseconds(0));
    endpoint = live_endpoint(views, [] { return boost::json::value(); });
    count({stored(1, event_json("e1", "a", "u")), stored(2, event_json("e1", "a", "u"), day_one + hours(48))});
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-2-0 a u\n0-2");
}

BOOST_AUTO_TEST_CASE(a_place_ahead_is_waited_for_and_at_last_a_gap)
{
    count({stored(1, "a:u")});
    BOOST_TEST(shown(after("0-3-0", 100, 40ms)) == "0-3-0"); // another instance may be ahead
    const auto answer = begin(R"({"after":"0-3-0"})");
    count({stored(2, "b:u"), stored(3, "c:u\nd:u")});
    BOOST_TEST(shown(finish(answer)) == "0-3-1 d u 1 4\n0-3");
    BOOST_TEST(shown(after("0-9", 100, 3s)) == "gap 0-3"); // the stream has lost its end
}

BOOST_AUTO_TEST_CASE(those_who_wait_are_released)
{
    const auto answer = begin("");
    views->live.release();
    BOOST_TEST(shown(finish(answer)) == "0-0");
    views->live.stop();
    BOOST_TEST(shown(call("")) == "0-0");
}

BOOST_AUTO_TEST_CASE(a_bad_request_is_refused_and_the_member_named)
{
    for (const auto& [payload, field] :
         std::map<std::string, std::string>{{R"({"after":"7"})", "after"}, {R"({"limit":0})", "limit"}, {"{", ""}})
    {
        const auto answer = begin(payload);
        run_until(io, [&] { return answer->has_value(); });
        BOOST_TEST(code_of(**answer) == "bad_request");
        BOOST_TEST((*answer)->error().what.field == field);
    }
}

BOOST_AUTO_TEST_SUITE_END()
