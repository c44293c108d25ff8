#include "services/reporting/projection.hpp"
#include "services/reporting/projection_tables.hpp"
#include "services/reporting/uncommitted.hpp"
#include "tests/unit/services/kit.hpp"

#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <map>
#include <random>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct projection_fixture
{
    temporary_folder folder;
    projection counts = open();

    projection open(const std::string& name = "counts.db", nanoseconds window = hours(24))
    {
        projection_settings settings;
        settings.path = folder.file(name);
        settings.dedupe_window = window;
        auto opened = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), opened.error().detail);
        return std::move(*opened);
    }

    void apply(const std::vector<stored_message>& messages)
    {
        const auto applied = counts.apply(messages);
        BOOST_REQUIRE_MESSAGE(applied.has_value(), applied.error().detail);
    }

    std::uint64_t of_asset(std::string_view id) { return counts.asset_views(asset(id)).value(); }
    std::uint64_t of_user(std::string_view id) { return counts.user_views(user(id)).value(); }
};

/// Plays, repeats near and late, text and garbage, with timestamps that sometimes go back.
std::vector<stored_message> mixed_stream(std::size_t size)
{
    std::mt19937 random(7);
    std::vector<stored_message> stream;
    nanoseconds now = day_one;
    for (std::size_t i = 1; i <= size; ++i)
    {
        now += std::chrono::minutes(random() % 10);
        const auto id = "id-" + std::to_string(random() % (size / 2));
        const auto a = "a" + std::to_string(random() % 9);
        const auto u = "u" + std::to_string(random() % 40);
        const auto at = random() % 20 == 0 ? now - std::chrono::hours(3) : now;
        const auto kind = random() % 10;
        stream.push_back(stored(i, kind == 0 ? a + ":" + u : kind == 1 ? "{garbage" : event_json(id, a, u), at));
    }
    return stream;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_counts, projection_fixture)

BOOST_AUTO_TEST_CASE(each_event_counts_for_its_asset_and_its_user)
{
    apply({stored(1, event_json("e1", "456", "8")), stored(2, event_json("e2", "456", "9")),
           stored(3, event_json("e3", "123", "8"))});
    BOOST_TEST(of_asset("456") == 2u);
    BOOST_TEST(of_asset("123") == 1u);
    BOOST_TEST(of_user("8") == 2u);
    BOOST_TEST(of_user("9") == 1u);
    BOOST_TEST(of_asset("8") == 0u);
    BOOST_TEST(of_user("456") == 0u);
    apply({stored(4, event_json("e4", "456", "8"))});
    BOOST_TEST(of_asset("456") == 3u);
    BOOST_TEST(of_user("8") == 3u);
    BOOST_TEST(counts.progress().applied == 4u);
    BOOST_TEST(counts.progress().last_sequence == 4u);
}

BOOST_AUTO_TEST_CASE(a_text_event_counts_every_time)
{
    apply({stored(1, "123:42"), stored(2, "123:42"), stored(3, "10.5240/7:a:b")});
    BOOST_TEST(of_asset("123") == 2u);
    BOOST_TEST(of_user("42") == 2u);
    BOOST_TEST(of_asset("10.5240/7:a") == 1u);
    BOOST_TEST(of_user("b") == 1u);
    BOOST_TEST(counts.progress().duplicates == 0u);
}

BOOST_AUTO_TEST_CASE(an_id_counts_once_within_the_window_whatever_it_is_for)
{
    apply({stored(1, event_json("same", "a", "u")), stored(2, event_json("same", "a", "u"))}); // in one batch
    apply({stored(3, event_json("same", "b", "v"), day_one + hours(24) - 1ns)});
    BOOST_TEST(of_asset("a") == 1u);
    BOOST_TEST(of_asset("b") == 0u);
    BOOST_TEST(of_user("v") == 0u);
    BOOST_TEST(counts.progress().applied == 1u);
    BOOST_TEST(counts.progress().duplicates == 2u);
    BOOST_TEST(counts.progress().last_sequence == 3u);
}

BOOST_AUTO_TEST_CASE(an_id_counts_again_when_the_window_has_passed_since_it_was_counted)
{
    apply({stored(1, event_json("same", "a", "u"))});
    apply({stored(2, event_json("same", "a", "u"), day_one + hours(20))}); // a duplicate starts no new window
    apply({stored(3, event_json("same", "a", "u"), day_one + hours(24))});
    BOOST_TEST(of_asset("a") == 2u);
    apply({stored(4, event_json("same", "a", "u"), day_one + hours(47))});
    BOOST_TEST(of_asset("a") == 2u);
    BOOST_TEST(counts.progress().applied == 2u);
    BOOST_TEST(counts.progress().duplicates == 2u);
}

