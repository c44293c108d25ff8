// The stream that was counted, with other settings, without some of its messages, or out of reach.
#include "broker/jetstream/publish.hpp"
#include "tests/integration/reporting/stream_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(reporting_stream, stream_fixture)

BOOST_AUTO_TEST_CASE(an_edit_a_purge_and_a_restart_of_the_broker_are_no_other_stream)
{
    const auto describe = [&](const std::string& text)
    {
        auto config = api(stream_info).at("config").as_object();
        config["description"] = text;
        api(subject::of({"$JS", "API", "STREAM", "UPDATE", "EVENTS"}), boost::json::serialize(config));
    };
    const auto delete_event = subject::of({"$JS", "API", "STREAM", "MSG", "DELETE", "EVENTS"});
    run_once();
    std::uint64_t stored = 0;
    for (const std::string how : {"nothing is removed", "the last event counted is deleted", "all is purged"})
        for (const bool running : {false, true})
            BOOST_TEST_CONTEXT(how << (running ? ", under a running instance" : ""))
            {
                server_down();
                server_back();
                store(3, "a:u");
                stored += 3;
                std::unique_ptr<process> reporting(
                    new process(launch())); // NOLINT(modernize-make-unique): it cannot be moved
                require_caught_up(*reporting);
                if (!running)
                    stop(*reporting);
                describe(how + (running ? " while it runs" : ""));
                if (how == "all is purged")
                    api(stream_purge);
                if (how == "the last event counted is deleted")
                    api(delete_event, "{\"seq\":" + std::to_string(stored) + "}");
                server_down();
                server_back();
                if (!running)
                    reporting.reset(new process(launch()));
                until_counted(store(1, "a:u"));
                ++stored;
                BOOST_TEST(views("a") == stored);
                BOOST_TEST(!statistics().at(0).as_object().contains("alarm"));
                stop(*reporting);
            }
}

BOOST_AUTO_TEST_CASE(where_the_last_event_counted_is_gone_another_id_tells_of_another_stream)
{
    run_once();
    store(5, "a:u");
    run_once();
    const auto made = wait(find_stream(hand->requests(), "EVENTS", deadline::in(20s))).value();
    if (made.id.empty())
        return; // a server before 2.10 keeps none
    delete_stream("EVENTS");
    make_stream();
    store(7, "b:u");
    api(stream_purge);
    {
        auto refused = launch();
        require_refusal(refused, "the one that was counted had " + made.id);
    }
    auto accepting = launch("one", {"--accept-loss"});
    require_caught_up(accepting);
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 6U);
    BOOST_TEST(views("b") == 0U);
    stop(accepting);
}

BOOST_AUTO_TEST_CASE(an_id_that_an_edit_removed_is_a_warning)
{
    run_once();
    store(5, "a:u");
    run_once();
    if (wait(find_stream(hand->requests(), "EVENTS", deadline::in(20s))).value().id.empty())
        return; // a server before 2.10 keeps none
    auto config = api(stream_info).at("config").as_object();
    config["metadata"] = boost::json::object{{"team", "video"}};
    api(subject::of({"$JS", "API", "STREAM", "UPDATE", "EVENTS"}), boost::json::serialize(config));
    api(stream_purge);
    auto reporting = launch();
    require_caught_up(reporting);
    BOOST_TEST(reporting.wait_for_line("the stream has lost its id").has_value(), reporting.output());
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 6U);
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(a_stream_that_begins_later_than_at_one_has_lost_nothing)
{
    create_stream("EVENTS",
                  R"({"name":"EVENTS","subjects":["events"],"storage":"file","discard":"new","first_seq":1000})");
    if (api(stream_info).at("config").as_object().contains("first_seq")) // a server before 2.10 begins at 1
    {
        auto reporting = launch();
        require_caught_up(reporting);
        until_counted(store(3, "a:u"));
        BOOST_TEST(views("a") == 3U);
        stop(reporting);
        run_once("two");
        purge_up_to(1002);
        auto refused = launch("three");
        require_refusal(refused, "events 1000..1001 are gone from the stream");
    }
}

