#include "broker/jetstream/publish.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "broker/jetstream/streams.hpp"

#include "tests/integration/broker_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
namespace json = boost::json;

const header_list no_headers;
const auto events = subject::of({"events"});

stream_config events_config()
{
    stream_config c;
    c.name = "EVENTS";
    c.subject = "events";
    return c;
}

struct jetstream_fixture : broker_fixture
{
    std::unique_ptr<connection> nats = connect();

    asio::awaitable<result<stream_state>> ensure(stream_config c)
    {
        return ensure_stream(nats->requests(), std::move(c), deadline::in(5s));
    }

    asio::awaitable<result<stored_event>> store(std::string payload, std::string id)
    {
        return publish_stored(nats->requests(), events, std::move(payload), std::move(id), deadline::in(5s));
    }

    asio::awaitable<json::value> api(subject to, std::string payload)
    {
        auto pending = nats->requests().request(to, payload, no_headers, deadline::in(5s));
        auto reply = co_await pending.receive();
        BOOST_REQUIRE(reply.has_value());
        co_return json::parse(reply->data);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(jetstream_, jetstream_fixture)

BOOST_AUTO_TEST_CASE(a_missing_stream_is_created_and_then_used)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = ensure(events_config());
            auto made = co_await std::move(making);
            BOOST_REQUIRE(made.has_value());
            BOOST_TEST(made->last_sequence == 0U);
            BOOST_TEST(!made->created.empty());

            auto storing = store("123:42", "");
            (void)co_await std::move(storing);
            auto using_it = ensure(events_config());
            auto used = co_await std::move(using_it);
            BOOST_REQUIRE(used.has_value());
            BOOST_TEST(used->created == made->created);
            BOOST_TEST(used->first_sequence == 1U);
            BOOST_TEST(used->last_sequence == 1U);
            BOOST_TEST(used->messages == 1U);
        });
}

BOOST_AUTO_TEST_CASE(a_stream_that_drops_old_views_is_refused_with_the_difference)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto creating = api(
                subject::of({"$JS", "API", "STREAM", "CREATE", "EVENTS"}),
                R"({"name":"EVENTS","subjects":["events"],"storage":"file","discard":"old","max_age":60000000000})");
            co_await std::move(creating);
            auto ensuring = ensure(events_config());
            auto refused = co_await std::move(ensuring);
            BOOST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error() == errc::bad_request));
            BOOST_TEST(refused.error().detail.find("discard is old") != std::string::npos, refused.error().detail);
            BOOST_TEST(refused.error().detail.find("nats stream edit EVENTS --discard new") != std::string::npos,
                       refused.error().detail);
            BOOST_TEST(refused.error().detail.find("max_age") == std::string::npos, refused.error().detail);
        });
}

BOOST_AUTO_TEST_CASE(a_subject_that_a_stream_lacks_is_added_and_where_that_fails_the_stream_is_used_without)
{
    const auto create = [&](std::string name, std::string config) {
        return api(subject::of({"$JS", "API", "STREAM", "CREATE", name}), std::move(config));
    };
    run(
        [&]() -> asio::awaitable<void>
        {
            auto first =
                create("EVENTS", R"({"name":"EVENTS","subjects":["events"],"discard":"new","description":"mine"})");
            co_await std::move(first);
            auto second = create("OTHER", R"({"name":"OTHER","subjects":["taken"]})");
            co_await std::move(second);
            auto wanted = events_config();
            for (const std::string further : {"events.admin", "taken"})
            {
                wanted.further_subjects = {further};
                if (further == "taken")
                    wanted.further_subjects = {"events.admin", further};
                auto ensuring = ensure(wanted);
                const auto used = co_await std::move(ensuring);
                BOOST_TEST(used.has_value());
                auto asking = api(subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"}), "");
                const auto info = co_await std::move(asking);
                BOOST_TEST(json::serialize(info.at("config").at("subjects")) == R"(["events","events.admin"])");
                BOOST_TEST(info.at("config").at("description") == "mine");
            }
        });
}

BOOST_AUTO_TEST_CASE(a_message_is_found_by_its_sequence_with_its_subject_and_time)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = ensure(events_config());
            co_await std::move(making);
            const auto before = std::chrono::system_clock::now().time_since_epoch();
            auto storing = store("123:42", "");
            co_await std::move(storing);
            auto finding = find_message(nats->requests(), "EVENTS", 1, deadline::in(5s));
            const auto found = co_await std::move(finding);
            BOOST_REQUIRE((found.has_value() && found->has_value()));
            BOOST_TEST((*found)->subject == "events");
            BOOST_TEST((*found)->sequence == 1U);
            BOOST_TEST(((*found)->timestamp >= before - 1s && (*found)->timestamp <= before + 10s));
            auto finding_none = find_message(nats->requests(), "EVENTS", 2, deadline::in(5s));
            const auto none = co_await std::move(finding_none);
            BOOST_REQUIRE(none.has_value());
            BOOST_TEST(!none->has_value());
            auto finding_nowhere = find_message(nats->requests(), "NOWHERE", 1, deadline::in(5s));
            const auto nowhere = co_await std::move(finding_nowhere);
            BOOST_REQUIRE(nowhere.has_error());
            BOOST_TEST((nowhere.error() == errc::unavailable));
        });
}

