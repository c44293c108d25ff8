// A stream that is not the one that was counted: never a wrong count, always reported, with a cure.
#include "tests/integration/reporting/stream_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

struct other_stream_fixture : stream_fixture
{
    void recreate(std::size_t events)
    {
        delete_stream("EVENTS");
        make_stream();
        store(events, "b:u");
    }

    /// Eight events are counted, then five of them come back and the stream grows by others.
    void count_and_restore(std::size_t growth)
    {
        make_stream();
        store(5, "a:u");
        server_stopped();
        const store_copy older(server);
        server_back();
        store(3, "a:u");
        run_once("one", {"--rebuild"});
        server_stopped();
        older.restore();
        server_back();
        store(growth, "b:u");
    }

    /// --rebuild counts what the stream holds, and goes on.
    void require_rebuild_cures(std::uint64_t a, std::uint64_t b)
    {
        auto again = launch("one", {"--rebuild", "--accept-loss"});
        require_caught_up(again);
        BOOST_TEST(views("a") == a);
        BOOST_TEST(views("b") == b);
        until_counted(store(1, "a:u"));
        BOOST_TEST(views("a") == a + 1);
        stop(again);
        require_exact("one", {"--accept-loss"});
    }
};

/// How the restored store differs: what it has grown by before reporting sees it.
struct restored
{
    const char* how;
    std::size_t growth;
    const char* why;
};
const restored restored_stores[] = {
    {"shorter", 0, "the stream ends at sequence 5; the database has counted up to 8"},
    {"shorter and grown", 2, "the stream ends at sequence 7; the database has counted up to 8"},
    {"grown to the same length", 3, "event 8 is not the one that was counted"},
    {"grown past the old end", 9, "event 8 is not the one that was counted"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_stream, other_stream_fixture)

BOOST_AUTO_TEST_CASE(a_stream_restored_from_an_older_copy_raises_an_alarm_in_a_running_instance)
{
    for (const auto& [how, growth, why] : restored_stores)
        BOOST_TEST_CONTEXT(how)
        {
            make_stream();
            store(5, "a:u");
            server_stopped();
            const store_copy older(server);
            server_back();
            auto reporting = launch("one", {"--rebuild"});
            require_caught_up(reporting);
            until_counted(store(3, "a:u"));
            BOOST_TEST(views("a") == 8U);

            reporting.suspend(); // so that the growth is unseen
            server_stopped();
            older.restore();
            server_back();
            store(growth, "b:u");
            const auto started = deadline::clock::now();
            reporting.signal(SIGCONT);
            require_alarm(reporting, why);
            const std::chrono::duration<double> took = deadline::clock::now() - started;
            BOOST_TEST_MESSAGE(how << ": alarm " << took.count() << " s after the instance could look");
            BOOST_TEST(took.count() < 5);
            stop(reporting);
            require_rebuild_cures(5, growth);
            delete_stream("EVENTS");
        }
}

BOOST_AUTO_TEST_CASE(a_stream_restored_from_an_older_copy_is_refused_at_the_start)
{
    for (const auto& [how, growth, why] : restored_stores)
        BOOST_TEST_CONTEXT(how)
        {
            if (growth == 3)
                continue; // a case of its own
            count_and_restore(growth);
            auto refused = launch();
            require_refusal(refused, why);
            BOOST_TEST(refused.output().find("--rebuild") != std::string::npos);
            require_rebuild_cures(5, growth);
            delete_stream("EVENTS");
        }
}

BOOST_AUTO_TEST_CASE(a_stream_restored_and_grown_to_the_same_length_is_refused_at_the_start_without_one_answer)
{
    count_and_restore(3);
    auto refused = launch();
    require_refusal(refused, "event 8 is not the one that was counted");
    BOOST_TEST(refused.output().find("caught up") == std::string::npos, refused.output());
    refused.signal(SIGTERM);
    refused.wait();
    require_rebuild_cures(5, 3);
}

BOOST_AUTO_TEST_CASE(a_stream_made_anew_raises_an_alarm_in_a_running_instance)
{
    auto reporting = launch();
    require_caught_up(reporting);
    until_counted(store(3, "a:u"));
    const auto started = deadline::clock::now();
    recreate(5);
    require_alarm(reporting, "event 3 is not the one that was counted");
    const std::chrono::duration<double> took = deadline::clock::now() - started;
    BOOST_TEST_MESSAGE("alarm " << took.count() << " s after the stream was made anew");
    stop(reporting);
    auto refused = launch();
    require_refusal(refused, "event 3 is not the one that was counted");
    require_rebuild_cures(0, 5);
}

BOOST_AUTO_TEST_CASE(a_stream_made_anew_while_no_instance_runs_is_refused)
{
    make_stream();
    store(3, "a:u");
    run_once();
    recreate(5);
    auto refused = launch();
    require_refusal(refused, "event 3 is not the one that was counted");
    BOOST_TEST(refused.output().find("--rebuild") != std::string::npos);
    require_rebuild_cures(0, 5);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_gone_and_made_by_the_next_start_is_refused_too)
{
    make_stream();
    store(3, "a:u");
    run_once();
    delete_stream("EVENTS");
    auto refused = launch();
    require_refusal(refused, "the stream ends at sequence 0; the database has counted up to 3");
    require_rebuild_cures(0, 0);
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_not_the_one_that_was_counted_is_accepted_at_its_present_place_and_the_counts_stay)
{
    for (const auto& [how, growth, why] : restored_stores)
        BOOST_TEST_CONTEXT(how)
        {
            count_and_restore(growth);
            {
                auto refused = launch();
                require_refusal(refused, why);
                BOOST_TEST(refused.output().find("--accept-loss") != std::string::npos);
            }
            auto accepting = launch("one", {"--accept-loss"});
            require_caught_up(accepting);
            BOOST_TEST(views("a") == 8U);
            BOOST_TEST(views("b") == 0U);
            until_counted(store(2, "b:u"));
            BOOST_TEST(views("b") == 2U);
            stop(accepting);
            auto after = launch(); // accepted once, it is history
            require_caught_up(after);
            until_counted(store(1, "a:u"));
            BOOST_TEST(views("a") == 9U);
            stop(after);
            delete_stream("EVENTS");
        }
}

BOOST_AUTO_TEST_SUITE_END()
