#include "broker/micro/bundle.hpp"
#include "broker/micro/service.hpp"

#include "tests/integration/broker_fixture.hpp"

#include <boost/json/parse.hpp>

#include <optional>
#include <regex>
#include <set>

namespace
{

using namespace marquee;
using namespace marquee::test;
namespace json = boost::json;

const header_list no_headers;

asio::awaitable<service_result> echo(service_request request)
{
    service_reply reply;
    reply.data = request.msg.data;
    co_return reply;
}

/// Answers as its payload says: text, "fail", or "throw".
asio::awaitable<service_result> obey(service_request request)
{
    if (request.msg.data == "throw")
        throw std::runtime_error("as told");
    if (request.msg.data == "fail")
        co_return service_error(fail(errc::asset_not_found), "789");
    service_reply reply;
    reply.data = request.msg.data;
    reply.headers.set("Marquee-Revision", "7");
    co_return reply;
}

endpoint_config endpoint(std::string name, std::string subject, service_handler handler)
{
    endpoint_config e;
    e.name = std::move(name);
    e.subject = std::move(subject);
    e.handler = std::move(handler);
    return e;
}

/// As obey; of what is not told here it says nothing.
std::optional<service_result> obey_at_once(const service_request& request)
{
    if (request.msg.data == "throw")
        throw std::runtime_error("as told");
    if (request.msg.data == "fail")
        return service_error(fail(errc::asset_not_found), "789");
    if (request.msg.data == "now")
        return service_reply{"at once", {}};
    return std::nullopt;
}

service_config config_named(std::string name)
{
    service_config c;
    c.name = std::move(name);
    c.version = "1.2.3";
    c.description = "for tests";
    c.metadata = {{"region", "here"}};
    return c;
}

struct service_fixture : broker_fixture
{
    std::unique_ptr<connection> nats = connect();
    std::unique_ptr<connection> client = connect();
    std::unique_ptr<service> running;

    void start(std::vector<endpoint_config> endpoints, bool bundles = false)
    {
        auto config = config_named("tester");
        config.bundles = bundles;
        auto made = service::start(*nats, std::move(config), std::move(endpoints));
        BOOST_REQUIRE(made.has_value());
        running = std::move(*made);
    }

    asio::awaitable<void> ready()
    {
        auto flushed = nats->flush(deadline::in(5s));
        BOOST_REQUIRE(co_await std::move(flushed));
    }

    asio::awaitable<result<message>> ask(std::string to, std::string payload, header_list headers = {})
    {
        // Subjects of the protocol itself start with '$' and are made of plain tokens.
        std::vector<std::string> tokens;
        std::size_t from = 0;
        for (std::size_t dot = 0; dot != std::string::npos; from = dot + 1)
        {
            dot = to.find('.', from);
            tokens.push_back(to.substr(from, dot == std::string::npos ? dot : dot - from));
        }
        subject where = subject::of({tokens[0]});
        if (tokens.size() == 2)
            where = subject::of({tokens[0], tokens[1]});
        else if (tokens.size() == 3)
            where = subject::of({tokens[0], tokens[1], tokens[2]});
        else if (tokens.size() == 4)
            where = subject::of({tokens[0], tokens[1], tokens[2], tokens[3]});
        auto pending = client->requests().request(where, payload, headers, deadline::in(5s));
        co_return co_await pending.receive();
    }

