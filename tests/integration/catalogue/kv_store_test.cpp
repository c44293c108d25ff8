// A bucket as one service's instances see it: seeds, changes, each other.
#include "tests/integration/catalogue/kv_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::vector<catalogue_seed> seeds = metadata_seeds();

void require_seeded(const kv_fixture::instance& one)
{
    BOOST_TEST(one.title("123") == "It");
    BOOST_TEST(one.rev("123") == 1U);
    BOOST_TEST(one.title("456") == "Terminator");
    BOOST_TEST(one.rev("456") == 2U);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(kv_store_, kv_fixture)

BOOST_AUTO_TEST_CASE(a_new_bucket_holds_the_two_assets_of_the_seed)
{
    const auto one = open();
    require_seeded(one);
    BOOST_TEST(messages_in_bucket() == 2U);
    BOOST_TEST(one.store->stale_for().count() == 0);
}

BOOST_AUTO_TEST_CASE(instances_that_start_together_seed_once)
{
    std::vector<instance> all;
    for (int i = 0; i < 4; ++i)
        all.push_back(make());
    std::size_t opened = 0;
    for (auto& one : all)
        asio::co_spawn(io, one.store->open(deadline::in(30s)),
                       [&](const std::exception_ptr&, const result<void>& done)
                       { opened += done.has_value() ? 1 : 0; });
    until([&] { return opened == all.size(); });
    for (const auto& one : all)
        require_seeded(one);
    BOOST_TEST(messages_in_bucket() == 2U);
}

BOOST_AUTO_TEST_CASE(a_seed_that_was_left_half_written_is_completed)
{
    open({seeds[0]}); // died between the two writes
    BOOST_TEST(messages_in_bucket() == 1U);
    require_seeded(open());
}

BOOST_AUTO_TEST_CASE(a_bucket_that_is_in_use_is_not_seeded)
{
    auto bare = open({});
    BOOST_TEST(put(bare, "1", "first").has_value());
    BOOST_TEST(put(bare, "2", "second").has_value());
    const auto one = open();
    BOOST_TEST(one.title("123") == "");
    BOOST_TEST(one.title("456") == "");
}

BOOST_AUTO_TEST_CASE(a_bucket_that_was_left_empty_and_got_one_record_is_not_seeded_either)
{
    {
        auto bare = open({});
        BOOST_TEST(messages_in_bucket() == 0U);
        BOOST_TEST(put(bare, "1", "first").has_value());
    }
    const auto one = open();
    BOOST_TEST(one.title("1") == "first");
    BOOST_TEST(one.title("123") == "");
    BOOST_TEST(one.title("456") == "");
    BOOST_TEST(messages_in_bucket() == 1U);
}

BOOST_AUTO_TEST_CASE(a_deleted_seed_never_comes_back)
{
    {
        auto one = open();
        BOOST_TEST(erase(one, "123").has_value());
        BOOST_TEST(erase(one, "456").has_value());
    }
    for (const auto* how : {"a new instance", "a restarted broker", "markers removed"})
        BOOST_TEST_CONTEXT(how)
        {
            if (how == std::string("a restarted broker"))
            {
                server_down();
                server_up();
            }
            if (how == std::string("markers removed"))
                for (const auto* key : {"123", "456"})
                    purge(key);
            const auto one = open();
            BOOST_TEST(one.title("123") == "");
            BOOST_TEST(one.title("456") == "");
        }
}

BOOST_AUTO_TEST_CASE(a_change_is_visible_before_it_is_acknowledged)
{
    auto one = open();
    for (int i = 0; i < 50; ++i)
    {
        std::string seen;
        std::function<asio::awaitable<void>()> body = [&]() -> asio::awaitable<void>
        {
            auto putting = one.store->put(asset("789"), titled("789", "v" + std::to_string(i)), {}, deadline::in(10s));
            const auto stored = co_await std::move(putting);
            BOOST_REQUIRE(stored.has_value());
            seen = one.title("789"); // in the very turn of the acknowledgement
            BOOST_TEST((one.tag("789") == *stored));
            auto erasing = one.store->erase(asset("789"), {}, deadline::in(10s));
            const auto erased = co_await std::move(erasing);
            BOOST_REQUIRE(erased.has_value());
            BOOST_TEST(one.rev("789") == 0U);
        };
        run(body);
        BOOST_TEST(seen == "v" + std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(two_instances_follow_each_other)
{
    auto one = open();
    auto two = open();
    BOOST_TEST(put(one, "789", "from one").has_value());
    until([&] { return two.title("789") == "from one"; });
    BOOST_TEST(put(two, "789", "from two").has_value());
    until([&] { return one.title("789") == "from two"; });
    BOOST_TEST(erase(two, "123").has_value());
    until([&] { return one.title("123").empty(); });
    BOOST_TEST(one.rev("789") == two.rev("789"));
}

BOOST_AUTO_TEST_CASE(a_compare_and_set_is_made_or_lost_as_the_revision_says)
{
    auto one = open();
    const auto mismatch = "revision_mismatch";
    BOOST_TEST(code_of(put(one, "123", "x", 0)) == mismatch); // it is there
    BOOST_TEST(code_of(put(one, "123", "x", 2)) == mismatch); // another asset's
    BOOST_TEST(code_of(put(one, "123", "x", 99)) == mismatch);
    BOOST_TEST(code_of(put(one, "789", "x", 1)) == mismatch); // it is not there
    BOOST_TEST(one.title("123") == "It");

    const auto created = put(one, "789", "created", 0).value();
    BOOST_TEST(code_of(put(one, "789", "again", 0)) == mismatch);
    const auto changed = put(one, "789", "changed", created).value();
    BOOST_TEST(code_of(put(one, "789", "late", created)) == mismatch);
    BOOST_TEST(code_of(erase(one, "789", created)) == mismatch);
    const auto marker = erase(one, "789", changed).value();
    BOOST_TEST(code_of(erase(one, "789", changed)) == mismatch);
    BOOST_TEST(code_of(erase(one, "789")) == "asset_not_found");
    BOOST_TEST(code_of(put(one, "789", "x", changed)) == mismatch);
    BOOST_TEST(code_of(put(one, "789", "x", marker)) == mismatch); // a marker's revision is no record's
    BOOST_TEST(code_of(put(one, "789", "back", 0)) == "ok");       // absent again
    BOOST_TEST(one.title("789") == "back");
}

BOOST_AUTO_TEST_CASE(of_two_instances_that_expect_the_same_revision_one_wins)
{
    auto one = open();
    auto two = open();
    for (int round = 0; round < 30; ++round)
    {
        const auto key = "race-" + std::to_string(round / 3);
        const revision expected = round % 3 == 0 ? 0 : one.rev(key);
        until([&] { return two.rev(key) == one.rev(key); });
        std::vector<std::string> outcomes;
        for (auto* at : {&one, &two})
            asio::co_spawn(
                io, at->store->put(asset(key), titled(key, "r" + std::to_string(round)), expected, deadline::in(10s)),
                [&](const std::exception_ptr&, const result<record_tag>& done) { outcomes.push_back(code_of(done)); });
        until([&] { return outcomes.size() == 2; });
        std::sort(outcomes.begin(), outcomes.end());
        BOOST_TEST(outcomes[0] == "ok");
        BOOST_TEST(outcomes[1] == "revision_mismatch");
    }
}

BOOST_AUTO_TEST_CASE(an_unconditional_delete_wins_over_puts_that_race_with_it)
{
    auto one = open();
    auto two = open();
    for (int round = 0; round < 20; ++round)
    {
        std::size_t ended = 0;
        std::vector<std::string> puts;
        std::string deletion;
        for (int i = 0; i < 5; ++i)
            asio::co_spawn(io, two.store->put(asset("123"), titled("123", std::to_string(i)), {}, deadline::in(10s)),
                           [&](const std::exception_ptr&, const result<record_tag>& done)
                           {
                               puts.push_back(code_of(done));
                               ++ended;
                           });
        asio::co_spawn(io, one.store->erase(asset("123"), {}, deadline::in(10s)),
                       [&](const std::exception_ptr&, const result<record_tag>& done)
                       {
                           deletion = code_of(done);
                           ++ended;
                       });
        until([&] { return ended == 6; });
        BOOST_TEST(puts == std::vector<std::string>(5, "ok"), boost::test_tools::per_element());
        BOOST_TEST(deletion == "ok");
        BOOST_TEST(put(one, "123", "again").has_value());
        until([&] { return two.title("123") == "again" && two.rev("123") == one.rev("123"); });
    }
}

BOOST_AUTO_TEST_CASE(an_asset_deleted_elsewhere_can_be_created_and_one_created_elsewhere_deleted)
{
    auto one = open();
    auto two = open();
    for (int round = 0; round < 20; ++round)
    {
        BOOST_TEST(erase(one, "123").has_value());
        until([&] { return two.rev("123") == 0; });
        BOOST_TEST(put(two, "123", "anew", 0).has_value());
        until([&] { return one.rev("123") != 0; });
    }
}

BOOST_AUTO_TEST_CASE(fifty_thousand_records_load_quickly)
{
    auto bare = open({});
    header_list none;
    std::vector<pending_reply> acks;
    const std::string summary(200, 's');
    for (int i = 0; i < 50000; ++i)
    {
        const auto id = asset("asset-" + std::to_string(i));
        const auto value = catalogue_value<metadata_catalogue>(id, {"t", "g", summary});
        acks.push_back(hand->requests().request(subjects::kv_entry("metadata", id), value, none, deadline::in(60s)));
        if (acks.size() == 1000)
        {
            for (auto& ack : acks)
                BOOST_REQUIRE(wait(ack.receive()).has_value());
            acks.clear();
        }
    }
    const auto started = deadline::clock::now();
    const auto one = open();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(deadline::clock::now() - started);
    BOOST_TEST_MESSAGE("50,000 records in memory after " << took.count() << " ms");
    BOOST_TEST(took.count() < 60000); // sanitizers, a slow machine
    BOOST_TEST(one.store->statistics().at("records") == 50000);
    BOOST_TEST(one.title("asset-49999") == "t");
    until([&] { return bare.store->statistics().at("records") == 50000; });
}

BOOST_AUTO_TEST_SUITE_END()
