#include "broker/jetstream/jetstream_api.hpp"

#include "broker/jetstream/create_consumer.hpp"
#include "broker/jetstream/stream_lookup.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

struct api_fixture
{
    asio::io_context io{1};
    fake_requester nats{io.get_executor()};

    /// Runs a request of JetStream's to its end.
    template <class T>
    T wait(asio::awaitable<T> asking)
    {
        std::optional<T> got;
        auto work = [&]() -> asio::awaitable<void> { got = co_await std::move(asking); };
        run_coro(io, work);
        return std::move(got.value());
    }

    result<js_reply> call(std::string reply)
    {
        nats.script_json("$JS.API.INFO", std::move(reply));
        return wait(call_jetstream(nats, subject::of({"$JS", "API", "INFO"}), "", deadline::in(5s)));
    }

    static std::string code_of(const error& e) { return std::string(name_of(e.code)); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(jetstream_api_, api_fixture)

BOOST_AUTO_TEST_CASE(an_object_is_the_answer)
{
    const auto reply = call(R"({"a":7,"b":"text","c":{"d":1}})");
    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(!reply->failed());
    BOOST_TEST(number_in(reply->body, "a") == 7U);
    BOOST_TEST(text_in(reply->body, "b") == "text");
    BOOST_REQUIRE(object_in(reply->body, "c") != nullptr);
}

BOOST_AUTO_TEST_CASE(members_that_are_absent_or_of_another_kind_are_neutral)
{
    const auto reply = call(R"({"a":-1,"b":1.5,"c":[],"d":null})");
    BOOST_REQUIRE(reply.has_value());
    for (const auto* name : {"a", "b", "c", "d", "e"})
    {
        BOOST_TEST(number_in(reply->body, name) == 0U, name);
        BOOST_TEST(text_in(reply->body, name).empty(), name);
        BOOST_TEST((object_in(reply->body, name) == nullptr), name);
    }
}

BOOST_AUTO_TEST_CASE(an_error_has_its_code_and_description)
{
    const auto reply = call(R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})");
    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(reply->err_code == js_error::stream_not_found);
    BOOST_TEST(reply->description == "stream not found");
    BOOST_TEST(call(R"({"error":{}})").value().failed()); // without a code, too
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_a_malformed_reply)
{
    for (const auto* text : {"", "no JSON", "[]", "7"})
        BOOST_TEST(code_of(call(text).error()) == "malformed_reply", text);
}

BOOST_AUTO_TEST_CASE(the_failure_of_a_request_is_passed_on)
{
    const auto reply = wait(call_jetstream(nats, subject::of({"$JS", "API", "INFO"}), "", deadline::in(5s)));
    BOOST_TEST(code_of(reply.error()) == "no_responders");
}

BOOST_AUTO_TEST_CASE(a_message_needs_its_sequence_and_time)
{
    const std::string on = "$JS.API.STREAM.MSG.GET.EVENTS";
    nats.script_json(on, R"({"message":{"subject":"events","seq":7,"time":"2026-01-02T03:04:05.6Z"}})");
    const auto found = wait(find_message(nats, "EVENTS", 7, deadline::in(5s)));
    BOOST_REQUIRE((found.has_value() && found->has_value()));
    BOOST_TEST((*found)->subject == "events");
    BOOST_TEST((*found)->sequence == 7U);
    BOOST_TEST(nats.seen.back().payload == R"({"seq":7})");

    nats.script_json(on, R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})");
    const auto none = wait(find_last(nats, "EVENTS", "events", deadline::in(5s)));
    BOOST_REQUIRE(none.has_value());
    BOOST_TEST(!none->has_value());
    BOOST_TEST(nats.seen.back().payload == R"({"last_by_subj":"events"})");

