// Instances that end and services that keep failing: hedging, the retry budget, circuits, and
// recovery.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/load.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/prometheus.hpp"

#include "broker/micro/bundle.hpp"

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

/// Repeats concurrent calls until one is answered with `code`.
bool call_until_code(nats_client& client, const marquee_system& system, const http_call& what, const std::string& code)
{
    const std::vector<http_call> calls(12, what);
    for (const auto end = clock::now() + 30s; clock::now() < end;)
        for (const auto& answer : client.call_all(system.port(), calls))
            if (answer.text("code") == code)
                return true;
    return false;
}

/// Calls until the edge has logged this transition of a circuit.
bool call_until_transition(marquee_system& system, const http_call& what, const std::string& service,
                           const std::string& now)
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

const bool full = is_full();
const int rounds = full ? 10 : 1;

enum class fault
{
    silent_and_killed, ///< with requests in flight
    killed,
    silent_for_a_while
};
const std::vector<fault> faults = full ? std::vector{fault::silent_and_killed, fault::killed, fault::silent_for_a_while}
                                       : std::vector{fault::silent_and_killed};

marquee_system::settings two_of_each()
{
    return one_thread("6s", {"metadata", "metadata-2", "cdnurl", "cdnurl-2", "reporting", "reporting-2", "edge"});
}

load_settings thirty_two_viewers(const marquee_system& system)
{
    load_settings with;
    with.ports = {system.port()};
    with.clients = 32;
    return with;
}

std::uint64_t status_count(const load_report& report, int status)
{
    const auto found = report.statuses.find(status);
    return found == report.statuses.end() ? 0 : found->second;
}

void print(const load_report& report, const std::string& what)
{
    BOOST_TEST_MESSAGE(what << " in " << report.time.count() << " ms: " << report.attempts << " plays, "
                            << status_count(report, 200) << " answered 200, " << report.uncounted
                            << " of them without counts, " << status_count(report, 502) << " 502; longest pause "
                            << report.longest_outage.count() << " ms");
}

void inject(marquee_system& system, const load& viewers, const std::string& instance, fault how)
{
    if (how != fault::killed)
    {
        system.at(instance).suspend();
        // Until all viewers wait for it; none waits long for reporting's counts.
        const bool blocks_viewers = !instance.starts_with("reporting");
        (void)viewers.wait_for_acknowledged(viewers.so_far().acknowledged + (blocks_viewers ? 1'000'000 : 300), 1s);
    }
    if (how == fault::silent_for_a_while)
        system.at(instance).signal(SIGCONT);
    else
        system.kill(instance);
}

