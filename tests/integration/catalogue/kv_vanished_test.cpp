// Records that vanish without a message: purged, deleted or expired in the stream behind the
// bucket.
#include "tests/integration/catalogue/kv_fixture.hpp"

#include <set>

using namespace marquee;
using namespace marquee::test;

namespace
{

const auto stream = std::string("KV_metadata");

struct vanished_fixture : kv_fixture
{
    /// A bucket made by another program: without the protection against deleting messages.
    void make_bucket(const std::string& more = "")
    {
        create_stream(stream,
                      R"({"name":"KV_metadata","subjects":["$KV.metadata.>"],"retention":"limits","storage":"file",
            "discard":"new","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"max_msg_size":-1,"max_msgs_per_subject":1,
            "num_replicas":1,"duplicate_window":120000000000,"allow_rollup_hdrs":true,"allow_direct":true)" +
                          more + "}");
    }

    /// An edit as the CLI makes it: the present configuration with one setting changed.
    void edit(const std::string& setting, const boost::json::value& value)
    {
        auto config = api(subject::of({"$JS", "API", "STREAM", "INFO", stream})).at("config").as_object();
        config[setting] = value;
        api(subject::of({"$JS", "API", "STREAM", "UPDATE", stream}), boost::json::serialize(config));
    }

    void purge_with(const std::string& payload)
    {
        api(subject::of({"$JS", "API", "STREAM", "PURGE", stream}), payload);
    }

    void delete_message(revision number)
    {
        api(subject::of({"$JS", "API", "STREAM", "MSG", "DELETE", stream}),
            R"({"seq":)" + std::to_string(number) + "}");
    }

    static std::int64_t counted(const instance& of, const char* what)
    {
        return of.store->statistics().at(what).to_number<std::int64_t>();
    }