    for (const auto* reply : {R"({})", R"({"message":{"seq":7}})", R"({"message":{"time":"2026-01-02T03:04:05Z"}})"})
    {
        nats.script_json(on, reply);
        const auto odd = wait(find_last(nats, "EVENTS", "events", deadline::in(5s)));
        BOOST_TEST(code_of(odd.error()) == "malformed_reply", reply);
    }
}

BOOST_AUTO_TEST_CASE(a_consumer_that_is_created_may_have_nothing_to_deliver)
{
    struct row
    {
        const char* reply;
        bool nothing;
    };
    for (const auto& each : {row{R"({"num_pending":0,"delivered":{"consumer_seq":0}})", true},
                             row{R"({"num_pending":1,"delivered":{"consumer_seq":0}})", false},
                             row{R"({"num_pending":0,"delivered":{"consumer_seq":1}})", false}, row{R"({})", false}})
    {
        nats.script_json("$JS.API.CONSUMER.CREATE.EVENTS", each.reply);
        const consumer_config wanted{"EVENTS", "_INBOX.a", 8, 250ms};
        const auto made = wait(create_consumer(nats, wanted, deadline::in(5s)));
        BOOST_REQUIRE(made.has_value());
        BOOST_TEST(made->nothing_to_deliver == each.nothing, each.reply);
    }
    BOOST_TEST(nats.seen.back().payload.find(R"("opt_start_seq":8)") != std::string::npos);
    BOOST_TEST(nats.seen.back().payload.find(R"("idle_heartbeat":250000000)") != std::string::npos);
    nats.script_json("$JS.API.CONSUMER.CREATE.EVENTS", R"({"error":{"code":400,"description":"no"}})");
    const auto refused = wait(create_consumer(nats, {"EVENTS", "_INBOX.a", 8, 250ms}, deadline::in(5s)));
    BOOST_TEST(code_of(refused.error()) == "unavailable");
}

BOOST_AUTO_TEST_CASE(a_consumer_with_a_name_is_created_under_it)
{
    nats.script_json("$JS.API.CONSUMER.CREATE.EVENTS.reporting-id-1", "{}");
    const consumer_config wanted{"EVENTS", "_INBOX.a", 8, 250ms, "reporting-id-1", "Counts"};
    BOOST_TEST(wait(create_consumer(nats, wanted, deadline::in(5s))).has_value());
    BOOST_TEST(nats.seen.back().payload.find(R"("name":"reporting-id-1")") != std::string::npos);
    BOOST_TEST(nats.seen.back().payload.find(R"("description":"Counts")") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_consumer_is_named_by_its_reader_instance_and_attempt)
{
    ordered_consumer::settings wanted;
    wanted.stream = "EVENTS";
    wanted.reader = "reporting";
    wanted.description = "Counts";
    const auto named = consumer_for(wanted, "id", 3, {});
    BOOST_TEST(named.name == "reporting-id-3");
    BOOST_TEST(named.description == "Counts");
    BOOST_TEST(named.stream == "EVENTS");
    BOOST_TEST(consumer_for(wanted, "", 3, {}).name.empty()); // two instances would have the same
    wanted.reader.clear();
    BOOST_TEST(consumer_for(wanted, "id", 3, {}).name.empty());
}

BOOST_AUTO_TEST_CASE(heartbeats_are_rare_unless_a_lost_server_leaves_the_link)
{
    ordered_consumer::settings wanted;
    stream_state stream;
    BOOST_TEST((consumer_for(wanted, "", 1, stream).idle_heartbeat == 2s));
    stream.replicas = 3;
    BOOST_TEST((consumer_for(wanted, "", 1, stream).idle_heartbeat == 250ms));
    wanted.idle_heartbeat = 100ms;
    BOOST_TEST((consumer_for(wanted, "", 1, stream).idle_heartbeat == 100ms));

    nats.script_json("$JS.API.STREAM.INFO.EVENTS", R"({"config":{"num_replicas":3}})");
    BOOST_TEST(wait(find_stream(nats, "EVENTS", deadline::in(5s)))->replicas == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