    asio::awaitable<json::value> ask_json(std::string to)
    {
        auto asking = ask(std::move(to), "");
        auto reply = co_await std::move(asking);
        BOOST_REQUIRE(reply.has_value());
        co_return json::parse(reply->data);
    }
};

std::set<std::string> keys(const json::value& object)
{
    std::set<std::string> out;
    for (const auto& member : object.as_object())
        out.insert(member.key());
    return out;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(service_, service_fixture)

BOOST_AUTO_TEST_CASE(each_of_the_nine_discovery_subjects_is_answered_with_the_full_document)
{
    start({endpoint("echo", "test.echo", echo), endpoint("obey", "test.obey.*", obey)});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            const std::set<std::string> standard = {"type", "name", "id", "version", "metadata"};
            for (const std::string verb : {"PING", "INFO", "STATS"})
                for (const std::string& to :
                     {"$SRV." + verb, "$SRV." + verb + ".tester", "$SRV." + verb + ".tester." + running->id()})
                {
                    auto asking = ask_json(to);
                    auto document = co_await std::move(asking);
                    BOOST_TEST_CONTEXT(to)
                    {
                        auto expected = standard;
                        if (verb == "INFO")
                            expected.insert({"description", "endpoints"});
                        if (verb == "STATS")
                            expected.insert({"started", "endpoints"});
                        BOOST_TEST(keys(document) == expected, boost::test_tools::per_element());
                        BOOST_TEST(document.at("name").as_string() == "tester");
                        BOOST_TEST(document.at("id").as_string() == running->id());
                        BOOST_TEST(document.at("version").as_string() == "1.2.3");
                        BOOST_TEST(document.at("metadata").at("region").as_string() == "here");
                        std::string kind = verb;
                        std::transform(kind.begin(), kind.end(), kind.begin(),
                                       [](unsigned char c) { return std::tolower(c); });
                        BOOST_TEST(document.at("type").as_string() == "io.nats.micro.v1." + kind + "_response");
                    }
                }
        });
}

BOOST_AUTO_TEST_CASE(other_names_and_ids_are_not_answered)
{
    start({});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            for (const std::string to : {"$SRV.PING.other", "$SRV.PING.tester.other"})
            {
                auto asking = ask(to, "");
                auto reply = co_await std::move(asking);
                BOOST_REQUIRE(reply.has_error());
                BOOST_TEST((reply.error() == errc::no_responders));
            }
        });
}

BOOST_AUTO_TEST_CASE(info_lists_endpoints_with_subject_queue_group_and_metadata)
{
    auto e = endpoint("echo", "test.echo", echo);
    e.metadata = {{"description", "says it \"again\"\n"}};
    start({e});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            auto asking = ask_json("$SRV.INFO.tester");
            auto info = co_await std::move(asking);
            const auto& list = info.at("endpoints").as_array();
            BOOST_REQUIRE(list.size() == 1U);
            BOOST_TEST(list[0].at("name").as_string() == "echo");
            BOOST_TEST(list[0].at("subject").as_string() == "test.echo");
            BOOST_TEST(list[0].at("queue_group").as_string() == "q");
            BOOST_TEST(list[0].at("metadata").at("description").as_string() == "says it \"again\"\n");
        });
}

BOOST_AUTO_TEST_CASE(a_service_without_endpoints_says_so_with_an_empty_list)
{
    start({});
    BOOST_TEST(running->info().at("endpoints").as_array().empty());
    BOOST_TEST(running->stats().at("endpoints").as_array().empty());
}

BOOST_AUTO_TEST_CASE(statistics_are_exact)
{
    auto e = endpoint("obey", "test.obey", obey);
    e.data = [] { return json::value{{"stale_for_ms", 3}}; };
    start({e});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            BOOST_TEST(running->stats().at("endpoints").at(0).at("last_error").as_string() == "");
            for (const std::string payload : {"a", "b", "fail", "c", "throw", "fail"})
            {
                auto asking = ask("test.obey", payload);
                (void)co_await std::move(asking);
            }
            const auto stats = running->stats();
            const auto& one = stats.at("endpoints").at(0);
            BOOST_TEST(one.at("num_requests").to_number<int>() == 6);
            BOOST_TEST(one.at("num_errors").to_number<int>() == 3);
            BOOST_TEST(one.at("last_error").as_string() == "404:Asset not found");
            const auto total = one.at("processing_time").to_number<std::int64_t>();
            BOOST_TEST(total > 0);
            BOOST_TEST(one.at("average_processing_time").to_number<std::int64_t>() == total / 6);
            BOOST_TEST(one.at("data").at("stale_for_ms").to_number<int>() == 3);
            const std::string started(stats.at("started").as_string());
            BOOST_TEST(std::regex_match(started, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)")), started);

            running->reset();
            BOOST_TEST(running->stats().at("endpoints").at(0).at("num_requests").to_number<int>() == 0);
        });
}