/// What stands in the stream: an id, when the stream stored it, and whether it counts. `fill`: as many other messages, all of that time.
struct id_row
{
    const char* id;
    nanoseconds at;
    bool counts;
    std::size_t fill = 0;
};

struct id_table
{
    const char* what;
    std::vector<id_row> rows;
};

constexpr auto start = day_one;
constexpr std::size_t all_looked_at = id_memory::messages_looked_at;

const id_table id_tables[] = {
    {"a repeat just within the window, and one at its end",
     {{"k", start, true}, {"k", start + hours(24) - 1ns, false}, {"k", start + hours(24), true}}},
    {"a repeat from before, by the clock: the window reaches both ways",
     {{"k", start, true}, {"k", start - hours(24) + 1ns, false}, {"k", start - hours(24), true}}},
    {"a duplicate starts no window", {{"k", start, true}, {"k", start + hours(20), false}, {"k", start + hours(30), true}}},
    {"each use counts, not only the latest",
     {{"k", start, true}, {"k", start + hours(25), true}, {"k", start + hours(1), false}, {"k", start + hours(26), false}}},
    {"a clock 25 hours ahead for one start, then right again: what was used before is known, what comes after counts once",
     {{"before", start, true},
      {"during", start + hours(25), true, 500},
      {"before", start + hours(1), false},
      {"after", start + hours(1), true},
      {"after", start + hours(1), false},
      {"after", start + hours(2), false}}},
    {"a clock ten years ahead, and then right again",
     {{"before", start, true},
      {"x", start + hours(87600), true, 9000},
      {"before", start, false},
      {"after", start, true},
      {"after", start, false}}},
    {"a clock that was behind forgets nothing either",
     {{"before", start, true}, {"x", nanoseconds(0), true}, {"y", start, true, 3}, {"before", start + hours(1), false}}},
    {"a message near its own time among the last 10,000 keeps it",
     {{"a", start, true, all_looked_at - 1}, {"x", start + hours(25), true, all_looked_at - 2}, {"a", start, false}}},
    {"10,000 messages a window later forget, for good",
     {{"a", start, true}, {"x", start + hours(24), true, all_looked_at}, {"a", start, true}}},
    {"10,000 messages, the smallest of them just within the window, do not",
     {{"a", start, true},
      {"x", start + hours(24) - 1ns, true, 1},
      {"y", start + hours(48), true, all_looked_at - 3},
      {"a", start, false}}},
    {"one message from long ago among the last 10,000 holds everything",
     {{"a", start, true}, {"x", start - hours(1), true}, {"y", start + hours(48), true, all_looked_at - 2}, {"a", start, false}}},
    {"an id used after others were forgotten, at an earlier time, is known",
     {{"a", start, true},
      {"x", start + hours(48), true, all_looked_at},
      {"b", start, true},
      {"b", start + hours(1), false},
      {"a", start, true}}},
};

BOOST_AUTO_TEST_CASE(an_id_counts_by_the_timestamps_of_its_messages_and_by_what_is_forgotten)
{
    for (const auto& [what, rows] : id_tables)
        BOOST_TEST_CONTEXT(what)
        {
            std::vector<stored_message> all;
            std::uint64_t expected = 0;
            for (const auto& row : rows)
            {
                all.push_back(stored(all.size() + 1, event_json(row.id, "a", "u"), row.at));
                expected += row.counts ? 1 : 0;
                for (std::size_t i = 0; i < row.fill; ++i)
                    all.push_back(stored(all.size() + 1, "x:y", row.at));
            }
            for (const std::size_t batch : {all.size(), std::size_t{3000}}) // in memory, and from the file
            {
                const std::string name = std::string(what).substr(0, 60) + std::to_string(batch);
                auto of_batches = open(name);
                for (std::size_t at = 0; at < all.size(); at += batch)
                {
                    const auto part = std::span<const stored_message>(all).subspan(at, std::min(batch, all.size() - at));
                    BOOST_REQUIRE(of_batches.apply(part).has_value());
                    const auto before = dump_of(of_batches);
                    of_batches = projection::none();
                    of_batches = open(name); // what it knows of the last messages is in the file
                    BOOST_TEST(dump_of(of_batches) == before);
                }
                BOOST_TEST(of_batches.asset_views(asset("a")).value() == expected);
            }
        }
}

