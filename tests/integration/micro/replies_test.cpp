// Where the replies of a service may go, and that none is lost without a word.
#include "broker/micro/bundle.hpp"
#include "broker/micro/service.hpp"

#include "tests/integration/broker_fixture.hpp"

#include <boost/json/parse.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
namespace json = boost::json;

constexpr std::size_t large = 512 * 1024;

/// A service whose endpoints count what they carry out: get, put, delete, and `large`, which
/// answers so much.
struct replies_fixture : broker_fixture
{
    std::unique_ptr<connection> nats;
    std::unique_ptr<connection> client = connect();
    std::unique_ptr<service> running;
    int got = 0;
    int put = 0;
    int deleted = 0;
    std::function<void()> before_large = [] {}; ///< called once, when `released_at` requests for `large` came
    std::size_t released_at = 1;
    std::size_t asked = 0;
    asio::steady_timer all_asked{io, 20s};

    endpoint_config endpoint(const std::string& name, const std::string& subject, int& carried_out) const
    {
        endpoint_config made;
        made.name = name;
        made.subject = subject;
        made.change = name == "put" || name == "delete";
        made.takes_payload = name != "delete";
        made.at_once = [&carried_out](const service_request&)
        {
            ++carried_out;
            return service_reply{"done", {}};
        };
        return made;
    }

    void start(const connection_options& o)
    {
        nats = connect(o);
        std::vector<endpoint_config> all{endpoint("get", "tester.get.*", got), endpoint("put", "tester.put.*", put),
                                         endpoint("delete", "tester.delete.*", deleted)};
        endpoint_config much;
        much.name = "large";
        much.subject = "tester.large";
        much.handler = [this](service_request) -> asio::awaitable<service_result>
        {
            if (++asked < released_at)
            {
                boost::system::error_code ignored;
                auto token = asio::redirect_error(asio::use_awaitable, ignored);
                auto others = all_asked.async_wait(token);
                co_await std::move(others);
            }
            all_asked.cancel();
            std::exchange(before_large, [] {})();
            co_return service_reply{std::string(large, 'x'), {}};
        };
        all.push_back(std::move(much));
        service_config config;
        config.name = "tester";
        config.version = "1.2.3";
        config.bundles = true;
        auto made = service::start(*nats, std::move(config), std::move(all));
        BOOST_REQUIRE(made.has_value());
        running = std::move(*made);
    }

    std::int64_t count(std::size_t endpoint, const char* member) const
    {
        return running->stats().at("endpoints").at(endpoint).at("data").at(member).to_number<std::int64_t>();
    }

    /// Whatever this connection published before has been looked at when it returns.
    asio::awaitable<void> settle()
    {
        auto up = nats->flush(deadline::in(5s));
        BOOST_REQUIRE(co_await std::move(up));
        const auto to = subject::of({"$SRV", "PING", "tester"});
        const header_list none;
        auto pinging = client->requests().request(to, "", none, deadline::in(5s));
        auto pong = co_await pinging.receive();
        BOOST_REQUIRE(pong.has_value());
    }

    asio::awaitable<json::value> api(subject to, std::string payload)
    {
        const header_list none;
        auto pending = client->requests().request(to, payload, none, deadline::in(5s));
        auto reply = co_await pending.receive();
        BOOST_REQUIRE(reply.has_value());
        auto parsed = json::parse(reply->data);
        BOOST_REQUIRE_MESSAGE(!parsed.as_object().contains("error"), reply->data);
        co_return parsed;
    }

    /// Asks for `number` large replies in one turn. How many came, and how many said `overloaded`;
    /// nothing else happens.
    asio::awaitable<std::pair<std::size_t, std::size_t>> ask_for_large(std::size_t number)
    {
        const auto to = subject::of({"tester", "large"});
        const header_list none;
        std::vector<pending_reply> all;
        for (std::size_t i = 0; i < number; ++i)
            all.push_back(client->requests().request(to, "", none, deadline::in(20s)));
        std::pair<std::size_t, std::size_t> counted;
        for (auto& one : all)
        {
            auto reply = co_await one.receive();
            if (reply.has_value() && reply->data.size() == large)
                ++counted.first;
            else if (reply.has_error() && reply.error() == errc::overloaded)
                ++counted.second;
        }
        co_return counted;
    }