BOOST_AUTO_TEST_CASE(a_failure_is_the_same_in_headers_and_body)
{
    start({endpoint("obey", "test.obey", obey)});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            message seen;
            signal arrived(io);
            auto sub = client->subscribe("_INBOX.answers", {},
                                         [&](message m)
                                         {
                                             seen = std::move(m);
                                             arrived.notify();
                                         });
            (void)client->publish("test.obey", "fail", {}, "_INBOX.answers");
            std::function<bool()> here = [&] { return !seen.subject.empty(); };
            auto waiting = arrived.until(here);
            BOOST_REQUIRE(co_await std::move(waiting));
            BOOST_TEST(seen.headers.get("Nats-Service-Error") == "Asset not found");
            BOOST_TEST(seen.headers.get("Nats-Service-Error-Code") == "404");
            BOOST_TEST(seen.data == R"({"id":"789","status":"Asset not found"})");

            auto asking = ask("test.obey", "throw");
            auto thrown = co_await std::move(asking);
            BOOST_REQUIRE(thrown.has_error());
            BOOST_TEST((thrown.error() == errc::service_failed));
            auto again = ask("test.obey", "still here");
            auto reply = co_await std::move(again);
            BOOST_REQUIRE(reply.has_value());
            BOOST_TEST(reply->data == "still here");
            BOOST_TEST(reply->headers.get("Marquee-Revision") == "7");
        });
}

BOOST_AUTO_TEST_CASE(a_bundle_is_answered_item_by_item_and_each_counts_for_its_endpoint)
{
    start({endpoint("obey", "test.obey", obey), endpoint("echo", "test.echo.*", echo)}, true);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            std::string text;
            append_to_bundle(text, "test.obey", {}, "text");
            append_to_bundle(text, "test.obey", {}, "fail");
            append_to_bundle(text, "test.nothing", {}, "");
            append_to_bundle(text, "test.echo", {}, "too few tokens");
            append_to_bundle(text, "tester.many", {}, "");
            append_to_bundle(text, "test.obey", {}, "throw");
            append_to_bundle(text, "test.echo.x", {}, "last");
            auto asking = ask("tester.many", text);
            const auto reply = co_await std::move(asking);
            BOOST_REQUIRE(reply.has_value());
            auto items = read_bundle(reply->data).value();
            BOOST_REQUIRE(items.size() == 7U);
            BOOST_TEST(items[0].headers.get("Marquee-Revision") == "7");
            BOOST_TEST((interpret_reply(items[1]).error() == errc::asset_not_found));
            for (const std::size_t unknown : {2U, 3U, 4U})
                BOOST_TEST((interpret_reply(items[unknown]).error() == errc::bad_request));
            BOOST_TEST((interpret_reply(items[5]).error() == errc::service_failed));
            BOOST_TEST(items[6].data == "last");

            for (const auto* text_of_none : {"garbage", ""})
            {
                auto wrong = ask("tester.many", text_of_none);
                const auto refused = co_await std::move(wrong);
                BOOST_TEST((refused.error() == errc::bad_request));
            }
            const auto stats = running->stats().at("endpoints").as_array();
            BOOST_TEST(stats.at(0).at("num_requests") == 3);
            BOOST_TEST(stats.at(0).at("num_errors") == 2);
            BOOST_TEST(stats.at(0).at("last_error") == "500:A service failed");
            BOOST_TEST(stats.at(1).at("num_requests") == 1);
            BOOST_TEST(stats.at(2).at("name") == "many");
            BOOST_TEST(stats.at(2).at("num_requests") == 3);
            BOOST_TEST(stats.at(2).at("num_errors") == 2);
        });
}

