// Uses of ids whose users were erased.
#include "schemas/base32_sha256.hpp"
#include "services/reporting/projection/database.hpp"
#include "services/reporting/projection/projection_tables.hpp"
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <fstream>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct erasure_fixture : projection_fixture
{
    const std::string batch = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const std::string other_batch = "01ARZ3NDEKTSV4RRFFQ69G5FAX";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(projection_erasure, erasure_fixture)

BOOST_AUTO_TEST_CASE(hidden_ids_are_looked_for_where_they_may_be_alone)
{
    auto db = open_database(folder.file("tables.db"));
    projection_tables tables(db);
    const auto take = [&](const std::string& id, std::uint64_t sequence) {
        tables.take_id(id, {sequence, 0, day_one.count(), 0, "a", "jane"});
    };
    const auto is_used = [&](const std::string& id)
    {
        return tables.any_use(id, 0, day_one.count() + 1,
                              [](const first_use& use, std::int64_t) { return use.asset.empty() && use.user.empty(); });
    };
    const auto erase = [&](std::uint64_t sequence)
    {
        auto& erased = tables.erased();
        erased.begin_hiding("jane", sequence);
        erased.read_hidings();
        while (erased.has_hidings())
        {
            const auto part = erased.next_part(1);
            tables.hide(part);
            erased.save_part(part);
            erased.forget_part(part);
        }
    };
    take("key", 1);
    erase(2);
    BOOST_TEST(is_used("key"));
    BOOST_TEST(!tables.knows_batch(batch)); // a key is of no batch
    take(batch + ".7", 3);
    erase(4);
    BOOST_TEST(is_used(batch + ".7"));
    BOOST_TEST(!is_used(batch + ".8"));
    BOOST_TEST(tables.knows_batch(batch));
    BOOST_TEST(!tables.knows_batch(other_batch));
    db.exec("UPDATE first_uses SET id = '#' || 'a hash of any form' WHERE sequence = 1");
    projection_tables earlier(db); // as an earlier version has hidden it
    BOOST_TEST(earlier.knows_batch(other_batch));
    db.exec("DELETE FROM first_uses");
    projection_tables none(db);
    BOOST_TEST(!none.knows_batch(batch));
}

/// As earlier versions of this format wrote them.
BOOST_AUTO_TEST_CASE(ids_that_an_earlier_version_has_hidden_stay_used)
{
    apply({stored(1, event_json("key", "a", "jane")), stored(2, event_json(batch + ".0", "a", "jane"))});
    counts = projection::none();
    {
        SQLite::Database db(folder.file("counts.db"), SQLite::OPEN_READWRITE);
        for (const auto& id : {std::string("key"), batch + ".0"})
            db.exec("UPDATE first_uses SET id = '#" + base32_sha256(id) + "', asset = '', user = '' WHERE id = '" + id +
                    "'");
    }
    counts = open();
    apply({stored(3, event_json("key", "a", "jane")), stored(4, event_json(batch + ".0", "a", "jane")),
           stored(5, event_json(batch + ".0", "a", "jane") + '\n' + event_json(batch + ".1", "b", "jane"))});
    BOOST_TEST(counts.progress().duplicates == 3U);
    BOOST_TEST(of_asset("a") == 2U);
    BOOST_TEST(of_asset("b") == 1U);
}

/// Takes the lines of counts.
struct lines_taken final : counts_sink
{
    std::string all;
    bool wants(const stored_message&) override { return true; }
    void counted(const stored_message& m, std::string lines) override
    {
        all += std::to_string(m.sequence) + ' ' + lines;
    }
};

BOOST_AUTO_TEST_CASE(ids_are_hidden_in_parts_and_nothing_shows_which_are)
{
    std::vector<stored_message> before;
    for (std::uint64_t i = 1; i <= 1000; ++i)
        before.push_back(
            stored(i, event_json("e" + std::to_string(i), "a" + std::to_string(i % 3), i % 10 == 0 ? "jane" : "john")));
    auto erase = stored(1001, R"({"erase":"jane"})");
    erase.subject = "events.admin";
    const auto retract = [](std::uint64_t sequence, const std::string& id)
    {
        auto m = stored(sequence, R"({"retract":")" + id + "\"}");
        m.subject = "events.admin";
        return m;
    };
    // Her ids come again, for others and for her; she is no more, and then another.
    std::vector<stored_message> after;
    for (std::uint64_t i = 1002; i < 1102; ++i)
    {
        const auto id = "e" + std::to_string((i - 1001) * 10);
        after.push_back(i % 5 == 0   ? retract(i, id)
                        : i % 5 == 1 ? stored(i, "b:jane\n" + event_json(id, "b", "jane"))
                                     : stored(i, event_json(id, "b", i % 2 == 0 ? "jane" : "other")));
    }
    const auto count = [&](projection& into, std::size_t rows)
    {
        lines_taken lines;
        BOOST_REQUIRE(into.apply(before).has_value());
        const std::vector<stored_message> erasure{erase};
        BOOST_REQUIRE(into.stage(erasure).has_value());
        BOOST_TEST(into.has_hidings());
        BOOST_TEST(!into.user(user("jane")).value().has_value());
        for (const auto& each : after)
        {
            if (into.has_hidings() && rows > 0)
                BOOST_TEST(into.hide_some(rows).has_value());
            BOOST_REQUIRE(into.stage(std::span(&each, 1), &lines).has_value());
            if (each.sequence % 7 == 0)
                BOOST_REQUIRE(into.commit().has_value());
        }
        BOOST_REQUIRE(into.commit().has_value());
        return lines.all;
    };
    const auto never = count(counts, 0);
    auto in_parts = open("in-parts.db");
    BOOST_TEST(count(in_parts, 12) == never);
    auto soon = open("soon.db");
    BOOST_TEST(count(soon, 100'000) == never);
    BOOST_TEST(never.find("key_reused") == std::string::npos);
    counts = projection::none();
    counts = open(); // goes on with what is left
    BOOST_TEST(counts.has_hidings());
    BOOST_TEST(counts.hide_some(500).value());
    BOOST_TEST(!counts.hide_some(100'000).value());
    BOOST_TEST(!counts.has_hidings());
    BOOST_TEST(dump_of(counts) == dump_of(in_parts));
    BOOST_TEST(dump_of(counts) == dump_of(soon));
    BOOST_TEST(dump_of(counts).find("e500 ") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_file_holds_nothing_of_an_erased_user_also_of_rows_that_were_forgotten_before)
{
    const auto admin = [](std::uint64_t sequence, const std::string& who, nanoseconds at)
    {
        auto m = stored(sequence, R"({"erase":")" + who + "\"}", at);
        m.subject = "events.admin";
        return m;
    };
    std::vector<stored_message> events{stored(1, event_json("j1", "a", "jack")), admin(2, "jack", day_one)};
    for (std::uint64_t i = 3; i < 300; ++i)
        events.push_back(stored(i, event_json("of-her-" + std::to_string(i), "a", "jane-of-the-file")));
    apply(events);
    events.clear();
    for (std::uint64_t i = 300; i < 12'000; ++i) // her ids are forgotten, and their rows deleted
        events.push_back(
            stored(i, event_json("id-" + std::to_string(i), "b", "u" + std::to_string(i % 50)), day_one + hours(30)));
    for (std::size_t at = 0; at < events.size(); at += 100)
        apply({events.begin() + static_cast<std::ptrdiff_t>(at),
               events.begin() + static_cast<std::ptrdiff_t>(std::min(at + 100, events.size()))});
    apply({admin(12'000, "jane-of-the-file", day_one + hours(30))});
    while (counts.hide_some(1000).value())
    {
    }
    counts = projection::none(); // closed, with an empty log
    const auto path = folder.file("counts.db");
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(bytes.size() > 100'000U);
    BOOST_TEST(bytes.find("id-11999") != std::string::npos);
    BOOST_TEST((bytes.find("jane") == std::string::npos));
    BOOST_TEST((bytes.find("jack") == std::string::npos));
    counts = open();
    BOOST_TEST(dump_of(counts).find("jane") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_file_is_told_to_overwrite_what_is_deleted)
{
    auto db = open_database(folder.file("tables.db"));
    BOOST_TEST(db.execAndGet("PRAGMA secure_delete").getInt() == 1);
}

BOOST_AUTO_TEST_CASE(many_erasures_are_one_pass_through_the_rows)
{
    std::vector<stored_message> events;
    for (std::uint64_t i = 1; i <= 300; ++i)
        events.push_back(stored(i, event_json("e" + std::to_string(i), "a", "u" + std::to_string(i))));
    for (std::uint64_t i = 301; i <= 400; ++i)
    {
        events.push_back(stored(i, R"({"erase":"u)" + std::to_string(i - 300) + "\"}"));
        events.back().subject = "events.admin";
    }
    apply(events);
    int parts = 1;
    while (counts.hide_some(30).value())
        ++parts;
    BOOST_TEST(parts == 10);
    BOOST_TEST(!counts.has_hidings());
}

BOOST_AUTO_TEST_SUITE_END()