    /// The broker pauses for `time` when so many large requests have come, and only then are they
    /// answered.
    void freeze_at_large(std::size_t number, std::chrono::milliseconds time)
    {
        released_at = number;
        before_large = [this, time]
        {
            server.suspend();
            auto timer = std::make_shared<asio::steady_timer>(io, time);
            timer->async_wait([this, timer](boost::system::error_code) { server.resume(); });
        };
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(replies_, replies_fixture)

BOOST_AUTO_TEST_CASE(a_request_whose_reply_would_go_anywhere_but_to_an_inbox_is_not_carried_out_and_counted)
{
    auto o = options();
    o.inbox_prefix = "own.inbox";
    start(o);
    const std::vector<std::string> refused = {"answers",
                                              "_INBOX",
                                              "_INBOXES.x",
                                              "_INBOX.>",
                                              "_INBOX.*.x",
                                              "_INBOX..x",
                                              "_INBOX.x.",
                                              "own.x",
                                              "own.inbox",
                                              "events",
                                              "$JS.API.STREAM.DELETE.X",
                                              "tester.delete.1",
                                              "tester.many",
                                              "$SRV.PING",
                                              "_R_",
                                              "$KV.metadata.1"};
    const std::vector<std::string> taken = {"_INBOX.x", "_INBOX_user.x.y", "own.inbox.x"};
    std::string bundle;
    append_to_bundle(bundle, "tester.put.1", {}, "{}");
    std::vector<std::string> answered;
    auto listening = client->subscribe(">", {}, [&](const message& m) { answered.push_back(m.subject); });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            for (const auto& reply : refused)
            {
                BOOST_TEST(client->publish("tester.get.1", "", {}, reply).has_value());
                BOOST_TEST(client->publish("tester.put.1", "{}", {}, reply).has_value());
                BOOST_TEST(client->publish("tester.delete.1", "", {}, reply).has_value());
                BOOST_TEST(client->publish("tester.many", bundle, {}, reply).has_value());
                BOOST_TEST(client->publish("$SRV.STATS.tester", "", {}, reply).has_value());
            }
            BOOST_TEST(client->publish("tester.get.1", "").has_value());
            BOOST_TEST(client->publish("tester.many", bundle).has_value());
            BOOST_TEST(client->publish("$SRV.PING", "").has_value());
            auto looked_at = settle();
            co_await std::move(looked_at);
            BOOST_TEST(got + put + deleted == 0);
            const auto each = static_cast<std::int64_t>(refused.size());
            BOOST_TEST(count(0, "requests_refused") == each + 1);
            BOOST_TEST(count(1, "requests_refused") == each);
            BOOST_TEST(count(2, "requests_refused") == each);
            BOOST_TEST(count(4, "requests_refused") == each + 1);
            BOOST_TEST(count(0, "discovery_refused") == each + 1);
            for (const auto& reply : refused)
                BOOST_TEST((std::find(answered.begin(), answered.end(), reply) == answered.end() ||
                            reply.starts_with("tester.") || reply.starts_with("$SRV.")),
                           reply);

            for (const auto& reply : taken)
                BOOST_TEST(client->publish("tester.get.1", "", {}, reply).has_value());
            auto carried_out = settle();
            co_await std::move(carried_out);
            BOOST_TEST(got == 3);
            for (const auto& reply : taken)
                BOOST_TEST((std::find(answered.begin(), answered.end(), reply) != answered.end()), reply);
            running->reset();
            BOOST_TEST(count(0, "requests_refused") == 0);
        });
}

BOOST_AUTO_TEST_CASE(given_prefixes_replace_the_usual_ones)
{
    auto o = options();
    o.reply_prefixes = {"corp"};
    start(o);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = nats->flush(deadline::in(5s));
            co_await std::move(ready);
            for (const auto* reply : {"corp.x", "_INBOX.x", "_INBOX_a.x", "corp_a.x"}) // _INBOX is the service's own
                BOOST_TEST(client->publish("tester.get.1", "", {}, reply).has_value());
            auto looked_at = settle();
            co_await std::move(looked_at);
            BOOST_TEST(got == 2);
            BOOST_TEST(count(0, "requests_refused") == 2);
        });
}

BOOST_AUTO_TEST_CASE(a_change_published_on_purpose_is_carried_out_and_what_a_stream_sends_there_is_not)
{
    start(options());
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            BOOST_TEST(client->publish("tester.put.1", "{}").has_value());
            BOOST_TEST(client->publish("tester.delete.1", "").has_value());
            auto on_purpose = settle();
            co_await std::move(on_purpose);
            BOOST_TEST(put == 1);
            BOOST_TEST(deleted == 1);

            // Republished, delivered with and without acknowledgements, its heartbeats, and an
            // acknowledgement that goes to a change.
            auto making =
                api(subject::of({"$JS", "API", "STREAM", "CREATE", "S"}),
                    R"({"name":"S","subjects":["stored"],"republish":{"src":"stored","dest":"tester.put.again"}})");
            (void)co_await std::move(making);
            // The broker delivers only where a subscription names the subject itself, as an
            // onlooker's does; the service gets it too.
            std::vector<std::shared_ptr<subscription>> onlookers;
            for (const auto* to : {"tester.delete.d", "tester.put.p", "tester.get.g"})
            {
                onlookers.push_back(client->subscribe(to, {}, [](const message&) {}).value());
                for (const auto* policy : {"none", "explicit"})
                {
                    auto delivering = api(subject::of({"$JS", "API", "CONSUMER", "CREATE", "S"}),
                                          std::string(R"({"stream_name":"S","config":{"deliver_subject":")") + to +
                                              R"(","ack_policy":")" + policy + R"(","idle_heartbeat":100000000}})");
                    (void)co_await std::move(delivering);
                }
            }
            BOOST_TEST(client->publish("stored", "", {}, "tester.delete.a").has_value());
            BOOST_TEST(client->publish("nobody.listens", "", {}, "tester.delete.n").has_value());
            // Each gets two deliveries and then heartbeats; a change also a republished message, a
            // deletion an acknowledgement.
            const auto end = deadline::in(3s);
            while (!end.passed() && (count(0, "requests_refused") < 3 || count(1, "requests_refused") < 4 ||
                                     count(2, "requests_refused") < 4))
            {
                asio::steady_timer turn(io, 5ms);
                co_await turn.async_wait(asio::use_awaitable);
            }
            BOOST_TEST(count(0, "requests_refused") >= 3);
            BOOST_TEST(count(1, "requests_refused") >= 4);
            BOOST_TEST(count(2, "requests_refused") >= 4);
            BOOST_TEST(got == 0);
            BOOST_TEST(put == 1);
            BOOST_TEST(deleted == 1);
        });
}

