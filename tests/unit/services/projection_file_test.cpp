#include "services/reporting/projection.hpp"
#include "tests/unit/services/kit.hpp"

#include <SQLiteCpp/Database.h>

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
    settings.rebuild = true; // and must not delete what the first one uses
    BOOST_TEST(says(refusal(), "another process uses this database"));
    BOOST_TEST(std::filesystem::exists(settings.path));
}

BOOST_AUTO_TEST_CASE(a_rebuild_starts_from_nothing_and_ends_at_the_same_counts)
{
    const std::vector<stored_message> events = {stored(1, "a:u"), stored(2, event_json("k", "a", "u")),
                                                stored(3, event_json("k", "a", "u")), stored(4, "")};
    std::string before;
    {
        auto counts = open();
        BOOST_REQUIRE(counts.apply(events).has_value());
        before = dump_of(counts);
    }
    settings.rebuild = true;
    auto counts = open();
    BOOST_TEST(counts.progress().last_sequence == 0u);
    BOOST_TEST(counts.asset_views(asset("a")).value() == 0u);
    BOOST_REQUIRE(counts.apply(events).has_value());
    BOOST_TEST(dump_of(counts) == before);
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

BOOST_AUTO_TEST_CASE(a_database_of_a_version_that_kept_no_id_is_taken_over)
{
    {
        auto counts = open();
        const std::vector<stored_message> events = {stored(1, "a:u")};
        BOOST_REQUIRE(counts.apply(events).has_value());
    }
    {
        SQLite::Database older(settings.path, SQLite::OPEN_READWRITE);
        older.exec("ALTER TABLE progress RENAME COLUMN stream_id TO stream_created");
        older.exec("UPDATE progress SET stream_created = '2026-01-31T09:30:00.123456789Z'");
    }
    auto counts = open();
    BOOST_TEST(counts.progress().stream_id == "");
    BOOST_TEST(counts.progress().applied == 1U);
    BOOST_TEST(code_of(counts.attach(stream(2, 1, "A"))) == "ok");
    const std::vector<stored_message> next = {stored(2, "a:u")};
    BOOST_REQUIRE(counts.apply(next).has_value());
    BOOST_TEST(counts.progress().stream_id == "A");
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

BOOST_AUTO_TEST_CASE(another_dedupe_window_is_refused)
{
    {
        auto counts = open();
    }
    settings.dedupe_window = hours(1);
    const auto why = refusal();
    BOOST_TEST(says(why, "--dedupe-window"));
    BOOST_TEST(says(why, "86400 s"));
    settings.rebuild = true;
    open();
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_database_is_refused_and_left_alone)
{
    const std::string text = "The quick brown fox jumps over the lazy dog. " + std::string(5000, '.');
    write(text);
    BOOST_TEST(says(refusal(), "--rebuild"));
    std::ifstream in(settings.path, std::ios::binary);
    BOOST_TEST((std::string(std::istreambuf_iterator<char>(in), {}) == text));
    settings.rebuild = true;
    open();
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
