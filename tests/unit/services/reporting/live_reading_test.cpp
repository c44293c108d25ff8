// Views that are read from the stream again: how much at a time, and from where.
#include "services/reporting/live_reading.hpp"

#include "tests/unit/services/reporting/live_fixture.hpp"

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(live_reading, live_fixture)

BOOST_AUTO_TEST_CASE(a_reading_gives_others_their_turns_whatever_is_no_view)
{
    std::string lines;
    for (int i = 0; i < 10'000; ++i)
        lines += event_json("same", "a", "u") + '\n';
    count({stored(1, lines + event_json("other", "b", "u")), stored(2, "c:u")});
    views->live.asked(views->counts);
    int turns = 0;
    std::optional<result<live_part>> part;
    const auto read = [&](live_position after)
    {
        part.reset();
        asio::co_spawn(io, read_live_part(views, after, 100, deadline::in(5s)),
                       [&](const std::exception_ptr& e, result<live_part> r)
                       {
                           if (e)
                               std::rethrow_exception(e);
                           part = std::move(r);
                       });
        turns = 0;
        io.restart();
        while (!part && io.run_one() > 0)
            ++turns;
        BOOST_REQUIRE((part && part->has_value()));
    };
    read({0});
    BOOST_TEST((*part)->views.size() == 1U);
    BOOST_TEST(((*part)->next == live_position{1, most_lines_read - 1}));
    BOOST_TEST(turns >= 128); // of 32 lines
    read((*part)->next);
    BOOST_TEST((*part)->views.empty());
    BOOST_TEST(((*part)->next == live_position{1, 2 * most_lines_read - 1}));
    read((*part)->next);
    BOOST_TEST((*part)->views.size() == 2U);
    BOOST_TEST(shown(after("0-1-0")) == "0-1-10000 b u\n0-2-0 c u\n0-2"); // in as many parts as it takes
}

BOOST_AUTO_TEST_CASE(no_more_messages_are_read_than_a_reply_may_take)
{
    std::vector<stored_message> many;
    for (std::uint64_t i = 1; i <= 40; ++i)
        many.push_back(stored(i, "a:u\na:v\na:w"));
    count(many);
    BOOST_TEST(after("0-0", 12).views.size() == 12U);
    BOOST_TEST(stream.requests == 4U);
    BOOST_TEST(after("0-0", 100).views.size() == 100U);
    BOOST_TEST(stream.requests <= 4U + 60U);
}

BOOST_AUTO_TEST_CASE(who_is_erased_while_views_are_read_is_not_among_them)
{
    constexpr int users = 20;
    std::string lines;
    for (int i = 0; i < 10 * users; ++i)
        lines += "a:" + std::to_string(i % users) + '\n';
    count({stored(1, lines)});
    views->live.asked(views->counts);
    int gone = 0;
    std::optional<result<live_part>> part;
    asio::co_spawn(io, read_live_part(views, {0}, 1000, deadline::in(5s)),
                   [&](const std::exception_ptr&, result<live_part> r) { part = std::move(r); });
    io.restart();
    while (!part && io.run_one() > 0)
        if (!part && gone < users - 1) // one at each step
        {
            auto erase = stored(2 + static_cast<std::uint64_t>(gone), R"({"erase":")" + std::to_string(gone) + "\"}");
            erase.subject = "events.admin";
            count({erase});
            ++gone;
        }
    BOOST_TEST(gone > 5);
    BOOST_REQUIRE((part && part->has_value()));
    BOOST_TEST((*part)->views.size() == 10U * static_cast<std::size_t>(users - gone));
    for (const auto& each : (*part)->views)
        BOOST_TEST(std::stoi(each.user) >= gone);
}

BOOST_AUTO_TEST_CASE(after_a_swap_for_newer_counts_what_is_between_is_read_from_the_stream)
{
    count({stored(1, "a:u")});
    const auto waiting = begin("");
    const std::vector<stored_message> all{stored(1, "a:u"), stored(2, "b:u"), stored(3, "c:u\nc:v")};
    for (const auto& m : all)
        stream.store(m);
    auto swapped = make(hours(26));
    BOOST_REQUIRE(swapped->counts.apply(all).has_value());
    views->counts = std::move(swapped->counts);
    count({stored(4, "d:u")});
    BOOST_TEST(shown(finish(waiting)) == "0-2-0 b u\n0-3-0 c u\n0-3-1 c v\n0-3");
    BOOST_TEST(shown(after("0-3")) == "0-4-0 d u 1 4\n0-4");
    BOOST_TEST(shown(after("0-2")) == "0-3-0 c u\n0-3-1 c v\n0-3");
}

BOOST_AUTO_TEST_CASE(a_place_that_is_too_old_goes_on_where_the_window_begins)
{
    std::vector<stored_message> many;
    for (std::uint64_t i = 1; i <= 5000; ++i)
        many.push_back(stored(i, event_json("e" + std::to_string(i), "a", "u"), day_one + std::chrono::minutes(i)));
    count(many);
    (void)call("", 0ms);
    stream.requests = 0;
    const auto gap = after("0-7-0");
    BOOST_TEST(shown(gap) == "gap 0-3561"); // a day before the last, and a minute to go on
    BOOST_TEST(stream.requests < 24U);
    BOOST_TEST(after(gap.next, 10).views.front().id == "0-3562-0");
}

BOOST_AUTO_TEST_CASE(one_message_of_a_wrong_clock_is_a_gap_of_one_message)
{
    count({stored(1, event_json("e1", "a", "u"), day_one + hours(30)),
           stored(2, event_json("e2", "b", "u"), day_one + hours(1)),
           stored(3, event_json("e3", "c", "u"), day_one + hours(31)),
           stored(4, event_json("e4", "d", "u"), day_one + hours(32))});
    BOOST_TEST(shown(after("0-0")) == "0-1-0 a u\n0-1");
    BOOST_TEST(shown(after("0-1")) == "gap 0-2");
    BOOST_TEST(shown(after("0-2")) == "0-3-0 c u\n0-4-0 d u\n0-4");
}

BOOST_AUTO_TEST_SUITE_END()