BOOST_AUTO_TEST_CASE(an_immediate_answer_needs_no_handler_alone_and_in_a_bundle)
{
    auto both = endpoint("obey", "test.obey", obey);
    both.at_once = obey_at_once;
    both.max_in_flight = 0; // what has to wait is refused, what does not is answered
    auto waiting = endpoint("wait", "test.wait", obey);
    waiting.at_once = obey_at_once;
    start({both, waiting}, true);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            for (const std::size_t which : {0U, 1U})
            {
                const std::string to = which == 0 ? "test.obey" : "test.wait";
                auto asking = ask(to, "now");
                const auto now = co_await std::move(asking);
                BOOST_REQUIRE(now.has_value());
                BOOST_TEST(now->data == "at once");
                BOOST_TEST(running->stats().at("endpoints").at(which).at("processing_time").as_int64() > 0);
                asking = ask(to, "fail");
                const auto failed = co_await std::move(asking);
                BOOST_TEST((failed.error() == errc::asset_not_found));
                asking = ask(to, "throw");
                const auto thrown = co_await std::move(asking);
                BOOST_TEST((thrown.error() == errc::service_failed));
            }
            auto asking = ask("test.obey", "later");
            const auto refused = co_await std::move(asking);
            BOOST_TEST((refused.error() == errc::overloaded));
            asking = ask("test.wait", "later");
            const auto later = co_await std::move(asking);
            BOOST_REQUIRE(later.has_value());
            BOOST_TEST(later->data == "later");

            std::string text;
            for (const auto* data : {"now", "later", "throw"})
                append_to_bundle(text, "test.wait", {}, data);
            asking = ask("tester.many", text);
            const auto reply = co_await std::move(asking);
            BOOST_REQUIRE(reply.has_value());
            auto items = read_bundle(reply->data).value();
            BOOST_REQUIRE(items.size() == 3U);
            BOOST_TEST(items[0].data == "at once");
            BOOST_TEST(items[1].data == "later");
            BOOST_TEST((interpret_reply(items[2]).error() == errc::service_failed));
            const auto stats = running->stats().at("endpoints").as_array();
            BOOST_TEST(stats.at(0).at("num_requests") == 4);
            BOOST_TEST(stats.at(0).at("num_errors") == 3);
            BOOST_TEST(stats.at(1).at("num_requests") == 7);
            BOOST_TEST(stats.at(1).at("num_errors") == 3);
        });
}

BOOST_AUTO_TEST_CASE(a_reply_without_room_in_its_bundle_says_so)
{
    start({endpoint("echo", "test.echo", echo)}, true);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            std::string text;
            append_to_bundle(text, "test.echo", {}, std::string(500'000, 'a'));
            append_to_bundle(text, "test.echo", {}, std::string(400'000, 'b'));
            append_to_bundle(text, "test.echo", {}, "c");
            auto asking = ask("tester.many", text);
            const auto reply = co_await std::move(asking);
            BOOST_REQUIRE(reply.has_value());
            auto items = read_bundle(reply->data).value();
            BOOST_REQUIRE(items.size() == 3U);
            BOOST_TEST(items[0].data.size() == 500'000U);
            BOOST_TEST((interpret_reply(items[1]).error() == errc::payload_too_large));
            BOOST_TEST(items[2].data == "c");
        });
}

BOOST_AUTO_TEST_CASE(requests_beyond_the_limit_in_flight_are_refused_as_overloaded_and_counted)
{
    signal release(io);
    bool released = false;
    service_handler wait = [&](service_request request) -> asio::awaitable<service_result>
    {
        std::function<bool()> go = [&] { return released; };
        auto waiting = release.until(go);
        co_await std::move(waiting);
        service_reply reply;
        reply.data = request.msg.data;
        co_return reply;
    };
    auto e = endpoint("wait", "test.wait", wait);
    e.max_in_flight = 1;
    start({e});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            const auto to = subject::of({"test", "wait"});
            auto first = client->requests().request(to, "1", no_headers, deadline::in(10s));
            auto second = client->requests().request(to, "2", no_headers, deadline::in(10s));
            auto refused = co_await second.receive();
            BOOST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error() == errc::overloaded));
            released = true;
            release.notify();
            auto served = co_await first.receive();
            BOOST_TEST(served.has_value());
            const auto stats = running->stats();
            BOOST_TEST(stats.at("endpoints").at(0).at("num_requests").to_number<int>() == 2);
            BOOST_TEST(stats.at("endpoints").at(0).at("num_errors").to_number<int>() == 1);
            BOOST_TEST(stats.at("endpoints").at(0).at("last_error").as_string() == "503:overloaded");
            auto third = client->requests().request(to, "3", no_headers, deadline::in(10s));
            auto reply = co_await third.receive();
            BOOST_TEST(reply.has_value());
        });
}

