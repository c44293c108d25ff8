// A rebuild beside counts that serve, the swap of the two, and backups.
#include "tests/integration/reporting/reporting_fixture.hpp"

#include "services/reporting/projection/swap.hpp"

#include <SQLiteCpp/Database.h>

#include <fstream>

using namespace marquee;
using namespace marquee::test;

namespace fs = std::filesystem;

namespace
{

struct rebuild_fixture : reporting_fixture
{
    std::uint64_t last = 0;

    rebuild_fixture()
    {
        make_stream();
        last = store(mixture(2000));
    }

    /// Events, duplicates and payloads that are rejected.
    static std::vector<std::string> mixture(int rounds)
    {
        std::vector<std::string> all;
        for (int i = 0; i < rounds; ++i)
        {
            all.push_back(
                event("id-" + std::to_string(i % 1500), "a" + std::to_string(i % 7), "u" + std::to_string(i % 90)));
            all.push_back(i % 10 == 0 ? "{" : "a:text");
        }
        return all;
    }

    [[nodiscard]] process launch_with_fault(const std::string& fault) const
    {
        return {MARQUEE_BINARY_DIR "/marquee-reporting",
                {"--server", server.url(), "--db", database("one"), "--rebuild"},
                {{"MARQUEE_FAULT", fault}}};
    }

    [[nodiscard]] fs::path file(const std::string& suffix) const { return database("one") + suffix; }

    void require_one_whole_pair()
    {
        BOOST_TEST((fs::exists(file("")) || fs::exists(file(".new"))));
        if (fs::exists(file("")))
        {
            const auto counted = dump();
            BOOST_TEST(!counted.empty());
        }
    }

    /// Adds views without events, which only counts that are not rebuilt have.
    void spoil_counts()
    {
        SQLite::Database db(database("one"), SQLite::OPEN_READWRITE);
        db.exec("UPDATE assets SET views = views + 1 WHERE id = 'a0'");
        db.exec("UPDATE users SET views = views + 1 WHERE id = 'u0'");
        db.exec("UPDATE progress SET applied = applied + 1");
    }