BOOST_AUTO_TEST_CASE(rows_of_forgotten_ids_are_pruned_and_whether_they_are_decides_nothing)
{
    std::vector<stored_message> all;
    for (std::uint64_t i = 1; i <= 25'000; ++i) // a window passes, with a way back in it
        all.push_back(stored(i, event_json("id-" + std::to_string(i), "a", "u"),
                             day_one + std::chrono::seconds(i * 10) - hours(i % 5000 == 0 ? 3 : 0)));
    auto whole = open("whole.db");
    BOOST_REQUIRE(whole.apply(all).has_value());
    const std::span<const stored_message> parts(all);
    for (std::size_t at = 0; at < all.size(); at += 500)
        BOOST_REQUIRE(counts.apply(parts.subspan(at, 500)).has_value());
    BOOST_TEST(dump_of(counts) == dump_of(whole));
    counts = projection::none();
    SQLite::Database file(folder.file("counts.db"), SQLite::OPEN_READONLY);
    const auto rows = file.execAndGet("SELECT count(*) FROM first_uses").getInt();
    BOOST_TEST(rows < 20'500);
    BOOST_TEST(rows > 10'000);
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_rejected_with_its_sequence_and_reason)
{
    apply({stored(1, "123:42"), stored(2, "garbage"), stored(3, "{"), stored(4, ""),
           stored(5, R"({"id":"e","asset":"","user":"u","time":"2026-01-31T09:30:00Z"})"), stored(6, "123:42")});
    BOOST_TEST(counts.progress().applied == 2u);
    BOOST_TEST(counts.progress().rejected == 4u);
    BOOST_TEST(counts.progress().last_reject_sequence == 5u);
    BOOST_TEST(!counts.progress().last_reject_reason.empty());
    BOOST_TEST(counts.progress().last_sequence == 6u);
    BOOST_TEST(of_asset("123") == 2u);
}

BOOST_AUTO_TEST_CASE(what_stands_on_the_subject_of_corrections_is_never_a_view)
{
    std::vector<stored_message> messages;
    for (const std::string& payload :
         {std::string("a:u"), event_json("k", "a", "u"), std::string(R"({"retract":"k"})"), std::string()})
        messages.push_back(stored(messages.size() + 1, payload));
    for (auto& m : messages)
        m.subject = "events.admin";
    messages.push_back(stored(5, event_json("k", "a", "u"))); // whose id nobody has taken
    apply(messages);
    BOOST_TEST(of_asset("a") == 1U);
    BOOST_TEST(counts.progress().rejected == 4U);
    BOOST_TEST(counts.progress().duplicates == 0U);
    BOOST_TEST(counts.progress().last_reject_sequence == 4U);
    BOOST_TEST(counts.progress().last_reject_reason == "corrections are not known to this version");
}

BOOST_AUTO_TEST_CASE(what_was_counted_is_skipped_when_it_comes_again)
{
    const std::vector<stored_message> batch = {stored(1, "a:u"), stored(2, "a:u")};
    apply(batch);
    apply(batch);
    apply({stored(2, "a:u"), stored(3, "a:u")});
    apply({});
    BOOST_TEST(of_asset("a") == 3u);
}

BOOST_AUTO_TEST_CASE(the_top_is_by_views_and_then_by_id)
{
    apply({stored(1, "b:1"), stored(2, "a:1"), stored(3, "c:1"), stored(4, "c:2"), stored(5, "B:2")});
    const auto top = counts.top(3).value();
    BOOST_REQUIRE(top.size() == 3u);
    BOOST_TEST(top[0].id == "c");
    BOOST_TEST(top[0].views == 2u);
    BOOST_TEST(top[1].id == "B");
    BOOST_TEST(top[2].id == "a");
    BOOST_TEST(counts.top(1000).value().size() == 4u);
}

BOOST_AUTO_TEST_CASE(the_first_use_of_an_id_is_known_until_the_window_has_passed)
{
    apply({stored(1, event_json("k", "a", "u")), stored(2, event_json("k", "b", "v"))});
    const auto used = counts.find_use("k").value();
    BOOST_REQUIRE(used.has_value());
    BOOST_TEST(used->asset == "a");
    BOOST_TEST(used->user == "u");
    BOOST_TEST(used->sequence == 1u);
    BOOST_TEST(!counts.find_use("other").value().has_value());
    apply({stored(3, "x:y", day_one + hours(24))});
    BOOST_TEST(!counts.find_use("k").value().has_value());
    apply({stored(4, event_json("k", "b", "v"), day_one + hours(24))});
    BOOST_TEST(counts.find_use("k").value()->asset == "b");
}

BOOST_AUTO_TEST_CASE(what_is_staged_is_answered_at_once_and_is_the_same_once_written)
{
    apply({stored(1, event_json("e1", "b", "8")), stored(2, event_json("e2", "c", "8")), stored(3, event_json("e3", "c", "9"))});
    const std::vector<stored_message> more = {stored(4, event_json("e4", "a", "8")), stored(5, event_json("e4", "a", "8")),
                                              stored(6, event_json("e1", "x", "y")), stored(7, event_json("e5", "b", "9"))};
    BOOST_REQUIRE(counts.stage(more).has_value());
    BOOST_TEST(counts.uncommitted() == 4u);
    for (const bool written : {false, true})
        BOOST_TEST_CONTEXT("written: " << written)
        {
            BOOST_TEST(of_asset("a") == 1u);
            BOOST_TEST(of_asset("b") == 2u);
            BOOST_TEST(of_user("8") == 3u);
            BOOST_TEST(of_asset("x") == 0u);
            BOOST_TEST(counts.progress().duplicates == 2u);
            BOOST_TEST(counts.progress().last_sequence == 7u);
            BOOST_TEST(counts.find_use("e4").value()->sequence == 4u);
            BOOST_TEST(counts.find_use("e1").value()->asset == "b");
            const auto top = counts.top(2).value();
            BOOST_REQUIRE(top.size() == 2u);
            BOOST_TEST(top[0].id == "b");
            BOOST_TEST(top[1].id == "c");
            BOOST_REQUIRE(counts.commit().has_value());
            BOOST_TEST(counts.uncommitted() == 0u);
        }
}

BOOST_AUTO_TEST_CASE(an_asset_overtaken_by_one_not_written_yet_leaves_the_top)
{
    apply({stored(1, "a:u"), stored(2, "a:u"), stored(3, "b:u"), stored(4, "c:u")});
    const std::vector<stored_message> more = {stored(5, "c:u"), stored(6, "c:u"), stored(7, "b:u"), stored(8, "b:u")};
    BOOST_REQUIRE(counts.stage(more).has_value());
    const auto top = counts.top(2).value();
    BOOST_REQUIRE(top.size() == 2u);
    BOOST_TEST(top[0].id == "b");
    BOOST_TEST(top[0].views == 3u);
    BOOST_TEST(top[1].id == "c");
    BOOST_TEST(counts.top(1).value().at(0).id == "b");
    BOOST_TEST(counts.top(10).value().size() == 3u);
}

BOOST_AUTO_TEST_CASE(every_batch_size_gives_the_same_projection)
{
    const auto stream = mixed_stream(2000);
    apply(stream);
    const auto whole = dump_of(counts);
    BOOST_TEST(counts.progress().duplicates > 100u); // the stream is worth its name
    BOOST_TEST(counts.progress().rejected > 100u);
    BOOST_TEST(counts.progress().applied > 500u);
    for (const std::size_t size : {1u, 7u, 500u})
    {
        auto other = open("batches-of-" + std::to_string(size) + ".db");
        const std::span<const stored_message> all(stream);
        for (std::size_t at = 0; at < all.size(); at += size)
            BOOST_REQUIRE(other.apply(all.subspan(at, std::min(size, all.size() - at))).has_value());
        BOOST_TEST(dump_of(other) == whole);
    }
}

BOOST_AUTO_TEST_CASE(counting_goes_on_while_a_transaction_is_written_in_parts)
{
    const auto stream = mixed_stream(2000);
    const std::span<const stored_message> all(stream);
    auto whole = open("whole.db"); // everything in one transaction at the end
    std::size_t under_way = 0;
    for (std::size_t at = 0; at < all.size(); at += 10)
    {
        BOOST_REQUIRE(counts.stage(all.subspan(at, 10)).has_value());
        BOOST_REQUIRE(whole.stage(all.subspan(at, 10)).has_value());
        const auto written = counts.write_some(7);
        BOOST_REQUIRE(written.has_value());
        under_way += *written ? 0 : 1;
        const auto top = counts.top(4).value();
        const auto same = whole.top(4).value();
        BOOST_REQUIRE(top.size() == same.size());
        for (std::size_t i = 0; i < top.size(); ++i)
            BOOST_TEST((top[i].id == same[i].id && top[i].views == same[i].views));
        BOOST_TEST(of_user("u7") == whole.user_views(user("u7")).value());
        const auto use = counts.find_use("id-" + std::to_string(at)).value();
        const auto other = whole.find_use("id-" + std::to_string(at)).value();
        BOOST_TEST(use.has_value() == other.has_value());
        BOOST_TEST((!use || use->sequence == other->sequence));
    }
    BOOST_TEST(under_way > 100U);
    while (counts.uncommitted() > 0) // what was staged meanwhile belongs to another transaction
        BOOST_REQUIRE(counts.write_some(7).has_value());
    BOOST_TEST(dump_of(counts) == dump_of(whole));
}

BOOST_AUTO_TEST_CASE(a_commit_ends_the_transaction_under_way_wherever_it_is)
{
    const auto stream = mixed_stream(300);
    const std::span<const stored_message> all(stream);
    apply(stream);
    for (const std::size_t rows : {1U, 5U, 9U, 20U, 49U, 60U, 100U}) // among assets, users, ids
    {
        auto other = open("after-" + std::to_string(rows) + ".db");
        BOOST_REQUIRE(other.stage(all.first(200)).has_value());
        BOOST_REQUIRE(!other.write_some(rows).value());
        BOOST_REQUIRE(other.stage(all).has_value());
        BOOST_REQUIRE(other.commit().has_value());
        BOOST_TEST(other.uncommitted() == 0U);
        BOOST_TEST(dump_of(other) == dump_of(counts));
    }
}

BOOST_AUTO_TEST_CASE(counters_beyond_the_limit_are_let_go_a_few_at_a_time_and_none_that_is_not_written)
{
    SQLite::Database db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("CREATE TABLE assets (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID");
    db.exec("CREATE TABLE users (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID");
    db.exec("CREATE TABLE first_uses (sequence INTEGER, time INTEGER, id TEXT, asset TEXT, user TEXT)");
    db.exec("CREATE TABLE last_times (block INTEGER PRIMARY KEY, times BLOB NOT NULL)");
    db.exec(
        "CREATE TABLE progress (stream_id, last_sequence, last_timestamp, messages, forgotten, applied, duplicates, rejected, "
        "last_reject_sequence, last_reject_reason, rebuilt, skipped)");
    projection_tables tables(db);
    view_counters views(tables, &projection_tables::asset_views, &projection_tables::set_asset_views);
    constexpr auto most = view_counters::most_known;
    for (std::size_t i = 0; i < most + 5000; ++i)
        views.add_one("asset-" + std::to_string(i));
    views.evict(1000);
    BOOST_TEST(views.known() == most + 5000); // nothing is written yet
    views.freeze();
    BOOST_TEST(views.write(most * 2) == most + 5000);
    views.evict(1000);
    BOOST_TEST(views.known() == most + 5000);
    views.written();
    views.evict(100);
    BOOST_TEST(views.known() < most + 5000);
    BOOST_TEST(views.known() > most + 3000);
    views.evict(100'000);
    BOOST_TEST(views.known() <= most);
    BOOST_TEST(views.known() > most - 100);
    for (std::size_t i = 0; i < most + 5000; i += 997)
        BOOST_TEST(views.views("asset-" + std::to_string(i)) == 1U);
}

BOOST_AUTO_TEST_CASE(the_counts_are_those_of_a_plain_recount)
{
    const auto stream = mixed_stream(2000);
    apply(stream);
    std::map<std::string, std::vector<nanoseconds>> seen; // too few messages to forget any
    std::map<std::string, std::uint64_t> by_asset;
    for (const auto& m : stream)
    {
        const auto event = parse_event(m.data);
        if (event.has_error())
            continue;
        if (event->id)
        {
            auto& uses = seen[*event->id];
            if (std::any_of(uses.begin(), uses.end(),
                            [&](nanoseconds use) { return std::chrono::abs(m.timestamp - use) < hours(24); }))
                continue;
            uses.push_back(m.timestamp);
        }
        ++by_asset[event->asset.text()];
    }
    for (const auto& [id, views] : by_asset)
        BOOST_TEST(of_asset(id) == views);
    BOOST_TEST(counts.top(1000).value().size() == by_asset.size());
}

BOOST_AUTO_TEST_SUITE_END()