BOOST_AUTO_TEST_CASE(two_instances_that_start_together_both_get_the_stream)
{
    auto other = connect();
    run(
        [&]() -> asio::awaitable<void>
        {
            std::optional<result<stream_state>> theirs;
            signal done(io);
            asio::co_spawn(io, ensure_stream(other->requests(), events_config(), deadline::in(5s)),
                           [&](const std::exception_ptr&, result<stream_state> r)
                           {
                               theirs = std::move(r);
                               done.notify();
                           });
            auto ensuring = ensure(events_config());
            auto ours = co_await std::move(ensuring);
            std::function<bool()> ended = [&] { return theirs.has_value(); };
            auto waiting = done.until(ended);
            BOOST_REQUIRE(co_await std::move(waiting));
            BOOST_REQUIRE(ours.has_value());
            BOOST_REQUIRE(theirs->has_value());
            BOOST_TEST(ours->created == (*theirs)->created);
        });
}

BOOST_AUTO_TEST_CASE(an_event_is_stored_with_a_sequence_and_a_repeated_id_once)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = ensure(events_config());
            co_await std::move(making);
            auto first = store("a", "id-1");
            auto one = co_await std::move(first);
            auto second = store("b", "id-2");
            auto two = co_await std::move(second);
            auto repeated = store("a", "id-1");
            auto again = co_await std::move(repeated);
            BOOST_TEST(one->sequence == 1U);
            BOOST_TEST(!one->duplicate);
            BOOST_TEST(two->sequence == 2U);
            BOOST_TEST(again->sequence == 1U);
            BOOST_TEST(again->duplicate);
        });
}

BOOST_AUTO_TEST_CASE(without_a_stream_nothing_is_acknowledged)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto storing = store("a", "id");
            auto stored = co_await std::move(storing);
            BOOST_REQUIRE(stored.has_error());
            BOOST_TEST((stored.error() == errc::no_responders));
            auto finding = find_stream(nats->requests(), "EVENTS", deadline::in(5s));
            auto found = co_await std::move(finding);
            BOOST_REQUIRE(found.has_error());
            BOOST_TEST((found.error() == errc::unavailable));
        });
}

BOOST_AUTO_TEST_CASE(a_full_stream_refuses_and_says_why)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto small = events_config();
            small.max_bytes = 1024;
            auto making = ensure(small);
            auto made = co_await std::move(making);
            BOOST_REQUIRE(made.has_value());
            std::optional<error> refused;
            for (int i = 0; i < 20 && !refused; ++i)
            {
                auto storing = store(std::string(200, 'x'), "");
                auto stored = co_await std::move(storing);
                if (stored.has_error())
                    refused = stored.error();
            }
            BOOST_REQUIRE(refused.has_value());
            BOOST_TEST((refused->code == errc::unavailable));
            BOOST_TEST(refused->detail.find("maximum bytes") != std::string::npos, refused->detail);
        });
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_without_a_sequence_is_none_and_the_same_id_is_sent_again)
{
    // A stand-in for a cluster whose first copy is not stored yet: twice "duplicate" without a
    // sequence, then an acknowledgement.
    std::vector<std::string> ids;
    auto stream = nats->subscribe("events", {},
                                  [&](const message& m)
                                  {
                                      ids.emplace_back(m.headers.get("Nats-Msg-Id"));
                                      (void)nats->publish(
                                          m.reply, ids.size() < 3 ? R"({"stream":"EVENTS","seq":0,"duplicate":true})"
                                                                  : R"({"stream":"EVENTS","seq":9,"duplicate":true})");
                                  });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto storing = store("a", "the-id");
            auto stored = co_await std::move(storing);
            BOOST_REQUIRE(stored.has_value());
            BOOST_TEST(stored->sequence == 9U);
            BOOST_TEST(ids == (std::vector<std::string>{"the-id", "the-id", "the-id"}),
                       boost::test_tools::per_element());
        });
}

BOOST_AUTO_TEST_CASE(an_acknowledgement_that_makes_no_sense_is_a_malformed_reply)
{
    auto stream = nats->subscribe("events", {}, [&](const message& m) { (void)nats->publish(m.reply, "hello"); });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto storing = store("a", "the-id");
            auto stored = co_await std::move(storing);
            BOOST_REQUIRE(stored.has_error());
            BOOST_TEST((stored.error() == errc::malformed_reply));
        });
}

BOOST_AUTO_TEST_SUITE_END()
