// Files and logs that belong together or do not, and backups.
#include "services/reporting/projection/backup.hpp"
#include "tests/unit/services/reporting/projection/projection_file_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <fstream>

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(projection_backup, file_fixture)

/// A database and its log as they lie in a folder after a crash.
struct crashed_pair
{
    std::string database;
    std::string log;
};

BOOST_AUTO_TEST_CASE(files_that_do_not_belong_together_are_refused_and_those_that_do_never)
{
    // Pairs of each moment: after the start and after each step, over three starts.
    std::vector<crashed_pair> moments;
    const auto keep = [&] { moments.push_back({bytes_of(settings.path), bytes_of(settings.path + "-wal")}); };
    std::uint64_t sequence = 0;
    std::vector<std::size_t> starts;
    for (int run = 0; run < 3; ++run)
    {
        auto counts = open();
        starts.push_back(moments.size());
        keep();
        for (int step = 0; step < 3; ++step)
        {
            std::vector<stored_message> events;
            for (int i = 0; i < 200; ++i, ++sequence)
                events.push_back(stored(
                    sequence + 1, event_json("e" + std::to_string(sequence), "a" + std::to_string(sequence), "u")));
            BOOST_REQUIRE(counts.apply(events).has_value());
            keep();
        }
    }
    const auto run_of = [&](std::size_t moment)
    { return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), moment) - starts.begin()); };
    std::size_t refused = 0;
    for (std::size_t file = 0; file < moments.size(); ++file)
        for (std::size_t log = 0; log < moments.size(); ++log)
            BOOST_TEST_CONTEXT("the file of moment " << file << ", the log of " << log)
            {
                BOOST_REQUIRE(delete_database(settings.path).has_value());
                write(moments[file].database);
                std::ofstream(settings.path + "-wal", std::ios::binary) << moments[log].log;
                auto opened = projection::open(settings);
                const bool empty = moments[log].log.empty();
                if (run_of(file) == run_of(log) || empty)
                    BOOST_TEST(code_of(opened) == "ok");
                else
                {
                    BOOST_REQUIRE(opened.has_error());
                    BOOST_TEST(says(opened.error().detail, "do not belong together"));
                    BOOST_TEST(bytes_of(settings.path + "-wal") == moments[log].log); // nothing is touched
                    BOOST_TEST(bytes_of(settings.path) == moments[file].database);
                    ++refused;
                }
            }
    BOOST_TEST(refused > 20U);
}

BOOST_AUTO_TEST_CASE(a_crash_in_a_checkpoint_is_no_mispaired_file)
{
    auto counts = open();
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 500; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i), "u")));
    BOOST_REQUIRE(counts.apply(events).has_value());
    const auto whole = dump_of(counts);
    const auto database = bytes_of(settings.path);
    // The token is in the log and not in the database yet; then some of its pages are, then all.
    const auto log_of = [&](const std::string& path) { return bytes_of(path + "-wal"); };
    SQLite::Database reader(settings.path, SQLite::OPEN_READWRITE); // holds the checkpoint back
    reader.exec("BEGIN");
    (void)reader.execAndGet("SELECT count(*) FROM assets").getInt();
    BOOST_TEST(!counts.empty_log().value());
    const auto log = log_of(settings.path);
    const auto half = bytes_of(settings.path);
    reader.exec("COMMIT");
    BOOST_TEST(counts.empty_log().value());
    const auto all = bytes_of(settings.path);
    BOOST_TEST(log_of(settings.path).empty());
    counts = projection::none();
    for (const auto* file : {&database, &half, &all})
    {
        BOOST_REQUIRE(delete_database(settings.path).has_value());
        write(*file);
        std::ofstream(settings.path + "-wal", std::ios::binary) << log;
        auto again = open();
        BOOST_TEST(dump_of(again) == whole);
    }
}

BOOST_AUTO_TEST_CASE(a_backup_holds_one_moment_and_needs_no_log)
{
    const auto copy = folder.file("copy.db");
    auto counts = open();
    const std::vector<stored_message> first = {stored(1, event_json("k", "a", "u")), stored(2, "a:u")};
    BOOST_REQUIRE(counts.apply(first).has_value());
    const auto before = dump_of(counts);
    const auto copied = back_up(settings.path, copy);
    BOOST_REQUIRE_MESSAGE(copied.has_value(), copied.error().detail);
    BOOST_TEST(copied->last_sequence == 2U);
    BOOST_TEST(copied->applied == 2U);
    const std::vector<stored_message> more = {stored(3, "a:u")};
    BOOST_REQUIRE(counts.apply(more).has_value());
    BOOST_TEST(!std::filesystem::exists(copy + "-wal"));
    const auto log = bytes_of(settings.path + "-wal");
    projection_settings of_copy = settings;
    of_copy.path = copy;
    {
        auto restored = projection::open(of_copy);
        BOOST_REQUIRE_MESSAGE(restored.has_value(), restored.error().detail);
        BOOST_TEST(dump_of(*restored) == before);
    }
    BOOST_REQUIRE(back_up(settings.path, copy).has_value()); // takes its place
    std::ofstream(copy + "-wal", std::ios::binary) << log;
    BOOST_TEST(says(projection::open(of_copy).error().detail, "do not belong together"));
    BOOST_TEST(code_of(back_up(settings.path, settings.path)) == "bad_request");
    BOOST_TEST(code_of(back_up(folder.file("none.db"), copy)) == "unavailable");
}

BOOST_AUTO_TEST_SUITE_END()
