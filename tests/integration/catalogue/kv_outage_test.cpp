// A bucket that was out of sight for a while, and what came of it meanwhile.
#include "tests/integration/catalogue/kv_fixture.hpp"
#include "tests/support/store_copy.hpp"

using namespace marquee;
using namespace marquee::test;

namespace
{

/// `one` runs on a loop of its own: while that stands still, whatever happens is unseen by `one`.
struct outage_fixture : kv_fixture
{
    outage_fixture() { apart_runs = true; }
    ~outage_fixture() { one.store.reset(); }

    instance one = open_first();

    instance open_first()
    {
        apart_runs = true;
        return open_on(apart);
    }

    /// `one` loses sight of the bucket; the others have it again at once.
    void one_loses_sight()
    {
        server.kill();
        until([&] { return !hand->connected() && !one.nats->connected(); });
        apart_runs = false;
        server_up();
    }

    /// `one` runs again, and has caught up.
    void one_sees_again()
    {
        apart_runs = true;
        until([&] { return one.store->stale_for().count() == 0; });
        put_until_it_works(one, "proof", "it works");
        BOOST_TEST(one.title("proof") == "it works");
    }

    /// What `one` serves is what a new instance reads from the bucket.
    void require_one_serves_the_bucket()
    {
        const auto fresh = open();
        const auto served = one.store->list("", 1000, 1000000);
        const auto truth = fresh.store->list("", 1000, 1000000);
        BOOST_TEST(served.values == truth.values, boost::test_tools::per_element());
    }

    /// Takes the server down, puts an older copy of the store in place, and starts it; `one` is
    /// blocked from then on.
    void restore(const store_copy& older)
    {
        server.stop();
        until([&] { return !hand->connected() && !one.nats->connected(); });
        apart_runs = false;
        older.restore();
        server_up();
    }