    void purge_up_to(std::uint64_t sequence) { api(stream_purge, "{\"seq\":" + std::to_string(sequence) + "}"); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_rebuild, rebuild_fixture)

BOOST_AUTO_TEST_CASE(during_a_rebuild_the_old_counts_serve_and_afterwards_they_are_kept)
{
    run_once();
    const auto exact = dump();
    spoil_counts();
    const auto spoiled = dump();
    auto reporting = launch("one", {"--rebuild"});
    require_caught_up(reporting);
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    BOOST_TEST(reporting.output().find("out of service") == std::string::npos, reporting.output());
    BOOST_TEST(!statistics().at(0).as_object().contains("rebuild"));
    until_counted(store(1, "b:u"));
    BOOST_TEST(views("b") == 1U);
    stop(reporting);
    BOOST_TEST(!fs::exists(file(".new")));
    BOOST_TEST(!fs::exists(file(".old-wal")));
    fs::rename(file(".old"), database("old"));
    BOOST_TEST(dump("old") == spoiled);
    BOOST_TEST(exact != spoiled);
    require_exact();
}

BOOST_AUTO_TEST_CASE(a_rebuild_under_load_ends_and_counts_everything_once)
{
    run_once();
    auto reporting = launch("one", {"--rebuild"});
    require_caught_up(reporting);
    for (int round = 0; round < 20; ++round)
        last = store(mixture(100));
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    until_counted(store(mixture(100)));
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(a_rebuild_that_is_done_is_not_repeated_for_the_same_flag)
{
    run_once();
    spoil_counts();
    for (const bool rebuilds : {true, false, false})
    {
        auto reporting = launch("one", {"--rebuild"});
        require_caught_up(reporting);
        if (rebuilds)
            BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
        until_counted(store(1, "b:u"));
        stop(reporting);
        BOOST_TEST((reporting.output().find("counting anew") != std::string::npos) == rebuilds, reporting.output());
    }
    run_once(); // without the flag: the next one is another
    auto reporting = launch("one", {"--rebuild"});
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    stop(reporting);
    require_exact();
}

#if MARQUEE_FAULT_INJECTION
BOOST_AUTO_TEST_CASE(a_crash_at_any_step_of_the_swap_leaves_one_whole_pair_and_the_next_start_goes_on)
{
    for (const std::string step : {"before", "without_old", "without_log", "between", "after"})
        for (const arguments& next : {arguments{"--rebuild"}, arguments{}})
            BOOST_TEST_CONTEXT(step << ", then with " << (next.empty() ? "no flag" : "the flag"))
            {
                run_once(); // clears the mark of the last round
                spoil_counts();
                auto dying = launch_with_fault("swap_dies_" + step);
                BOOST_TEST(dying.wait(60s).value_or(-1) == 137, dying.output());
                require_one_whole_pair();
                auto reporting = launch("one", next);
                require_caught_up(reporting);
                until([&] { return !fs::exists(file(".new")); });
                until_counted(store(1, "b:u"));
                stop(reporting);
                require_exact();
            }
}
#endif

BOOST_AUTO_TEST_CASE(a_rebuild_that_was_killed_goes_on_where_it_was)
{
    last = store(std::vector<std::string>(60000, "a:bulk"));
    run_once();
    spoil_counts();
    {
        auto killed = launch("one", {"--rebuild"});
        BOOST_REQUIRE_MESSAGE(killed.wait_for_line(": counting anew", 60s), killed.output());
        until([&] { return fs::exists(file(".new-wal")) && fs::file_size(file(".new-wal")) > 100'000; });
        killed.signal(SIGKILL);
        killed.wait();
    }
    auto reporting = launch("one", {"--rebuild"});
    require_caught_up(reporting);
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    stop(reporting);
    require_exact();
}

BOOST_AUTO_TEST_CASE(where_the_streams_start_is_gone_the_old_counts_stay_until_the_loss_is_accepted)
{
    run_once();
    purge_up_to(1001);
    const auto before = dump();
    {
        auto reporting = launch("one", {"--rebuild"});
        require_caught_up(reporting);
        const auto line = reporting.wait_for_line("counting anew is done, and does not replace the counts", 60s);
        BOOST_REQUIRE_MESSAGE(line, reporting.output());
        BOOST_TEST(line->find("views would be missing (--accept-loss") != std::string::npos, *line);
        BOOST_TEST(statistics().at(0).at("rebuild").as_object().contains("stopped"));
        BOOST_TEST(statistics().at(0).at("serving") == true);
        stop(reporting);
    }
    BOOST_TEST(dump() == before);
    auto accepting = launch("one", {"--rebuild", "--accept-loss"});
    require_caught_up(accepting);
    BOOST_REQUIRE_MESSAGE(accepting.wait_for_line(": counted anew", 60s), accepting.output());
    stop(accepting);
    BOOST_TEST(dump() != before);
    require_exact("one", {"--accept-loss"});
}

BOOST_AUTO_TEST_CASE(another_dedupe_window_counts_anew_beside_and_an_unreadable_file_with_the_flag)
{
    run_once();
    auto reporting = launch("one", {"--dedupe-window", "1ms"});
    require_caught_up(reporting);
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    BOOST_TEST(reporting.output().find("with a --dedupe-window of 86400 s, not 0 s") != std::string::npos,
               reporting.output());
    stop(reporting);
    require_exact("one", {"--dedupe-window", "1ms"}, 1ms);

    const std::string text = "no database at all, and longer than a header of SQLite: " + std::string(500, '.');
    std::ofstream(database("one")) << text;
    auto refused = launch();
    require_refusal(refused, "--rebuild is the cure");
    auto rebuilding = launch("one", {"--rebuild"});
    require_caught_up(rebuilding);
    stop(rebuilding);
    std::ifstream kept(file(".old"));
    BOOST_TEST((std::string(std::istreambuf_iterator<char>(kept), {}) == text));
    require_exact();
}

BOOST_AUTO_TEST_CASE(without_room_for_both_the_old_counts_stay_and_a_rebuild_does_not_go_on)
{
    run_once();
    const auto before = dump();
    const auto size = fs::file_size(file(""));
    for (const bool begun : {false, true})
    {
        fs::resize_file(file(""), fs::space(folder).available / 2); // a hole at its end
        if (begun)
            std::ofstream(file(".new")) << "begun";
        auto reporting = launch("one", {"--dedupe-window", "1ms"});
        require_caught_up(reporting);
        BOOST_TEST(reporting.output().find("the disk has no room to count anew") != std::string::npos,
                   reporting.output());
        BOOST_TEST(!statistics().at(0).as_object().contains("rebuild"));
        stop(reporting);
        BOOST_TEST(dump() == before);
    }
    fs::resize_file(file(""), size); // now there is room
    auto reporting = launch("one", {"--dedupe-window", "1ms"});
    BOOST_REQUIRE_MESSAGE(reporting.wait_for_line(": counted anew", 60s), reporting.output());
    stop(reporting);
    require_exact("one", {"--dedupe-window", "1ms"}, 1ms);
}

BOOST_AUTO_TEST_CASE(a_backup_beside_a_running_instance_restores_to_the_same_counts)
{
    auto reporting = launch();
    require_caught_up(reporting);
    const auto copy = database("copy");
    const auto back_up = [&](int code)
    {
        process copying{MARQUEE_BINARY_DIR "/marquee-reporting", {"--db", database("one"), "--backup", copy}};
        BOOST_TEST(copying.wait(30s).value_or(-1) == code, copying.output());
        return copying.output();
    };
    for (int round = 0; round < 5; ++round) // while it writes
    {
        const auto more = mixture(200);
        last = store(more);
        (void)back_up(0);
    }
    until_counted(last);
    store(mixture(300));
    reporting.signal(SIGKILL);
    reporting.wait();
    const auto log = file("-wal");
    BOOST_TEST(fs::file_size(log) > 0U);

    fs::copy_file(copy, file(""), fs::copy_options::overwrite_existing); // beside the log of a later time
    auto refused = launch();
    require_refusal(refused, "do not belong together");
    BOOST_TEST(refused.output().find("delete FILE-wal") != std::string::npos, refused.output());
    (void)back_up(1);
    fs::remove(log);
    fs::remove(file("-shm"));
    run_once();
    require_exact();
    BOOST_TEST(back_up(0).find("counted up to sequence") != std::string::npos);
    run_once("copy");
    BOOST_TEST(dump("copy") == dump());
}

BOOST_AUTO_TEST_SUITE_END()
