// Counts by another rule, and files of an older format.
#include "services/reporting/open_counts.hpp"
#include "tests/unit/services/reporting/projection/projection_file_fixture.hpp"

#include <SQLiteCpp/Database.h>

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(projection_rule, file_fixture)

/// A file of format 1, counted by version 1 of the rule, with one row per id.
void make_older(const std::string& path)
{
    SQLite::Database older(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    older.exec("PRAGMA journal_mode = WAL");
    older.exec(R"sql(
CREATE TABLE assets (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX assets_by_views ON assets (views DESC, id);
CREATE TABLE users (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE first_uses (
    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, asset TEXT NOT NULL,
    user TEXT NOT NULL);
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), dedupe_window INTEGER NOT NULL,
    stream_created TEXT NOT NULL DEFAULT '', last_sequence INTEGER NOT NULL DEFAULT 0,
    last_timestamp INTEGER NOT NULL DEFAULT 0, stream_time INTEGER NOT NULL DEFAULT 0,
    applied INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0, last_reject_sequence INTEGER NOT NULL DEFAULT 0,
    last_reject_reason TEXT NOT NULL DEFAULT '');
PRAGMA application_id = 1299280496;
PRAGMA user_version = 1;
INSERT INTO assets VALUES ('a', 2);
INSERT INTO users VALUES ('u', 2);
INSERT INTO first_uses VALUES (1, 1728000000000000000, 'k', 'a', 'u'), (2, 1728000000000000000, 'l', 'a', 'u');
INSERT INTO progress (one, dedupe_window, last_sequence, last_timestamp, applied)
    VALUES (1, 86400000000000, 2, 1728000000000000000, 2);
)sql");
}

BOOST_AUTO_TEST_CASE(a_database_of_an_older_version_keeps_its_counts_and_tells_its_rule)
{
    make_older(settings.path);
    auto counts = open();
    BOOST_TEST(counts.rule().version == 1);
    BOOST_TEST(counts.progress().stream_id == ""); // that version kept none
    BOOST_TEST((counts.rule().dedupe_window == hours(24)));
    BOOST_TEST(counts.progress().last_sequence == 2U);
    const std::vector<stored_message> more = {stored(3, event_json("k", "a", "u")),
                                              stored(4, event_json("m", "a", "u"))};
    BOOST_REQUIRE(counts.apply(more).has_value());
    BOOST_TEST(counts.asset_views(asset("a")).value() == 3U);
    BOOST_TEST(counts.progress().duplicates == 1U);
    const counting_rule present;
    BOOST_REQUIRE(counts.take_over(present, 4).has_value());
    const auto before = dump_of(counts);
    counts = projection::none();
    counts = open();
    BOOST_TEST((counts.rule() == present));
    BOOST_TEST(counts.progress().rule_since == 4U);
    BOOST_TEST(dump_of(counts) == before);
}

BOOST_AUTO_TEST_CASE(counts_by_another_rule_stay_where_they_must_be_the_same_or_cannot_be_made_anew)
{
    struct row
    {
        const char* what;
        bool older;
        std::vector<stored_message> events;
        stream_state found;
        bool rebuild;
        std::uint64_t since;
    };
    const std::vector<stored_message> event = {stored(1, event_json("k", "a", "u")), stored(2, "bad")};
    const std::vector<stored_message> rejected = {stored(1, "bad"), stored(2, "bad")};
    auto declared = stream(7, 9);
    declared.declared_first = 7;
    const row rows[] = {
        {"another window", false, event, stream(1, 9), true, 0},
        {"another window, and nothing but rejects", false, rejected, stream(1, 9), false, 0},
        {"another window, and the stream's start is gone", false, event, stream(3, 9), false, 2},
        {"another window, of a stream declared to begin later", false, event, declared, true, 0},
        {"an older version", true, {}, stream(1, 9), true, 0},
        {"an older version, and the stream's start is gone", true, {}, stream(2, 9), false, 2},
    };
    static_assert(counting_version == 4, "rows of what versions 2 and 3 counted are below");
    for (const auto& each : rows)
        BOOST_TEST_CONTEXT(each.what)
        {
            BOOST_REQUIRE(delete_database(settings.path).has_value());
            if (each.older)
                make_older(settings.path);
            auto counts = open();
            BOOST_REQUIRE(counts.apply(each.events).has_value());
            const auto views = counts.asset_views(asset("a")).value();
            const counting_rule wanted{counting_version, each.older ? hours(24) : hours(1)};
            const auto why = judge_rule(counts, wanted, each.found);
            BOOST_REQUIRE(why.has_value());
            BOOST_TEST(why->has_value() == each.rebuild);
            BOOST_TEST((counts.rule() == wanted) == !each.rebuild);
            BOOST_TEST(counts.progress().rule_since == each.since);
            BOOST_TEST(counts.asset_views(asset("a")).value() == views);
        }
}

BOOST_AUTO_TEST_CASE(counts_are_made_anew_beside_where_the_disk_has_room_for_both)
{
    BOOST_TEST(has_room_for_rebuild(settings.path)); // nothing is there that could be asked
    write("some bytes");
    BOOST_TEST(has_room_for_rebuild(settings.path));
    const auto free = std::filesystem::space(folder.path()).available;
    std::filesystem::resize_file(settings.path, free / 2); // a hole, which takes no room
    BOOST_TEST(!has_room_for_rebuild(settings.path));
    std::ofstream(settings.path + ".new") << "begun";
    BOOST_TEST(!has_room_for_rebuild(settings.path));
    std::filesystem::resize_file(settings.path + ".new", free); // most of the way is behind it
    BOOST_TEST(has_room_for_rebuild(settings.path));
}

/// Makes a file of format 2 or 3 of one that has just been counted.
void make_of_format(const std::string& path, int format)
{
    SQLite::Database older(path, SQLite::OPEN_READWRITE);
    const auto exec = [&](const std::string& sql) { older.exec(sql); };
    exec("UPDATE progress SET rule = " + std::to_string(format));
    exec("DROP INDEX assets_by_views");
    for (const std::string table : {"assets", "users"})
    {
        exec("ALTER TABLE " + table + " RENAME TO later");
        exec("CREATE TABLE " + table + " (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID");
        exec("INSERT INTO " + table + " SELECT id, views FROM later");
        exec("DROP TABLE later");
    }
    exec("CREATE INDEX assets_by_views ON assets (views DESC, id)");
    for (const std::string table : {"hours", "days", "seen"})
        exec("DROP TABLE " + table);
    exec("ALTER TABLE batches DROP COLUMN views");
    exec("ALTER TABLE first_uses DROP COLUMN viewed");
    for (const std::string column : {"retracted", "erased", "next_asset", "next_user"})
        exec("ALTER TABLE progress DROP COLUMN " + column);
    if (format == 2)
    {
        exec("ALTER TABLE first_uses RENAME TO later");
        exec("CREATE TABLE first_uses (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL, asset "
             "TEXT NOT NULL, user TEXT NOT NULL)");
        exec("INSERT INTO first_uses SELECT sequence, time, id, asset, user FROM later");
        exec("DROP TABLE later");
        exec("DROP TABLE batches");
    }
    exec("PRAGMA user_version = " + std::to_string(format));
}

BOOST_AUTO_TEST_CASE(what_an_older_version_counted_is_counted_anew_unless_it_was_nothing_or_the_start_is_gone)
{
    for (const int format : {2, 3})
        for (const bool rejected : {false, true})
            for (const bool counted : {false, true})
                for (const bool gone : {false, true})
                {
                    BOOST_REQUIRE(delete_database(settings.path).has_value());
                    {
                        auto counts = open();
                        std::vector<stored_message> events;
                        if (counted)
                            events.push_back(stored(1, event_json("k", "a", "u")));
                        if (rejected)
                            events.push_back(stored(2, "bad"));
                        BOOST_REQUIRE(counts.apply(events).has_value());
                    }
                    make_of_format(settings.path, format);
                    auto counts = open();
                    BOOST_TEST(counts.rule().version == format);
                    const auto why = judge_rule(counts, {counting_version, hours(24)}, stream(gone ? 2 : 1, 9));
                    const bool same = !rejected && !counted;
                    BOOST_TEST(why.value().has_value() == (!same && !gone));
                    BOOST_TEST(counts.rule().version == (same || gone ? counting_version : format));
                    BOOST_TEST(counts.progress().rule_since == (same || !gone ? 0U : rejected ? 2U : 1U));
                    BOOST_TEST(counts.find_use("k").value().has_value() == counted);
                }
}

// They have neither times nor viewers, and what is counted from now on has.
BOOST_AUTO_TEST_CASE(counts_of_an_older_version_serve_with_what_is_known_since)
{
    {
        auto counts = open();
        const std::vector<stored_message> events = {stored(1, event_json("k", "a", "u"), day_one),
                                                    stored(2, event_json("l", "b", "u"), day_one)};
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    make_of_format(settings.path, 3);
    auto counts = open();
    BOOST_TEST(counts.asset(asset("a")).value()->views == 1U);
    BOOST_TEST(counts.asset(asset("a")).value()->viewers == 0U);
    BOOST_TEST(counts.asset(asset("a")).value()->last < 0);
    BOOST_TEST(counts.history(user("u"), std::nullopt, 10).value()->empty());
    auto erase = stored(4, R"({"retract":"k"})");
    erase.subject = "events.admin";
    const std::vector<stored_message> more = {stored(3, event_json("m", "a", "u")), erase};
    BOOST_REQUIRE(counts.apply(more).has_value());
    const auto now = counts.asset(asset("a")).value().value();
    BOOST_TEST(now.views == 2U);
    BOOST_TEST(now.viewers == 1U);
    BOOST_TEST(now.last == 20000LL * 86'400'000);
    BOOST_TEST(counts.progress().rejected == 1U); // the time of that view is not known
    const auto hours = counts.series({step_kind::hour, 480'000, 480'001}, asset("a")).value().value();
    BOOST_TEST(hours.at(0) == 1U);
    counts = projection::none();
    BOOST_TEST(open().asset_views(asset("a")).value() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