BOOST_AUTO_TEST_CASE(a_handler_sees_the_deadline_of_its_requester)
{
    std::optional<std::chrono::milliseconds> left;
    service_handler look = [&](service_request request) -> asio::awaitable<service_result>
    {
        left = request.until.remaining();
        co_return service_reply{};
    };
    start({endpoint("look", "test.look", look)});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            header_list headers;
            headers.set("Marquee-Timeout", "1500");
            auto asking = ask("test.look", "", headers);
            (void)co_await std::move(asking);
            BOOST_REQUIRE(left.has_value());
            BOOST_TEST(left->count() <= 1500);
            BOOST_TEST(left->count() > 0);

            left.reset();
            headers.set("Marquee-Timeout", "soon");
            auto wrong = ask("test.look", "", headers);
            auto refused = co_await std::move(wrong);
            BOOST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error() == errc::bad_request));
            BOOST_TEST(refused.error().field == "Marquee-Timeout");
            BOOST_TEST(!left.has_value());
        });
}

BOOST_AUTO_TEST_CASE(a_request_whose_headers_cannot_be_read_is_refused_because_they_may_hold_a_condition)
{
    start({endpoint("echo", "test.echo", echo)});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            header_list headers;
            headers.set("Marquee-Revision", "7");
            headers.set("Empty", "");
            auto asking = ask("test.echo", "x", headers);
            auto refused = co_await std::move(asking);
            BOOST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error() == errc::bad_request));
            auto again = ask("test.echo", "x");
            auto answered = co_await std::move(again);
            BOOST_REQUIRE(answered.has_value());
            BOOST_TEST(answered->data == "x");
        });
}

BOOST_AUTO_TEST_CASE(two_instances_share_the_requests_and_both_answer_discovery)
{
    start({endpoint("echo", "test.echo", echo)});
    auto other_nats = connect();
    auto other = service::start(*other_nats, config_named("tester"), {endpoint("echo", "test.echo", echo)});
    BOOST_REQUIRE(other.has_value());
    BOOST_TEST((*other)->id() != running->id());
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            auto other_up = other_nats->flush(deadline::in(5s));
            co_await std::move(other_up);
            std::set<std::string> ids;
            signal arrived(io);
            auto sub = client->subscribe("_INBOX.pongs", {},
                                         [&](const message& m)
                                         {
                                             ids.insert(std::string(json::parse(m.data).at("id").as_string()));
                                             arrived.notify();
                                         });
            (void)client->publish("$SRV.PING", "", {}, "_INBOX.pongs");
            std::function<bool()> both = [&] { return ids.size() == 2; };
            auto waiting = arrived.until(both);
            BOOST_TEST(co_await std::move(waiting));

            const auto to = subject::of({"test", "echo"});
            std::vector<pending_reply> all;
            for (int i = 0; i < 200; ++i)
                all.push_back(client->requests().request(to, "x", no_headers, deadline::in(10s)));
            for (auto& one : all)
            {
                auto reply = co_await one.receive();
                BOOST_TEST(reply.has_value());
            }
            const auto mine = running->stats().at("endpoints").at(0).at("num_requests").to_number<int>();
            const auto others = (*other)->stats().at("endpoints").at(0).at("num_requests").to_number<int>();
            BOOST_TEST(mine + others == 200);
            BOOST_TEST(mine > 0);
            BOOST_TEST(others > 0);
        });
}