    std::unique_ptr<store_copy> copy_of_now()
    {
        server.stop();
        until([&] { return !hand->connected() && !one.nats->connected(); });
        auto copy = std::make_unique<store_copy>(server);
        server_up();
        until([&] { return one.store->stale_for().count() == 0; });
        return copy;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(kv_outage, outage_fixture)

BOOST_AUTO_TEST_CASE(after_a_killed_broker_the_watch_goes_on)
{
    for (int round = 0; round < 3; ++round)
    {
        server.kill();
        until([&] { return !one.nats->connected(); });
        BOOST_TEST(one.title("123") == (round == 0 ? "It" : "v" + std::to_string(round - 1))); // still answered
        server_up();
        put_until_it_works(one, "123", "v" + std::to_string(round));
        BOOST_TEST(one.title("123") == "v" + std::to_string(round));
    }
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(changes_made_meanwhile_appear)
{
    one_loses_sight();
    auto two = open();
    BOOST_TEST(put(two, "123", "changed").has_value());
    BOOST_TEST(erase(two, "456").has_value());
    BOOST_TEST(put(two, "789", "new").has_value());
    BOOST_TEST(one.title("123") == "It");
    one_sees_again();
    BOOST_TEST(one.title("123") == "changed");
    BOOST_TEST(one.title("456") == "");
    BOOST_TEST(one.title("789") == "new");
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(what_was_removed_without_a_trace_is_dropped)
{
    struct row
    {
        const char* what;
        std::function<void(instance& two)> happens;
    };
    const row rows[] = {
        {"a key", [&](instance&) { purge("123"); }},
        {"a key, and a change follows",
         [&](instance& two)
         {
             purge("123");
             BOOST_TEST(put(two, "456", "changed").has_value());
         }},
        {"a key, and a change before",
         [&](instance& two)
         {
             BOOST_TEST(put(two, "456", "changed").has_value());
             purge("123");
         }},
        {"a key, and a strange one appears",
         [&](instance&)
         {
             purge("123");
             write("$KV.metadata.no.id", "noise");
         }},
        {"a deleted key's marker",
         [&](instance& two)
         {
             BOOST_TEST(erase(two, "123").has_value());
             purge("123");
         }},
        {"the last change",
         [&](instance& two)
         {
             BOOST_TEST(put(two, "999", "short-lived").has_value());
             purge("999");
         }},
        {"everything",
         [&](instance&)
         {
             for (const auto* key : {"123", "456", "999", "proof", "no.id"})
                 purge(key);
         }},
    };
    for (const auto& [what, happens] : rows)
        BOOST_TEST_CONTEXT(what)
        {
            BOOST_TEST(put(one, "123", "It").has_value());
            one_loses_sight();
            {
                auto two = open();
                happens(two);
            }
            one_sees_again();
            require_one_serves_the_bucket();
            if (what == std::string("the last change"))
                BOOST_TEST(one.title("123") == "It");
            else
                BOOST_TEST(one.title("123") == "");
        }
}

BOOST_AUTO_TEST_CASE(a_bucket_deleted_and_made_again_is_followed)
{
    BOOST_TEST(put(one, "789", "of the first bucket").has_value());
    drop_bucket();
    auto two = open(); // makes and seeds it
    until([&] { return one.title("789").empty(); });
    put_until_it_works(one, "proof", "it works");
    until([&] { return two.title("proof") == "it works"; });
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(a_put_into_a_bucket_not_known_to_be_another_is_never_a_false_ok)
{
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(put(one, "789", "of the first bucket").has_value());
    drop_bucket();
    auto two = open();
    const auto stored = put(one, "123", "of the second");
    if (stored.has_value())
        BOOST_TEST(one.title("123") == "of the second");
    else
        BOOST_TEST(code_of(stored) == "outcome_unknown");
    until([&] { return one.title("123") == "of the second" && one.title("789").empty(); });
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(a_put_without_a_bucket_is_unavailable)
{
    drop_bucket();
    BOOST_TEST(code_of(put(one, "123", "nowhere")) == "unavailable");
    BOOST_TEST(one.title("123") == "It");
}

BOOST_AUTO_TEST_CASE(a_bucket_restored_to_an_older_copy_is_read_again)
{
    BOOST_TEST(put(one, "123", "in the copy").has_value());
    const auto older = copy_of_now();
    BOOST_TEST(put(one, "123", "lost").has_value());
    BOOST_TEST(put(one, "789", "lost too").has_value());
    restore(*older);
    one_sees_again();
    BOOST_TEST(one.title("123") == "in the copy");
    BOOST_TEST(one.title("789") == "");
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(a_bucket_restored_and_grown_past_the_old_end_is_read_again)
{
    for (const int growth : {2, 5}) // exactly as long as before, and longer
        BOOST_TEST_CONTEXT(growth)
        {
            BOOST_TEST(put(one, "123", "in the copy").has_value());
            const auto older = copy_of_now();
            BOOST_TEST(put(one, "123", "lost").has_value());
            BOOST_TEST(put(one, "789", "lost too").has_value());
            restore(*older);
            {
                auto two = open();
                for (int i = 1; i < growth; ++i)
                    BOOST_TEST(put(two, "456", "grown").has_value());
                BOOST_TEST(put(two, "888", "new").has_value());
            }
            one_sees_again();
            BOOST_TEST(one.title("123") == "in the copy");
            BOOST_TEST(one.title("789") == "");
            BOOST_TEST(one.title("888") == "new");
            require_one_serves_the_bucket();
        }
}

BOOST_AUTO_TEST_CASE(without_the_bucket_reads_go_on_and_writes_fail_and_the_staleness_is_reported)
{
    BOOST_TEST(one.store->stale_for().count() == 0);
    server.kill();
    until([&] { return !one.nats->connected(); });
    until([&] { return one.store->stale_for() > 50ms; });
    const auto before = one.store->stale_for();
    until([&] { return one.store->stale_for() > before + 50ms; });
    BOOST_TEST(one.store->statistics().at("stale_for_ms").as_int64() >= 100);
    BOOST_TEST(one.title("123") == "It");
    BOOST_TEST(one.store->list("", 10, 10000).values.size() == 2U);

    const std::vector<std::pair<std::string, std::string>> failures = {
        {"put", code_of(put(one, "123", "x"))},
        {"put as it is", code_of(put(one, "123", "x", one.rev("123")))},
        {"put in vain", code_of(put(one, "123", "x", 0))}, // memory may be old: it cannot judge
        {"put of a new one", code_of(put(one, "789", "x", 0))},
        {"delete", code_of(erase(one, "123"))},
        {"delete of what is not here", code_of(erase(one, "789"))},
    };
    for (const auto& [what, code] : failures)
        BOOST_TEST(code == "unavailable", what << ": " << code);

    server_up();
    until([&] { return one.store->stale_for().count() == 0; });
    BOOST_TEST(one.store->statistics().at("stale_for_ms") == 0);
    BOOST_TEST(put(one, "123", "works").has_value());
}

BOOST_AUTO_TEST_CASE(a_put_that_is_pending_when_the_broker_dies_has_an_unknown_outcome)
{
    server.suspend();
    std::string code;
    asio::co_spawn(apart, one.store->put(asset("123"), titled("123", "perhaps"), {}, deadline::in(20s)),
                   [&](const std::exception_ptr&, const result<record_tag>& done) { code = code_of(done); });
    for (int i = 0; i < 10; ++i)
        spin();
    server.kill();
    until([&] { return !code.empty(); });
    BOOST_TEST(code == "outcome_unknown");
    server_up();
    one_sees_again();
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_CASE(a_put_that_a_frozen_broker_answers_too_late_has_an_unknown_outcome)
{
    server.suspend();
    BOOST_TEST(code_of(put(one, "123", "late", {}, 300ms)) == "outcome_unknown");
    server.resume();
    one_sees_again();
    BOOST_TEST(one.title("123") == "late"); // it was in the broker's socket
}

BOOST_AUTO_TEST_CASE(a_put_the_bucket_took_and_this_instance_does_not_see_has_an_unknown_outcome)
{
    const auto names = api(subject::of({"$JS", "API", "CONSUMER", "NAMES", "KV_metadata"}));
    for (const auto& name : names.at("consumers").as_array())
        api(subject::of({"$JS", "API", "CONSUMER", "DELETE", "KV_metadata", name.as_string()}));
    BOOST_TEST(code_of(put(one, "123", "unseen", {}, 500ms)) == "outcome_unknown");
    BOOST_TEST(one.title("123") == "It");
    until([&] { return one.title("123") == "unseen"; }); // no heartbeat came
    BOOST_TEST(put(one, "123", "seen").has_value());
}

BOOST_AUTO_TEST_CASE(an_instance_that_was_blocked_during_many_changes_has_them_all)
{
    apart_runs = false;
    auto two = open();
    const std::string summary(8000, 's');
    const header_list none;
    std::vector<pending_reply> acks;
    for (int i = 0; i < 6000; ++i)
    {
        const auto id = asset("asset-" + std::to_string(i % 3000));
        const auto value = catalogue_value<metadata_catalogue>(id, {"v" + std::to_string(i), "g", summary});
        acks.push_back(hand->requests().request(subjects::kv_entry("metadata", id), value, none, deadline::in(60s)));
        if (acks.size() < 50)
            continue;
        for (auto& ack : acks)
            BOOST_REQUIRE(wait(ack.receive()).has_value());
        acks.clear();
    }
    apart_runs = true;
    until([&] { return one.title("asset-2999") == "v5999"; });
    BOOST_TEST(one.store->statistics().at("records") == 3002);
    one_sees_again();
    require_one_serves_the_bucket();
}

BOOST_AUTO_TEST_SUITE_END()
