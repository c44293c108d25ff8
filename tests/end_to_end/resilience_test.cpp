// Instances that die and services that keep failing: who is asked again, how often, who is not asked any more, and that all of it ends.
#include "tests/end_to_end/recovery.hpp"
#include "tests/support/load.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/prometheus.hpp"

#include "broker/bundle.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// One thread, so that there is one budget and one circuit for each service.
marquee_system::settings one_thread(const char* deadline, std::vector<std::string> start)
{
    marquee_system::settings with;
    with.start = std::move(start);
    with.extra["edge"] = {"--timeout", deadline, "--threads", "1"};
    return with;
}

std::uint64_t metric(const marquee_system& system, const std::string& name, const std::string& service)
{
    return read_metrics(system.call({"GET", "/metrics"}).body).sum("marquee_edge_" + name, {{"service", service}});
}

/// Calls at once, again and again, until one is answered with `code`.
bool call_until_code(nats_client& client, const marquee_system& system, const http_call& what, const std::string& code)
{
    const std::vector<http_call> calls(12, what);
    for (const auto end = clock::now() + 30s; clock::now() < end;)
        for (const auto& answer : client.call_all(system.port(), calls))
            if (answer.text("code") == code)
                return true;
    return false;
}

/// Calls until the edge has logged this move of a circuit.
bool call_until_moved(marquee_system& system, const http_call& what, const std::string& service, const std::string& now)
{
    const auto line = "a circuit has moved service=" + service + " now=" + now;
    for (const auto end = clock::now() + 30s; clock::now() < end;)
    {
        if (system.at("edge").output().find(line) != std::string::npos)
            return true;
        (void)system.call(what);
    }
    return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(resilience)

BOOST_AUTO_TEST_CASE(a_kill_of_one_of_two_instances_under_load_fails_no_play)
{
    marquee_system system(one_thread("6s", {"metadata", "metadata-2", "cdnurl", "cdnurl-2", "reporting", "reporting-2", "edge"}));
    play_tally tally;
    load_settings with;
    with.ports = {system.port()};
    with.clients = 32;
    load viewers(with, tally);
    std::uint64_t plays = 1000;
    BOOST_REQUIRE(viewers.wait_for_acknowledged(plays)); // they pay for the budget
    for (const std::string name : {"metadata", "cdnurl", "reporting"})
    {
        const auto before = metric(system, "asked_again_total", name);
        system.at(name).suspend(); // so that it has questions to take with it
        (void)viewers.wait_for_acknowledged(viewers.so_far().acknowledged + 300, 200ms);
        system.kill(name);
        plays = viewers.so_far().acknowledged + 200;
        BOOST_REQUIRE(viewers.wait_for_acknowledged(plays));
        BOOST_TEST(metric(system, "asked_again_total", name) > before);
        BOOST_TEST(metric(system, "circuit_opened_total", name) == 0U);
        system.start(name);
    }
    viewers.stop();
    const auto report = viewers.finish();
    BOOST_TEST(report.wrong == 0U);
    for (const auto& [status, count] : report.statuses)
        BOOST_TEST(status == 200, count << " plays were answered " << status);
    BOOST_TEST(report.refused + report.broken == 0U);
    check_that_all_routes_work(system);
}

BOOST_AUTO_TEST_CASE(when_everything_is_silent_one_question_in_ten_is_asked_again_beyond_the_reserve)
{
    constexpr int questions = 300;
    marquee_system system(one_thread("4s", {"edge"}));
    nats_client client(system.broker().url());
    std::map<std::string, int> asked;
    const auto hear = [&](const message& m)
    {
        if (!m.subject.ends_with(".many"))
            ++asked[m.subject];
        else if (const auto items = read_bundle(m.data))
            for (const auto& each : *items)
                ++asked[each.subject];
    };
    const auto listening = client.listen("metadata.>", hear);
    std::vector<http_call> calls;
    for (int i = 0; i < questions; ++i)
        calls.push_back({"GET", "/content/asset/" + std::to_string(i)});
    for (const auto& answer : client.call_all(system.port(), calls))
        check_problem(answer, 504, "timeout");

    int all = 0;
    BOOST_TEST(asked.size() == static_cast<std::size_t>(questions));
    for (const auto& [subject, times] : asked)
    {
        BOOST_TEST(times <= 2, subject);
        all += times;
    }
    BOOST_TEST(all > questions);
    BOOST_TEST(all <= questions + questions / 10 + 10);
    BOOST_TEST(metric(system, "asked_again_total", "metadata") == static_cast<std::uint64_t>(all - questions));
    BOOST_TEST(metric(system, "not_asked_again_total", "metadata") >= static_cast<std::uint64_t>(2 * questions - all));

    client.fake("metadata.get.*", R"({"id":"123","title":"It","genre":"g","summary":"s"})");
    http_answer answer;
    for (const auto end = clock::now() + 20s; answer.status != 200 && clock::now() < end;)
        answer = client.call(system.port(), {"GET", "/content/asset/123"});
    BOOST_TEST(answer.status == 200);
}

BOOST_AUTO_TEST_CASE(a_service_that_stands_still_is_asked_no_more_but_by_probes_until_one_is_answered)
{
    marquee_system system(one_thread("400ms", {"metadata", "cdnurl", "reporting", "edge"}));
    nats_client client(system.broker().url());
    check_that_plays_are_counted(system);
    const http_call content{"GET", "/content/asset/123"};
    system.at("metadata").suspend();
    BOOST_TEST(call_until_code(client, system, content, "unavailable"));
    BOOST_TEST(call_until_moved(system, content, "metadata", "open"));
    BOOST_TEST(call_until_moved(system, content, "metadata", "\"half open\""));
    BOOST_TEST(call_until_code(client, system, a_play, "unavailable"));
    BOOST_TEST(metric(system, "circuits_open", "metadata") == 1U);
    BOOST_TEST(metric(system, "not_asked_total", "metadata") > 0U);
    BOOST_TEST(metric(system, "circuits_open", "cdnurl") == 0U);
    BOOST_TEST(system.call_as_admin({"GET", "/url/asset/123"}).status == 200);
    BOOST_TEST(system.call({"GET", "/events/asset/123"}).status == 200);

    system.at("metadata").signal(SIGCONT);
    check_that_all_routes_work(system);
    BOOST_TEST(call_until_moved(system, content, "metadata", "closed"));
    BOOST_TEST(metric(system, "circuits_open", "metadata") == 0U);
    BOOST_TEST(metric(system, "circuit_opened_total", "metadata") >= 1U);
    BOOST_TEST(metric(system, "circuit_opened_total", "cdnurl") == 0U);
}

BOOST_AUTO_TEST_CASE(while_reporting_stands_still_every_play_is_stored_and_all_are_counted_afterwards)
{
    marquee_system system(one_thread("1s", {"metadata", "cdnurl", "reporting", "edge"}));
    nats_client client(system.broker().url());
    check_that_plays_are_counted(system);
    const auto before = counted(system, a_play, "before").number("assetviews");
    system.at("reporting").suspend();
    const auto end = clock::now() + 30s;
    std::int64_t plays = 0;
    const std::vector<http_call> calls{a_play, a_view, a_play, a_view, a_play, a_view};
    while (metric(system, "not_asked_total", "reporting") == 0 && clock::now() < end)
        for (const auto& answer : client.call_all(system.port(), calls))
        {
            check_degraded(answer, "reporting");
            ++plays;
        }
    BOOST_TEST(metric(system, "not_asked_total", "reporting") > 0U);
    BOOST_TEST(call_until_code(client, system, {"GET", "/events/asset/123"}, "unavailable"));

    system.at("reporting").signal(SIGCONT);
    BOOST_TEST(counted(system, a_play, "after").number("assetviews") == before + plays + 1);
    check_that_all_routes_work(system);
}

BOOST_AUTO_TEST_SUITE_END()
