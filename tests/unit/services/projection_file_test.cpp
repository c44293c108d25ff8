#include "services/reporting/backup.hpp"
#include "services/reporting/projection.hpp"
#include "services/reporting/rebuild.hpp"
#include "tests/unit/services/kit.hpp"

#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace marquee;
using namespace marquee::test;

namespace
{

struct file_fixture
{
    temporary_folder folder;
    projection_settings settings = {folder.file("counts.db")};

    projection open()
    {
        auto opened = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        return std::move(*opened);
    }

    /// The refusal's text.
    std::string refusal()
    {
        const auto opened = projection::open(settings);
        BOOST_TEST(code_of(opened) == "unavailable");
        return opened.has_error() ? opened.error().detail : "";
    }

    void write(const std::string& bytes, std::ios::openmode mode = std::ios::trunc)
    {
        std::ofstream(settings.path, std::ios::binary | mode) << bytes;
    }
};

bool says(const std::string& text, const std::string& part)
{
    BOOST_TEST_INFO(text);
    return text.find(part) != std::string::npos;
}

stream_state stream(std::uint64_t first, std::uint64_t last, std::string id = "ID")
{
    return {"2026-01-31T09:30:00.123456789Z", first, last, last + 1 - first, std::move(id)};
}

/// Files of this process cannot grow beyond `bytes` while it lives: a full disk without a disk.
class full_disk
{
public:
    explicit full_disk(rlim_t bytes)
    {
        before_ = std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &limit_);
        rlimit small = limit_;
        small.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~full_disk()
    {
        ::setrlimit(RLIMIT_FSIZE, &limit_);
        std::signal(SIGXFSZ, before_);
    }
    full_disk(const full_disk&) = delete;
    full_disk& operator=(const full_disk&) = delete;

private:
    rlimit limit_{};
    void (*before_)(int) = nullptr;
};

/// Root may write everything: give that up for a while.
class without_root
{
public:
    without_root() { changed_ = ::geteuid() == 0 && ::seteuid(65534) == 0; }
    ~without_root()
    {
        if (changed_ && ::seteuid(0) != 0)
            std::abort();
    }
    without_root(const without_root&) = delete;
    without_root& operator=(const without_root&) = delete;

private:
    bool changed_ = false;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_file, file_fixture)

BOOST_AUTO_TEST_CASE(a_reopened_projection_goes_on_where_it_was)
{
    const std::vector<stored_message> first = {stored(1, event_json("k", "a", "u")), stored(2, "bad")};
    const std::vector<stored_message> second = {stored(2, "bad"), stored(3, event_json("k", "a", "u")), stored(4, "a:u")};
    std::string before;
    {
        auto counts = open();
        BOOST_REQUIRE(counts.attach(stream(1, 2)).has_value());
        BOOST_REQUIRE(counts.apply(first).has_value());
        before = dump_of(counts);
    }
    auto counts = open();
    BOOST_TEST(dump_of(counts) == before);
    BOOST_REQUIRE(counts.attach(stream(1, 4)).has_value());
    BOOST_REQUIRE(counts.apply(second).has_value());
    BOOST_TEST(counts.asset_views(asset("a")).value() == 2u);
    BOOST_TEST(counts.progress().duplicates == 1u);
    BOOST_TEST(counts.progress().rejected == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_staged_and_not_written_is_due_again_when_reopened)
{
    std::string before;
    {
        auto counts = open();
        const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, "a:u")};
        BOOST_REQUIRE(counts.apply(events).has_value());
        before = dump_of(counts);
        const std::vector<stored_message> more = {stored(3, "a:u")};
        BOOST_REQUIRE(counts.stage(more).has_value());
        BOOST_TEST(counts.asset_views(asset("a")).value() == 3u);
    }
    auto counts = open();
    BOOST_TEST(counts.progress().last_sequence == 2u);
    BOOST_TEST(dump_of(counts) == before);
}