BOOST_AUTO_TEST_CASE(a_change_without_time_is_a_timeout_and_not_carried_out_alone_and_in_a_bundle)
{
    start(options());
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            header_list no_time;
            no_time.set("Marquee-Timeout", "0");
            const auto to = subject::of({"tester", "put", "1"});
            auto alone = client->requests().request(to, "{}", no_time, deadline::in(5s));
            const auto late = co_await alone.receive();
            BOOST_TEST((late.error() == errc::timeout));

            std::string text;
            append_to_bundle(text, "tester.put.1", no_time, "{}");
            append_to_bundle(text, "tester.put.2", {}, "{}");
            header_list wrong;
            wrong.set("Marquee-Timeout", "soon");
            append_to_bundle(text, "tester.get.3", wrong, "");
            const auto many = subject::of({"tester", "many"});
            const header_list none;
            auto together = client->requests().request(many, text, none, deadline::in(5s));
            const auto reply = co_await together.receive();
            BOOST_REQUIRE(reply.has_value());
            auto items = read_bundle(reply->data).value();
            BOOST_REQUIRE(items.size() == 3U);
            BOOST_TEST((interpret_reply(items[0]).error() == errc::timeout));
            BOOST_TEST(items[1].data == "done");
            BOOST_TEST((interpret_reply(items[2]).error() == errc::bad_request));
            BOOST_TEST(put == 1);
            BOOST_TEST(got == 0);
        });
}

BOOST_AUTO_TEST_CASE(more_replies_in_a_turn_than_the_write_buffer_holds_all_arrive)
{
    start(options());
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            auto asking = ask_for_large(40);
            const auto [came, overloaded] = co_await std::move(asking);
            BOOST_TEST(came == 40U);
            BOOST_TEST(overloaded == 0U);
            BOOST_TEST(count(3, "replies_overloaded") == 0);
            BOOST_TEST(count(3, "replies_lost") == 0);
        });
}

BOOST_AUTO_TEST_CASE(replies_wait_for_a_broker_that_pauses)
{
    auto o = options();
    o.send_patience = 10s;
    start(o);
    freeze_at_large(40, 200ms);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            auto asking = ask_for_large(40);
            const auto [came, overloaded] = co_await std::move(asking);
            BOOST_TEST(came == 40U);
            BOOST_TEST(count(3, "replies_waited") > 0);
        });
}

BOOST_AUTO_TEST_CASE(beyond_the_room_for_waiting_replies_each_requester_gets_overloaded_and_it_is_counted)
{
    auto o = options();
    o.send_room = 2 << 20;
    start(o);
    freeze_at_large(100, 200ms);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            auto asking = ask_for_large(100);
            const auto [came, overloaded] = co_await std::move(asking);
            BOOST_TEST(came + overloaded == 100U);
            BOOST_TEST(overloaded > 0U);
            BOOST_TEST(count(3, "replies_overloaded") == static_cast<std::int64_t>(overloaded));
            BOOST_TEST(count(3, "replies_lost") == 0);
            BOOST_TEST(running->stats().at("endpoints").at(3).at("num_errors") ==
                       static_cast<std::int64_t>(overloaded));
            BOOST_TEST(running->stats().at("endpoints").at(3).at("last_error") == "503:overloaded");
            auto again = ask_for_large(1);
            const auto after = co_await std::move(again);
            BOOST_TEST(after.first == 1U);
        });
}

BOOST_AUTO_TEST_CASE(a_reply_that_waited_too_long_is_overloaded_and_that_error_reply_waits_on)
{
    auto o = options();
    o.send_patience = 100ms;
    start(o);
    freeze_at_large(40, 400ms);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = settle();
            co_await std::move(ready);
            auto asking = ask_for_large(40);
            const auto [came, overloaded] = co_await std::move(asking);
            BOOST_TEST(came + overloaded == 40U);
            BOOST_TEST(overloaded > 0U);
            BOOST_TEST(count(3, "replies_overloaded") == static_cast<std::int64_t>(overloaded));
            BOOST_TEST(count(3, "replies_lost") == 0);
        });
}

BOOST_AUTO_TEST_SUITE_END()
