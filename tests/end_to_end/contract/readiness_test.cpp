// GET /readyz as a load balancer uses it.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/nats_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

namespace
{

using namespace marquee::test;

const http_call readyz{"GET", "/readyz"};

std::string with(const std::string& status, const std::string& reporting, const std::string& events = "ok")
{
    return R"({"status":")" + status + R"(","checks":{"metadata":"ok","cdnurl":"ok","events":")" + events +
           R"(","reporting":")" + reporting + R"("}})";
}

/// The result is cached for a second, and a machine may be slow.
http_answer ready_when(const marquee_system& system, const std::function<bool(const http_answer&)>& wanted)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto answer = system.call(readyz);
    while (!wanted(answer) && std::chrono::steady_clock::now() < end)
        answer = system.call(readyz);
    BOOST_TEST(wanted(answer), answer.body);
    return answer;
}

std::function<bool(const http_answer&)> says(const std::string& body)
{
    return [body](const http_answer& answer) { return answer.status == 200 && answer.body == body; };
}

std::function<bool(const http_answer&)> is_unready(const std::string& detail)
{
    return [detail](const http_answer& answer) { return answer.status == 503 && answer.text("detail") == detail; };
}

/// The names of a stream's consumers.
std::vector<std::string> consumers_of(nats_client& client, const std::string& stream)
{
    std::vector<std::string> names;
    const auto answer = boost::json::parse(client.request("$JS.API.CONSUMER.NAMES." + stream).data);
    for (const auto& each : answer.at("consumers").as_array())
        names.emplace_back(each.as_string());
    return names;
}

/// As `nats consumer pause` and `resume`. An empty time resumes.
bool pause_consumer(nats_client& client, const std::string& stream, const std::string& consumer,
                    const std::string& until)
{
    const auto payload = until.empty() ? "" : R"({"pause_until":")" + until + "\"}";
    return boost::json::parse(client.request("$JS.API.CONSUMER.PAUSE." + stream + '.' + consumer, payload).data)
        .at("paused")
        .as_bool();
}

/// How a service becomes absent, and how it returns.
struct absence
{
    const char* name;
    std::function<void(marquee_system&, const std::string&)> go;
    std::function<void(marquee_system&, const std::string&)> come;
};

const absence absences[] = {
    {"stopped", [](marquee_system& system, const std::string& name) { system.stop(name); },
     [](marquee_system& system, const std::string& name) { system.start(name); }},
    {"standing still", [](marquee_system& system, const std::string& name) { system.at(name).suspend(); },
     [](marquee_system& system, const std::string& name) { system.at(name).signal(SIGCONT); }},
};

} // namespace

BOOST_AUTO_TEST_SUITE(readiness)

BOOST_AUTO_TEST_CASE(an_edge_without_metadata_or_cdnurl_is_not_ready_and_without_reporting_it_is_degraded)
{
    marquee_system system;
    (void)ready_when(system, says(with("ready", "ok")));
    for (const auto& [how, go, come] : absences)
        BOOST_TEST_CONTEXT(how)
        {
            for (const std::string name : {"metadata", "cdnurl"})
            {
                go(system, name);
                const auto answer = ready_when(system, is_unready("There is no answer from " + name + '.'));
                check_problem(answer, 503, "no_responders");
                BOOST_TEST(system.call({"GET", "/healthz"}).status == 200);
                come(system, name);
                (void)ready_when(system, says(with("ready", "ok")));
            }
            go(system, "reporting");
            (void)ready_when(system, says(with("degraded", "away")));
            BOOST_TEST(is_degraded(system.call(a_play)));
            BOOST_TEST(system.call({"HEAD", "/readyz"}).status == 200);
            come(system, "reporting");
            (void)ready_when(system, says(with("ready", "ok")));
        }
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(one_instance_of_two_is_enough)
{
    marquee_system::settings with_two;
    with_two.start = {"metadata", "metadata-2", "cdnurl", "reporting", "edge"};
    marquee_system system(with_two);
    (void)ready_when(system, says(with("ready", "ok")));
    system.at("metadata-2").suspend();
    for (int i = 0; i < 200; ++i)
        BOOST_TEST_REQUIRE(system.call(readyz).status == 200);
    system.at("metadata-2").signal(SIGCONT);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(an_edge_is_not_ready_without_its_broker_and_ready_when_it_is_back)
{
    marquee_system system;
    (void)ready_when(system, says(with("ready", "ok")));
    system.broker().kill();
    check_problem(ready_when(system, is_unready("The broker is away.")), 503, "disconnected");
    system.broker().restart();
    (void)ready_when(system, says(with("ready", "ok")));
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(an_edge_without_its_stream_or_with_a_full_one_is_degraded_and_the_check_stores_nothing)
{
    marquee_system system;
    (void)ready_when(system, says(with("ready", "ok")));
    nats_client client(system.broker().url());
    const auto state = [&] { return boost::json::parse(client.request("$JS.API.STREAM.INFO.EVENTS").data); };
    BOOST_TEST(state().at("state").at("last_seq").as_int64() == 0);
    auto config = state().at("config").as_object();
    config["max_bytes"] = 600;
    (void)client.request("$JS.API.STREAM.UPDATE.EVENTS", boost::json::serialize(config));
    BOOST_TEST(system.call(a_play).status == 200);
    (void)ready_when(system, says(with("degraded", "ok", "full")));
    config["max_bytes"] = -1;
    (void)client.request("$JS.API.STREAM.UPDATE.EVENTS", boost::json::serialize(config));
    (void)ready_when(system, says(with("ready", "ok")));
    (void)client.request("$JS.API.STREAM.DELETE.EVENTS");
    (void)ready_when(system, [](const http_answer& answer)
                     { return answer.status == 200 && answer.body.find(R"("events":"away")") != std::string::npos; });
    BOOST_TEST(is_degraded(system.call(a_play)));
}

BOOST_AUTO_TEST_CASE(readiness_reports_lag_while_the_consumer_of_reporting_is_paused)
{
    marquee_system system;
    (void)ready_when(system, says(with("ready", "ok")));
    nats_client client(system.broker().url());
    const auto info = boost::json::parse(client.request("$JS.API.STREAM.INFO.EVENTS").data);
    if (!info.at("config").as_object().contains("metadata") ||
        !info.at("config").at("metadata").as_object().contains("_nats.level"))
    {
        BOOST_TEST_MESSAGE("this nats-server pauses no consumers");
        return;
    }
    const auto consumers = consumers_of(client, "EVENTS");
    BOOST_TEST_REQUIRE(consumers.size() == 1U);
    BOOST_TEST(pause_consumer(client, "EVENTS", consumers.front(), "2100-01-01T00:00:00Z"));
    const auto seen = system.call(a_play);
    BOOST_TEST((seen.status == 200 && is_degraded(seen)), seen.body);
    (void)ready_when(system, says(with("degraded", "lagging")));
    BOOST_TEST(!pause_consumer(client, "EVENTS", consumers.front(), ""));
    (void)ready_when(system, says(with("ready", "ok")));
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