    /// What `one` serves is what a new instance reads from the bucket, and a change works.
    void require_the_bucket_is_served(instance& one)
    {
        const auto fresh = open({});
        const auto served = one.store->list("", 1000, 1000000);
        const auto truth = fresh.store->list("", 1000, 1000000);
        BOOST_TEST(served.values == truth.values, boost::test_tools::per_element());
        put_until_it_works(one, "proof", "it works");
        BOOST_TEST(one.title("proof") == "it works");
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(kv_vanished, vanished_fixture)

BOOST_AUTO_TEST_CASE(what_vanishes_under_a_live_watch_is_served_no_longer)
{
    compare_every = 50ms;
    make_bucket();
    auto one = open();
    auto two = open();
    struct row
    {
        const char* what;
        std::function<void()> happens;
        const char* titles; ///< of 123 and 456 afterwards
    };
    const auto rollup = []
    {
        header_list headers;
        headers.set("Nats-Rollup", "all");
        return headers;
    }();
    const row rows[] = {
        {"one subject is purged", [&] { purge("123"); }, "/456"},
        {"a message is deleted", [&] { delete_message(one.rev("123")); }, "/456"},
        {"the newest message is deleted", [&] { delete_message(one.rev("456")); }, "123/"},
        {"all is purged", [&] { purge_with("{}"); }, "/"},
        {"all is purged but the newest", [&] { purge_with(R"({"keep":1})"); }, "/456"},
        {"one is purged and another one made",
         [&]
         {
             purge("123");
             BOOST_TEST(put(two, "789", "new").has_value());
         },
         "/456"},
        {"one is made and another one purged",
         [&]
         {
             BOOST_TEST(put(two, "789", "new").has_value());
             purge("123");
         },
         "/456"},
        {"one takes the place of all", [&] { write("$KV.metadata.789", titled("789", "alone"), rollup); }, "/"},
        {"a delete marker is purged, too",
         [&]
         {
             BOOST_TEST(erase(two, "123").has_value());
             purge("123");
         },
         "/456"},
        {"one is purged and made again",
         [&]
         {
             purge("123");
             write("$KV.metadata.123", titled("123", "again"));
         },
         "again/456"},
    };
    for (const auto& [what, happens, titles] : rows)
        BOOST_TEST_CONTEXT(what)
        {
            BOOST_TEST(put(one, "123", "123").has_value());
            BOOST_TEST(put(one, "456", "456").has_value());
            until([&] { return two.title("123") + two.title("456") == "123456"; });
            happens();
            for (auto* each : {&one, &two})
                until([&] { return each->title("123") + '/' + each->title("456") == titles; }, 5s);
            require_the_bucket_is_served(one);
        }
    BOOST_TEST(counted(one, "vanished") > 0);
    BOOST_TEST(counted(one, "read_anew") == 0); // each was found by name
    BOOST_TEST(one.store->stale_for().count() == 0);
}

BOOST_AUTO_TEST_CASE(of_a_key_with_a_history_the_value_before_comes_back)
{
    compare_every = 50ms;
    make_bucket();
    auto one = open();
    edit("max_msgs_per_subject", 3);
    for (const auto* title : {"first", "second", "third"})
        BOOST_TEST(put(one, "123", title).has_value());
    until([&] { return messages_in_bucket() == 4U; }); // with the other seed
    delete_message(one.rev("123"));
    until([&] { return one.title("123") == "second"; }, 5s);
    const auto fourth = put(one, "123", "fourth").value();
    delete_message(fourth);
    BOOST_TEST(code_of(put(one, "123", "x", fourth, 5s)) != "ok"); // another value is there
    until([&] { return one.title("123") == "third" || one.title("123") == "second"; }, 5s);
    purge("123");
    until([&] { return one.title("123").empty(); }, 5s);
    put_until_it_works(one, "proof", "it works");
}

BOOST_AUTO_TEST_CASE(a_bucket_with_a_history_is_as_good_as_one_without)
{
    make_bucket();
    compare_every = 20ms;
    auto two = open();
    edit("max_msgs_per_subject", 2);
    for (int i = 0; i < 30; ++i)
        BOOST_TEST(put(two, "key " + std::to_string(i % 7), std::to_string(i)).has_value());
    edit("max_msgs_per_subject", 5);
    for (int i = 0; i < 30; ++i)
        BOOST_TEST(put(two, "key " + std::to_string(i % 7), std::to_string(i)).has_value());
    edit("max_msgs_per_subject", 1);
    BOOST_TEST(erase(two, "key 3").has_value());
    until([&] { return messages_in_bucket() == 9U; });
    const auto before = counted(two, "read_anew");
    BOOST_TEST(before <= 3); // one for each edit: what was written until it was noticed was counted by the old setting
    const auto end = deadline::in(300ms);
    until([&] { return end.passed(); });
    BOOST_TEST(counted(two, "read_anew") == before); // the counts agree
    BOOST_TEST(counted(two, "vanished") == 0);
    require_the_bucket_is_served(two);
}

BOOST_AUTO_TEST_CASE(comparing_finds_nothing_wrong_while_much_is_written)
{
    compare_every = 2ms;
    auto one = open();
    auto two = open();
    std::size_t ended = 0;
    constexpr std::size_t changes = 600;
    for (std::size_t i = 0; i < changes; ++i)
    {
        auto& at = i % 2 == 0 ? one : two;
        const auto key = std::to_string(i % 90);
        if (i % 5 == 4)
            asio::co_spawn(io, at.store->erase(asset(key), {}, deadline::in(20s)),
                           [&](const std::exception_ptr&, const result<record_tag>&) { ++ended; });
        else
            asio::co_spawn(io, at.store->put(asset(key), titled(key, std::to_string(i)), {}, deadline::in(20s)),
                           [&](const std::exception_ptr&, const result<record_tag>&) { ++ended; });
        if (i % 20 == 19)
            spin();
    }
    until([&] { return ended == changes; });
    for (auto* each : {&one, &two})
    {
        BOOST_TEST(counted(*each, "vanished") == 0);
        BOOST_TEST(counted(*each, "read_anew") == 0);
    }
    require_the_bucket_is_served(one);
}

BOOST_AUTO_TEST_CASE(a_change_of_what_has_vanished_says_so_at_once)
{
    auto one = open(); // which does not compare for a minute
    const auto now = one.rev("123");
    purge("123");
    BOOST_TEST(code_of(put(one, "123", "x", now, 5s)) == "revision_mismatch");
    until([&] { return one.title("123").empty(); }, 5s); // the refusal was a sign
    purge("456");
    // A comparison that runs just now may read the bucket again; until it has, changes are refused.
    const auto settles = [&](const auto& change, const std::string& code)
    {
        std::string last;
        until([&] { return (last = code_of(change())) != "unavailable"; }, 10s);
        BOOST_TEST(last == code);
    };
    settles([&] { return erase(one, "456", {}, 5s); }, "asset_not_found");
    settles([&] { return put(one, "456", "back", 0); }, "ok");
    require_the_bucket_is_served(one);
}

BOOST_AUTO_TEST_CASE(a_message_replaced_before_it_was_delivered_is_a_sign_that_others_may_have_vanished)
{
    make_bucket();
    auto one = open(); // which does not compare for a minute
    const auto put_by_hand = [&](int number)
    {
        const header_list none;
        BOOST_REQUIRE(hand->publish("$KV.metadata.789", titled("789", std::to_string(number)), none).has_value());
    };
    purge("123"); // unseen
    write("$KV.metadata.789", titled("789", "alone"));
    until([&] { return one.title("789") == "alone"; });
    BOOST_TEST(one.title("123") == "It"); // the next number says nothing
    for (int round = 0; !one.title("123").empty(); ++round)
    {
        BOOST_TEST_REQUIRE(round < 100);
        for (int i = 0; i < 200; ++i) // of a burst on one key some are gone when their turn comes
            put_by_hand(i);
        const auto end = deadline::in(100ms);
        until([&] { return one.title("123").empty() || end.passed(); });
    }
    BOOST_TEST(one.title("456") == "Terminator");
    BOOST_TEST(counted(one, "vanished") == 1);
    BOOST_TEST(counted(one, "read_anew") == 0);
    require_the_bucket_is_served(one);
}

BOOST_AUTO_TEST_CASE(a_value_that_expires_is_served_no_longer)
{
    compare_every = 100ms;
    make_bucket();
    auto one = open();
    edit("allow_msg_ttl", true); // without markers for what expires
    if (!api(subject::of({"$JS", "API", "STREAM", "INFO", stream})).at("config").as_object().contains("allow_msg_ttl"))
    {
        BOOST_TEST_MESSAGE("this nats-server lets no single message expire");
        return;
    }
    BOOST_TEST(put(one, "456", "stays").has_value());
    header_list short_lived;
    short_lived.set("Nats-TTL", "1s");
    write("$KV.metadata.123", titled("123", "short-lived"), short_lived);
    until([&] { return one.title("123") == "short-lived"; });
    until([&] { return one.title("123").empty(); }, 10s);
    put_until_it_works(one, "proof", "it works");
}

BOOST_AUTO_TEST_CASE(a_tag_is_the_same_in_every_instance_and_over_restarts)
{
    std::string seed;
    record_tag made;
    {
        auto one = open();
        const auto stored = tagged_put(one, "789", "new");
        BOOST_REQUIRE(stored.has_value());
        made = *stored;
        auto two = open();
        BOOST_TEST((two.tag("789") == made));
        seed = to_text(two.tag("123"));
    }
    server_down();
    server_up();
    auto one = open();
    BOOST_TEST((one.tag("789") == made));
    BOOST_TEST(to_text(one.tag("123")) == seed);
    write("$KV.metadata.foreign", titled("foreign", "by hand")); // what others write has a tag, too
    until([&] { return !one.title("foreign").empty(); });
    BOOST_TEST((one.tag("foreign").revision == one.rev("foreign") && one.tag("foreign").stored > made.stored));
}

BOOST_AUTO_TEST_CASE(a_put_answers_its_own_tag_also_where_others_follow_at_once)
{
    auto one = open();
    auto two = open();
    std::vector<record_tag> tags;
    for (int i = 0; i < 40; ++i)
        asio::co_spawn(io,
                       (i % 2 == 0 ? one : two)
                           .store->put(asset("raced"), titled("raced", std::to_string(i)), {}, deadline::in(20s)),
                       [&](const std::exception_ptr&, const result<record_tag>& done)
                       { tags.push_back(done.value()); });
    until([&] { return tags.size() == 40; });
    std::set<revision> numbers;
    std::size_t standing = 0;
    for (const auto& tag : tags)
    {
        numbers.insert(tag.revision);
        standing += tag == one.tag("raced") ? 1 : 0;
    }
    BOOST_TEST(numbers.size() == 40U);
    BOOST_TEST(standing == 1U); // the last one's: it replaced the others
}

BOOST_AUTO_TEST_CASE(a_tag_made_by_another_instance_matches_before_its_change_is_seen_here)
{
    auto one = open();
    apart_runs = true;
    auto two = open_on(apart);
    apart_runs = false; // it is blocked
    const auto made = tagged_put(one, "789", "by one").value();
    BOOST_TEST(two.title("789") == "");
    std::vector<std::string> codes;
    const auto note = [&](const std::exception_ptr&, const result<record_tag>& done)
    { codes.push_back(code_of(done)); };
    apart_runs = true;
    const record_tag lost{made.revision, made.stored + 1ns};
    asio::co_spawn(apart, two.store->put(asset("789"), titled("789", "lost"), lost, deadline::in(20s)), note);
    until([&] { return codes.size() == 1; });
    const record_tag nobodys{made.revision + 1000, made.stored};
    asio::co_spawn(apart, two.store->put(asset("789"), titled("789", "lost"), nobodys, deadline::in(20s)), note);
    until([&] { return codes.size() == 2; });
    asio::co_spawn(apart, two.store->put(asset("789"), titled("789", "by two"), made, deadline::in(20s)), note);
    until([&] { return codes.size() == 3; });
    const std::vector<std::string> expected = {"revision_mismatch", "revision_mismatch", "ok"};
    BOOST_TEST(codes == expected, boost::test_tools::per_element());
    until([&] { return one.title("789") == "by two"; });
    two.store.reset();
}

BOOST_AUTO_TEST_CASE(a_tag_from_before_a_restored_backup_never_matches_again)
{
    auto one = open();
    const auto old = tagged_put(one, "123", "of the first history").value();
    drop_bucket();
    auto two = open(); // another history: its revisions are given out again
    until([&] { return one.title("123") == "It"; });
    BOOST_TEST(put(two, "123", "of the second history").value() == old.revision);
    until([&] { return one.title("123") == "of the second history"; });
    for (auto* each : {&one, &two})
    {
        BOOST_TEST((each->tag("123") != old));
        BOOST_TEST(code_of(put(*each, "123", "lost update", old)) == "revision_mismatch");
        BOOST_TEST(code_of(erase(*each, "123", old)) == "revision_mismatch");
    }
    BOOST_TEST(code_of(put(one, "123", "known update", two.tag("123"))) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