/// At most one retry for every ten requests, and the initial budget. A play sends each service one
/// request at most.
void check_budget(const marquee_system& system, const load_report& report)
{
    for (const std::string name : {"metadata", "cdnurl", "reporting"})
    {
        const auto again = metric(system, "asked_again_total", name);
        BOOST_TEST_MESSAGE(name << ": " << again << " requests of " << report.attempts << " plays were sent again, "
                                << metric(system, "not_asked_again_total", name) << " more were not");
        BOOST_TEST(again <= report.attempts / 10 + 10, name);
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(resilience)

BOOST_AUTO_TEST_CASE(a_kill_of_one_of_two_instances_under_load_fails_no_play)
{
    marquee_system system(two_of_each());
    expected_views expected;
    load viewers(thirty_two_viewers(system), expected);
    BOOST_REQUIRE(viewers.wait_for_acknowledged(1000)); // they fill the retry budget
    int injected = 0;
    for (int round = 0; round < rounds; ++round)
        for (const std::string name : {"metadata", "cdnurl", "reporting"})
            for (const auto how : faults)
            {
                const auto instance = ++injected % 2 == 0 ? name + "-2" : name;
                BOOST_TEST_CONTEXT(instance << ", round " << round << ", fault " << static_cast<int>(how))
                {
                    const auto before = metric(system, "asked_again_total", name);
                    inject(system, viewers, instance, how);
                    BOOST_REQUIRE(viewers.wait_for_acknowledged(viewers.so_far().acknowledged + 200));
                    if (how == fault::silent_and_killed && name != "reporting") // perhaps not the one that is named
                        BOOST_TEST(metric(system, "asked_again_total", name) > before);
                    BOOST_TEST(metric(system, "circuit_opened_total", name) == 0U);
                    if (how != fault::silent_for_a_while)
                        system.start(instance);
                }
            }
    viewers.stop();
    const auto report = viewers.finish();
    print(report, std::to_string(injected) + " faults");
    BOOST_TEST(report.wrong == 0U);
    for (const auto& [status, count] : report.statuses)
        BOOST_TEST(status == 200, count << " plays were answered " << status);
    BOOST_TEST(report.refused + report.broken == 0U);
    check_budget(system, report);
    check_that_all_routes_work(system);
}

BOOST_AUTO_TEST_CASE(an_instance_with_malformed_replies_fails_only_the_requests_it_answers)
{
    auto with = two_of_each();
    with.extra["edge"].emplace_back("--batch-views=off"); // counts that are requested can be malformed
    marquee_system system(with);
    expected_views expected;
    load viewers(thirty_two_viewers(system), expected);
    BOOST_REQUIRE(viewers.wait_for_acknowledged(1000));
    const auto malformed = [&](const std::string& name)
    { return name == "reporting" ? viewers.so_far().uncounted : status_count(viewers.so_far(), 502); };
    for (int round = 0; round < rounds; ++round)
        for (const std::string name : {"metadata", "cdnurl", "reporting"})
            BOOST_TEST_CONTEXT(name << ", round " << round)
            {
                const auto enough = malformed(name) + 100;
                {
                    nats_client intruder(system.broker().url());
                    for (const auto* what : {".many", ".gets", ".get.*", ".views.*.*"})
                        intruder.fake(name + what, "nonsense");
                    for (const auto end = clock::now() + 60s; malformed(name) < enough && clock::now() < end;)
                        BOOST_TEST(intruder.call(system.port(), {"GET", "/healthz"}).status ==
                                   200); // its loop runs meanwhile
                    BOOST_TEST(malformed(name) >= enough);
                } // it leaves, perhaps with requests in flight
                BOOST_REQUIRE(viewers.wait_for_acknowledged(viewers.so_far().acknowledged + 200));
                BOOST_TEST(metric(system, "circuit_opened_total", name) == 0U);
            }
    viewers.stop();
    const auto report = viewers.finish();
    print(report, std::to_string(3 * rounds) + " intruders");
    BOOST_TEST(report.wrong == status_count(report, 502)); // caused by malformed replies only
    BOOST_TEST(status_count(report, 200) + status_count(report, 502) == report.attempts);
    check_budget(system, report);
    const auto counts = wrong_counts(expected, system.port(), false);
    BOOST_TEST(counts.empty(), (counts.empty() ? std::string() : counts.front()));
    check_that_all_routes_work(system);
}

BOOST_AUTO_TEST_CASE(while_everything_is_silent_the_retry_budget_allows_one_retry_in_ten_requests)
{
    constexpr int requests = 300;
    marquee_system system(one_thread("4s", {"edge"}));
    nats_client client(system.broker().url());
    std::map<std::string, int> seen;
    const auto count = [&](const message& m)
    {
        if (!m.subject.ends_with(".many"))
            ++seen[m.subject];
        else if (const auto items = read_bundle(m.data))
            for (const auto& each : *items)
                ++seen[each.subject];
    };
    const auto listening = client.listen("metadata.>", count);
    std::vector<http_call> calls;
    for (int i = 0; i < requests; ++i)
        calls.push_back({"GET", "/content/asset/" + std::to_string(i)});
    for (const auto& answer : client.call_all(system.port(), calls))
        check_problem(answer, 504, "timeout");

    int all = 0;
    BOOST_TEST(seen.size() == static_cast<std::size_t>(requests));
    for (const auto& [subject, times] : seen)
    {
        BOOST_TEST(times <= 2, subject);
        all += times;
    }
    BOOST_TEST(all > requests);
    BOOST_TEST(all <= requests + requests / 10 + 10);
    BOOST_TEST(metric(system, "asked_again_total", "metadata") == static_cast<std::uint64_t>(all - requests));
    BOOST_TEST(metric(system, "not_asked_again_total", "metadata") >= static_cast<std::uint64_t>(2 * requests - all));

    client.fake("metadata.get.*", R"({"id":"123","title":"It","genre":"g","summary":"s"})");
    http_answer answer;
    for (const auto end = clock::now() + 20s; answer.status != 200 && clock::now() < end;)
        answer = client.call(system.port(), {"GET", "/content/asset/123"});
    BOOST_TEST(answer.status == 200);
}

BOOST_AUTO_TEST_CASE(the_circuit_of_a_suspended_service_opens_and_only_probes_pass_until_one_is_answered)
{
    marquee_system system(one_thread("400ms", {"metadata", "cdnurl", "reporting", "edge"}));
    nats_client client(system.broker().url());
    check_that_plays_are_counted(system);
    const http_call content{"GET", "/content/asset/123"};
    system.at("metadata").suspend();
    BOOST_TEST(call_until_code(client, system, content, "unavailable"));
    BOOST_TEST(call_until_transition(system, content, "metadata", "open"));
    BOOST_TEST(call_until_transition(system, content, "metadata", "\"half open\""));
    BOOST_TEST(call_until_code(client, system, a_play, "unavailable"));
    BOOST_TEST(metric(system, "circuits_open", "metadata") == 1U);
    BOOST_TEST(metric(system, "not_asked_total", "metadata") > 0U);
    BOOST_TEST(metric(system, "circuits_open", "cdnurl") == 0U);
    BOOST_TEST(system.call_as_admin({"GET", "/url/asset/123"}).status == 200);
    BOOST_TEST(system.call({"GET", "/events/asset/123"}).status == 200);

    system.at("metadata").signal(SIGCONT);
    check_that_all_routes_work(system);
    BOOST_TEST(call_until_transition(system, content, "metadata", "closed"));
    BOOST_TEST(metric(system, "circuits_open", "metadata") == 0U);
    BOOST_TEST(metric(system, "circuit_opened_total", "metadata") >= 1U);
    BOOST_TEST(metric(system, "circuit_opened_total", "cdnurl") == 0U);
}

BOOST_AUTO_TEST_CASE(plays_are_stored_while_reporting_is_suspended_and_counted_afterwards)
{
    marquee_system system(one_thread("1s", {"metadata", "cdnurl", "reporting", "edge"}));
    nats_client client(system.broker().url());
    check_that_plays_are_counted(system);
    const auto before = counted(system, a_play, "before").number("assetviews");
    system.at("reporting").suspend();
    const auto end = clock::now() + 30s;
    std::int64_t plays = 0;
    const std::vector<http_call> calls{a_play, a_view, a_play, a_view}; // fewer than the retry budget allows to ask
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
