// A file that is reopened, cannot be used or cannot be written.
#include "tests/unit/services/reporting/projection/projection_file_fixture.hpp"

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
    const std::vector<stored_message> second = {stored(2, "bad"), stored(3, event_json("k", "a", "u")),
                                                stored(4, "a:u")};
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
        events.push_back(
            stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i % 7), "u" + std::to_string(i))));
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
        events.push_back(
            stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i), "u" + std::to_string(i))));
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