BOOST_AUTO_TEST_CASE(a_stream_without_the_subject_of_corrections_gets_it_and_its_messages_are_no_views)
{
    make_stream();
    store(2, "a:u");
    auto reporting = launch();
    require_caught_up(reporting);
    BOOST_TEST(reporting.wait_for_line("subject added to the stream").has_value(), reporting.output());
    BOOST_TEST(boost::json::serialize(api(stream_info).at("config").at("subjects")) == R"(["events","events.admin"])");
    const auto to = subjects::events_admin();
    for (const std::string& payload : {std::string("a:u"), event("k", "a", "u"), std::string(R"({"retract":"k"})")})
        BOOST_REQUIRE(wait(publish_stored(hand->requests(), to, payload, {}, deadline::in(20s))).has_value());
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 3U);
    BOOST_TEST(statistics().at(0).at("rejected") == 3);
    stop(reporting);
    auto again = launch();
    require_caught_up(again);
    stop(again);
    BOOST_TEST(again.output().find("subject added") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_purged_before_they_were_counted_are_a_loss_to_be_accepted)
{
    make_stream();
    store(10, "a:u");
    run_once();
    store(5, "a:u");
    purge_up_to(14);
    {
        auto refused = launch();
        require_refusal(refused, "events 11..13 are gone from the stream");
        BOOST_TEST(refused.output().find("--accept-loss") != std::string::npos);
    }
    auto accepting = launch("one", {"--accept-loss"});
    require_caught_up(accepting);
    BOOST_TEST(views("a") == 12U);
    stop(accepting);
    auto after = launch(); // accepted once, it is history
    require_caught_up(after);
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 13U);
    stop(after);
}

BOOST_AUTO_TEST_CASE(events_purged_unseen_by_a_running_instance_raise_an_alarm)
{
    auto reporting = launch();
    require_caught_up(reporting);
    until_counted(store(3, "a:u"));
    reporting.suspend();
    server_stopped();
    server_back();
    store(5, "a:u");
    purge_up_to(8);
    reporting.signal(SIGCONT);
    require_alarm(reporting, "events 4..7 are gone from the stream");
    stop(reporting);
    auto accepting = launch("one", {"--accept-loss"});
    require_caught_up(accepting);
    BOOST_TEST(views("a") == 4U);
    stop(accepting);
}

BOOST_AUTO_TEST_CASE(events_purged_after_they_were_counted_are_no_loss)
{
    make_stream();
    store(10, "a:u");
    run_once();
    for (const std::uint64_t first : {5, 10, 11}) // the last one counted is there, is the first, is gone
        BOOST_TEST_CONTEXT(first)
        {
            purge_up_to(first);
            auto reporting = launch();
            require_caught_up(reporting);
            BOOST_TEST(views("a") == 10U);
            stop(reporting);
        }
    auto reporting = launch();
    require_caught_up(reporting);
    until_counted(store(2, "a:u"));
    purge_up_to(13);
    server_down();
    server_back();
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 13U);
    stop(reporting);
}

BOOST_AUTO_TEST_CASE(without_its_stream_an_instance_leaves_the_queue_group_and_joins_again_when_it_has_caught_up)
{
    auto reporting = launch();
    require_caught_up(reporting);
    until_counted(store(3, "a:u"));
    server_stopped();
    const store_copy whole(server);
    std::filesystem::remove_all(server.store());
    server.restart();
    until([&] { return hand->connected(); });
    BOOST_TEST(reporting.wait_for_line("out of service until caught up").has_value(), reporting.output());
    until([&] { return code_of(ask("asset", "a")) == "no_responders"; });
    BOOST_TEST(statistics().at(0).at("serving") == false);
    BOOST_TEST(statistics().at(0).at("lag_ms").as_int64() >= 1000);
    until([&] { return statistics().at(0).as_object().contains("alarm"); });
    const auto data = statistics().at(0);
    BOOST_TEST(data.at("alarm").as_string().find("lost again and again after sequence 3: ") != std::string::npos, data);
    BOOST_TEST(data.at("consumer_lost").to_number<int>() >= 3);

    server_stopped();
    whole.restore();
    server_back();
    BOOST_TEST(reporting.wait_for_line("caught up again").has_value(), reporting.output());
    BOOST_TEST(views("a") == 3U);
    // Its first message is the last one counted, which is no progress: the first heartbeat tells
    // that it is not lost at once again.
    until([&] { return statistics().at(0).at("consumer_lost") == 0; }, 5s);
    BOOST_TEST(!statistics().at(0).as_object().contains("alarm"));
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 4U);
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(a_killed_broker_costs_no_event_and_counts_none_twice)
{
    auto reporting = launch();
    require_caught_up(reporting);
    for (int round = 0; round < 3; ++round)
    {
        store(1000, "a:u");
        server_down();
        server_back();
    }
    until_counted(store(1, "a:u"));
    BOOST_TEST(views("a") == 3001U);
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_SUITE_END()
