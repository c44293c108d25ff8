// What is staged, and written in one transaction or in parts.
#include "services/reporting/projection/counter_tables.hpp"
#include "services/reporting/projection/database.hpp"
#include "services/reporting/projection/staged_rows.hpp"
#include "tests/unit/services/reporting/projection/projection_fixture.hpp"

#include <SQLiteCpp/Database.h>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(projection_counts, projection_fixture)

BOOST_AUTO_TEST_CASE(what_is_staged_is_answered_at_once_and_is_the_same_once_written)
{
    apply({stored(1, event_json("e1", "b", "8")), stored(2, event_json("e2", "c", "8")),
           stored(3, event_json("e3", "c", "9"))});
    const std::vector<stored_message> more = {
        stored(4, event_json("e4", "a", "8")), stored(5, event_json("e4", "a", "8")),
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
    BOOST_TEST(counts.progress().duplicates > 100u); // the stream is mixed
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

BOOST_AUTO_TEST_CASE(a_written_id_is_known_whatever_order_ids_come_in)
{
    const std::vector<std::string> ids{"m", "c", "z", "c1", "01", "a", "zz", "Z"};
    std::uint64_t sequence = 0;
    const auto send = [&](const std::string& id)
    {
        ++sequence;
        apply({stored(sequence, event_json(id, "asset", "user"), day_one + std::chrono::seconds(sequence))});
    };
    for (const auto& id : ids)
        send(id);
    BOOST_TEST(counts.progress().applied == ids.size());
    for (const auto& id : ids)
        send(id);
    counts = projection::none(); // closes the file
    counts = open();
    for (const auto& id : ids)
        send(id);
    BOOST_TEST(counts.progress().duplicates == 2 * ids.size());
    for (const std::string id : {"b", "zzz", "00", "c0", "d"})
        send(id);
    BOOST_TEST(counts.progress().applied == ids.size() + 5);
    BOOST_TEST(of_asset("asset") == ids.size() + 5);
}

BOOST_AUTO_TEST_CASE(counting_goes_on_while_a_transaction_is_written_in_parts)
{
    const auto stream = mixed_stream(2000);
    const std::span<const stored_message> all(stream);
    auto whole = open("whole.db"); // everything in one transaction at the end
    std::size_t in_parts = 0;
    for (std::size_t at = 0; at < all.size(); at += 10)
    {
        BOOST_REQUIRE(counts.stage(all.subspan(at, 10)).has_value());
        BOOST_REQUIRE(whole.stage(all.subspan(at, 10)).has_value());
        const auto written = counts.write_some(7);
        BOOST_REQUIRE(written.has_value());
        in_parts += *written ? 0 : 1;
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
    BOOST_TEST(in_parts > 100U);
    while (counts.uncommitted() > 0) // what was staged meanwhile belongs to another transaction
        BOOST_REQUIRE(counts.write_some(7).has_value());
    BOOST_TEST(dump_of(counts) == dump_of(whole));
}

BOOST_AUTO_TEST_CASE(a_commit_ends_the_open_transaction_wherever_it_is)
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

BOOST_AUTO_TEST_CASE(counters_beyond_the_limit_are_dropped_a_few_at_a_time_and_none_that_is_not_written)
{
    auto db = open_database(":memory:");
    counter_tables tables(db);
    constexpr std::size_t most = 20'000;
    staged_rows<asset_row> rows(tables, {most, 1'000'000});
    std::uint32_t next = 1;
    for (std::size_t i = 0; i < most + 5000; ++i)
        ++rows.change("asset-" + std::to_string(i), next).views;
    rows.evict(1000);
    BOOST_TEST(rows.known() == most + 5000); // nothing is written yet
    rows.freeze();
    BOOST_TEST(rows.write(most * 2) == most + 5000);
    rows.evict(1000);
    BOOST_TEST(rows.known() == most + 5000);
    rows.written();
    rows.evict(100);
    BOOST_TEST(rows.known() < most + 5000);
    BOOST_TEST(rows.known() > most + 3000);
    rows.evict(100'000);
    BOOST_TEST(rows.known() <= most);
    BOOST_TEST(rows.known() > most - 100);
    for (std::size_t i = 0; i < most + 5000; i += 997)
        BOOST_TEST(rows.views("asset-" + std::to_string(i)) == 1U);
}

BOOST_AUTO_TEST_CASE(long_histories_are_dropped_before_many_rows_are_and_come_back_whole)
{
    auto db = open_database(":memory:");
    counter_tables tables(db);
    constexpr std::uint32_t assets = 1000;
    constexpr std::size_t users = 120;
    staged_rows<user_row> rows(tables, {200'000, std::size_t{assets} * 100});
    std::uint32_t next = 1;
    const auto id = [](std::size_t i) { return "user-" + std::to_string(i); };
    const auto write = [&]
    {
        rows.freeze();
        BOOST_TEST(rows.write(users + 1) == users);
        rows.written();
    };
    for (std::size_t i = 0; i < users; ++i)
        for (std::uint32_t asset = 1; asset <= assets; ++asset)
            (void)rows.change(id(i), next).see(asset, 1);
    write();
    rows.evict(100'000);
    BOOST_TEST(rows.known() < 101U);
    BOOST_TEST(rows.known() > 90U);
    for (const std::uint32_t changed : {5U, 400U}) // a few changes of the list, and many
    {
        for (std::size_t i = 0; i < users; ++i)
            for (std::uint32_t asset = assets + changed; asset > assets - changed; --asset)
                (void)rows.change(id(i), next).see(asset, 2);
        write();
        staged_rows<user_row> read(tables);
        for (std::size_t i = 0; i < users; i += 7)
            BOOST_TEST((read.get(id(i)).seen == rows.get(id(i)).seen));
        BOOST_TEST(read.get(id(7)).seen.size() == assets + changed);
    }
}

BOOST_AUTO_TEST_SUITE_END()
