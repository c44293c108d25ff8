// Which events are duplicates by the rule of counting, and what of it is forgotten.
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

/// An event of the stream: its id, when the stream stored it, and whether it counts. `fill`: as
/// many other messages of the same time follow.
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
    {"a duplicate starts no window",
     {{"k", start, true}, {"k", start + hours(20), false}, {"k", start + hours(30), true}}},
    {"each use counts, not only the latest",
     {{"k", start, true},
      {"k", start + hours(25), true},
      {"k", start + hours(1), false},
      {"k", start + hours(26), false}}},
    {"a clock 25 hours ahead for one start, then right again: what was used before is known, what comes after counts "
     "once",
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
     {{"before", start, true},
      {"x", nanoseconds(0), true},
      {"y", start, true, 3},
      {"before", start + hours(1), false}}},
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
     {{"a", start, true},
      {"x", start - hours(1), true},
      {"y", start + hours(48), true, all_looked_at - 2},
      {"a", start, false}}},
    {"an id used after others were forgotten, at an earlier time, is known",
     {{"a", start, true},
      {"x", start + hours(48), true, all_looked_at},
      {"b", start, true},
      {"b", start + hours(1), false},
      {"a", start, true}}},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_counts, projection_fixture)

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
                    const auto part =
                        std::span<const stored_message>(all).subspan(at, std::min(batch, all.size() - at));
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

BOOST_AUTO_TEST_SUITE_END()