BOOST_AUTO_TEST_CASE(a_transaction_that_was_not_written_to_its_end_is_due_again_when_reopened)
{
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 100; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i % 7), "u" + std::to_string(i))));
    const std::span<const stored_message> all(events);
    std::string before;
    {
        auto counts = open();
        BOOST_REQUIRE(counts.apply(all.first(40)).has_value());
        before = dump_of(counts);
        BOOST_REQUIRE(counts.stage(all.first(80)).has_value());
        BOOST_TEST(!counts.write_some(50).value()); // all the assets and users are written, and some ids
        BOOST_REQUIRE(counts.stage(all).has_value());
        BOOST_TEST(!counts.write_some(10).value());
        BOOST_TEST(counts.uncommitted() == 60U);
    }
    auto counts = open();
    BOOST_TEST(dump_of(counts) == before);
    BOOST_REQUIRE(counts.apply(all).has_value());
    BOOST_TEST(counts.progress().applied == 100U);
    BOOST_TEST(counts.progress().duplicates == 0U);
}

BOOST_AUTO_TEST_CASE(a_second_process_is_refused_and_told_why)
{
    auto counts = open();
    BOOST_TEST(says(refusal(), "another process uses this database"));
}

BOOST_AUTO_TEST_CASE(a_new_projection_takes_any_whole_stream_as_its_own)
{
    for (const auto& whole : {stream_state{"t", 0, 0, 0, "A"}, stream_state{"t", 1, 0, 0, "A"}, stream_state{"t", 1, 9, 9, "A"}})
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
    for (const auto& whole : {stream(4, 9, "A"), stream(4, 9, ""), stream(1, 9, "B")}) // who reads on looks at event 3 first
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
        const std::vector<stored_message> anew = {stored(6, event_json("n6", "a", "u")), stored(7, event_json("e8", "a", "u")),
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
    const std::vector<stored_message> anew = {stored(2, "b:v", day_one + hours(1)), stored(3, "b:v", day_one + hours(1))};
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

/// As an older program made and left it: counted by rule 1, with one row an id.
void make_older(const std::string& path)
{
    SQLite::Database older(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    older.exec("PRAGMA journal_mode = WAL");
    older.exec(R"sql(
CREATE TABLE assets (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX assets_by_views ON assets (views DESC, id);
CREATE TABLE users (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE first_uses (
    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, asset TEXT NOT NULL, user TEXT NOT NULL);
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), dedupe_window INTEGER NOT NULL,
    stream_created TEXT NOT NULL DEFAULT '', last_sequence INTEGER NOT NULL DEFAULT 0, last_timestamp INTEGER NOT NULL DEFAULT 0,
    stream_time INTEGER NOT NULL DEFAULT 0, applied INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
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
    const std::vector<stored_message> more = {stored(3, event_json("k", "a", "u")), stored(4, event_json("m", "a", "u"))};
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

/// Who counted, and what was counted by what, decide whether it is to be counted anew.
BOOST_AUTO_TEST_CASE(counts_by_another_rule_stay_where_they_must_be_the_same_or_cannot_be_made_anew)
{
    struct row
    {
        const char* what;
        bool older;
        std::vector<stored_message> events;
        stream_state found;
        bool anew;
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
            BOOST_TEST(why->has_value() == each.anew);
            BOOST_TEST((counts.rule() == wanted) == !each.anew);
            BOOST_TEST(counts.progress().rule_since == each.since);
            BOOST_TEST(counts.asset_views(asset("a")).value() == views);
        }
}

BOOST_AUTO_TEST_CASE(a_file_counts_by_the_window_it_was_made_with)
{
    {
        auto counts = open();
    }
    settings.dedupe_window = hours(1);
    auto counts = open();
    const std::vector<stored_message> events = {stored(1, event_json("k", "a", "u")),
                                                stored(2, event_json("k", "a", "u"), day_one + hours(2))};
    BOOST_REQUIRE(counts.apply(events).has_value());
    BOOST_TEST(counts.progress().duplicates == 1U);
    BOOST_TEST((counts.rule().dedupe_window == hours(24)));
}

/// A database and its log as they lie in a folder after a crash.
struct crashed_pair
{
    std::string database;
    std::string log;
};

std::string bytes_of(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

BOOST_AUTO_TEST_CASE(files_that_do_not_belong_together_are_refused_and_those_that_do_never)
{
    // Moments of one life: while it is open, at each step, twice over a start, and with a long log in between.
    std::vector<crashed_pair> moments;
    const auto keep = [&] { moments.push_back({bytes_of(settings.path), bytes_of(settings.path + "-wal")}); };
    std::uint64_t sequence = 0;
    std::vector<std::size_t> starts;
    for (int life = 0; life < 3; ++life)
    {
        auto counts = open();
        starts.push_back(moments.size());
        keep();
        for (int step = 0; step < 3; ++step)
        {
            std::vector<stored_message> events;
            for (int i = 0; i < 200; ++i, ++sequence)
                events.push_back(
                    stored(sequence + 1, event_json("e" + std::to_string(sequence), "a" + std::to_string(sequence), "u")));
            BOOST_REQUIRE(counts.apply(events).has_value());
            keep();
        }
    }
    const auto life_of = [&](std::size_t moment)
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
                if (life_of(file) == life_of(log) || empty)
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

BOOST_AUTO_TEST_CASE(a_backup_holds_one_moment_and_stands_alone)
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

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_refused_and_left_alone)
{
    const std::string text = "The quick brown fox jumps over the lazy dog. " + std::string(5000, '.');
    write(text);
    BOOST_TEST(says(refusal(), "--rebuild"));
    std::ifstream in(settings.path, std::ios::binary);
    BOOST_TEST((std::string(std::istreambuf_iterator<char>(in), {}) == text));
}

BOOST_AUTO_TEST_CASE(a_database_of_something_else_is_refused)
{
    {
        SQLite::Database other(settings.path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        other.exec("CREATE TABLE recipes (id INTEGER)");
    }
    BOOST_TEST(says(refusal(), "not a projection"));
}

BOOST_AUTO_TEST_CASE(a_corrupt_page_is_an_error_and_never_a_count)
{
    {
        auto counts = open();
        std::vector<stored_message> events;
        for (std::uint64_t i = 1; i <= 5000; ++i)
            events.push_back(stored(i, "asset-" + std::to_string(i) + ":user-" + std::to_string(i)));
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    const auto size = std::filesystem::file_size(settings.path);
    BOOST_REQUIRE(size > 40u * 4096u);
    std::fstream file(settings.path, std::ios::binary | std::ios::in | std::ios::out);
    for (std::uintmax_t page = 8; page < size / 4096; page += 2)
    {
        file.seekp(static_cast<std::streamoff>(page * 4096));
        file << std::string(4096, '\xA5');
    }
    file.close();
    BOOST_TEST(says(refusal(), "--rebuild"));
}

BOOST_AUTO_TEST_CASE(counts_that_do_not_add_up_are_refused)
{
    {
        auto counts = open();
        const std::vector<stored_message> events = {stored(1, "a:u")};
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    {
        SQLite::Database tampered(settings.path, SQLite::OPEN_READWRITE);
        tampered.exec("UPDATE assets SET views = 2");
    }
    BOOST_TEST(says(refusal(), "do not add up"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_a_clear_error)
{
    settings.path = folder.file("missing/counts.db");
    BOOST_TEST(says(refusal(), "missing/counts.db"));
}

BOOST_AUTO_TEST_CASE(a_read_only_file_is_a_clear_error)
{
    {
        auto counts = open();
    }
    BOOST_REQUIRE(::chmod(settings.path.c_str(), 0444) == 0);
    BOOST_REQUIRE(::chmod((settings.path + ".lock").c_str(), 0666) == 0);
    BOOST_REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
    const without_root unprivileged;
    BOOST_TEST(says(refusal(), settings.path));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_an_error_after_which_nothing_is_counted_and_nothing_is_wrong)
{
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 20000; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i), "u" + std::to_string(i))));
    const std::span<const stored_message> all(events);
    std::string before;
    {
        auto counts = open();
        BOOST_REQUIRE(counts.apply(all.first(10)).has_value());
        before = dump_of(counts);
        const full_disk full(512 * 1024);
        const auto applied = counts.apply(all);
        BOOST_REQUIRE(code_of(applied) == "unavailable");
        BOOST_TEST(says(applied.error().detail, settings.path));
        BOOST_TEST(counts.progress().last_sequence == 10u);
        BOOST_TEST(code_of(counts.apply(all.first(11))) == "unavailable");
        BOOST_TEST(code_of(counts.asset_views(asset("a1"))) == "unavailable");
    }
    auto counts = open();
    BOOST_TEST(dump_of(counts) == before);
    BOOST_REQUIRE(counts.apply(all).has_value());
    BOOST_TEST(counts.progress().applied == 20000u);
}

BOOST_AUTO_TEST_SUITE_END()