BOOST_AUTO_TEST_CASE(an_instance_out_of_the_queue_group_answers_discovery_only_and_can_come_back)
{
    start({endpoint("echo", "test.echo", echo)});
    run(
        [&]() -> asio::awaitable<void>
        {
            BOOST_TEST(running->set_serving(false).has_value());
            for (bool refused = false; !refused;)
            {
                auto asking = ask("test.echo", "x"); // the drain is bounded: this ends
                auto reply = co_await std::move(asking);
                refused = reply.has_error() && reply.error() == errc::no_responders;
            }
            auto pinging = ask("$SRV.PING.tester", "");
            auto pong = co_await std::move(pinging);
            BOOST_TEST(pong.has_value());

            BOOST_TEST(running->set_serving(true).has_value());
            auto up = ready();
            co_await std::move(up);
            auto asking = ask("test.echo", "back");
            auto reply = co_await std::move(asking);
            BOOST_REQUIRE(reply.has_value());
            BOOST_TEST(reply->data == "back");
        });
}

BOOST_AUTO_TEST_CASE(stopping_answers_requests_that_were_received_and_none_after)
{
    signal release(io);
    bool released = false;
    int accepted = 0;
    signal in(io);
    service_handler wait = [&](service_request) -> asio::awaitable<service_result>
    {
        ++accepted;
        in.notify();
        std::function<bool()> go = [&] { return released; };
        auto waiting = release.until(go);
        co_await std::move(waiting);
        co_return service_reply{};
    };
    start({endpoint("wait", "test.wait", wait)});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto up = ready();
            co_await std::move(up);
            const auto to = subject::of({"test", "wait"});
            std::vector<pending_reply> all;
            for (int i = 0; i < 50; ++i)
                all.push_back(client->requests().request(to, "x", no_headers, deadline::in(10s)));
            std::function<bool()> some = [&] { return accepted == 50; };
            auto waiting = in.until(some);
            BOOST_REQUIRE(co_await std::move(waiting));

            bool stopped = false;
            signal end(io);
            asio::co_spawn(io, running->stop(deadline::in(10s)),
                           [&](const std::exception_ptr&)
                           {
                               stopped = true;
                               end.notify();
                           });
            for (bool gone = false; !gone;)
            {
                auto late = client->requests().request(to, "late", no_headers, deadline::in(100ms));
                auto reply = co_await late.receive();
                gone = reply.has_error() && reply.error() == errc::no_responders;
            }
            BOOST_TEST(!stopped); // fifty requests still wait
            released = true;
            release.notify();
            for (auto& one : all)
            {
                auto reply = co_await one.receive();
                BOOST_TEST(reply.has_value());
            }
            std::function<bool()> done = [&] { return stopped; };
            auto ending = end.until(done);
            BOOST_TEST(co_await std::move(ending));
        });
}

BOOST_AUTO_TEST_CASE(a_service_works_again_after_its_broker_was_killed)
{
    start({endpoint("echo", "test.echo", echo)});
    run(
        [&]() -> asio::awaitable<void>
        {
            server.kill();
            auto down = link_is(*nats, false);
            BOOST_REQUIRE(co_await std::move(down));
            server.restart();
            auto service_up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(service_up));
            auto client_up = link_is(*client, true);
            BOOST_REQUIRE(co_await std::move(client_up));
            auto up = ready();
            co_await std::move(up);
            auto asking = ask("test.echo", "again");
            auto reply = co_await std::move(asking);
            BOOST_TEST(reply.has_value());
            auto pinging = ask("$SRV.PING.tester", "");
            auto pong = co_await std::move(pinging);
            BOOST_TEST(pong.has_value());
        });
}

BOOST_AUTO_TEST_CASE(names_and_versions_that_the_protocol_does_not_allow_are_refused)
{
    for (const char* name : {"", "a b", "a.b", "a>"})
        BOOST_TEST(service::start(*nats, config_named(name), {}).has_error());
    for (const char* version : {"", "1", "1.2", "v1.2.3", "1.2.3.4"})
    {
        auto config = config_named("tester");
        config.version = version;
        BOOST_TEST(service::start(*nats, config, {}).has_error());
    }
    BOOST_TEST(service::start(*nats, config_named("tester"), {endpoint("a.b", "x", echo)}).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
