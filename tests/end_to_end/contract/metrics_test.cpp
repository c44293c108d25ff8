// GET /metrics of real edges: the format, and every number.
#include "edge/routes/routes.hpp"
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>

namespace
{

using namespace marquee::test;
using namespace std::chrono_literals;

constexpr const char* requests = "marquee_edge_requests_total";
constexpr const char* durations = "marquee_edge_request_duration_seconds_count";

marquee_system::settings three_threads()
{
    marquee_system::settings with;
    with.extra["edge"] = {"--threads", "3"};
    return with;
}
using shared = shared_system<three_threads>;

metrics_page scrape(const marquee_system& system, const std::string& edge = "edge")
{
    const auto answer = system.call({"GET", "/metrics"}, edge);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    BOOST_TEST(answer.header("Cache-Control") == "no-store");
    auto page = read_metrics(answer.body);
    BOOST_TEST(page.complaints == std::vector<std::string>(), boost::test_tools::per_element());
    return page;
}

metrics_page scrape() { return scrape(*shared::system); }

metric_labels labels(const std::string& method, const std::string& route, int status = 0)
{
    metric_labels all{{"method", method}, {"route", route}};
    if (status != 0)
        all["status"] = std::to_string(status);
    return all;
}

/// Scrapes until `done` holds; returns the last page.
metrics_page scrape_until(const marquee_system& system, const std::function<bool(const metrics_page&)>& done)
{
    const auto end = std::chrono::steady_clock::now() + 30s;
    auto page = scrape(system);
    while (!done(page) && std::chrono::steady_clock::now() < end)
        page = scrape(system);
    BOOST_TEST(done(page));
    return page;
}

} // namespace

BOOST_AUTO_TEST_SUITE(metrics, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(every_answer_is_counted_once_by_route_method_and_status_over_all_threads)
{
    struct row
    {
        http_call call;
        int status;
        const char* route;
        const char* method;
    };
    const row table[] = {
        {{"POST", "/play/asset/123/user/1"}, 200, "/play/asset/{asset}/user/{user}", "POST"},
        {{"POST", "/play/asset/nix/user/1"}, 404, "/play/asset/{asset}/user/{user}", "POST"},
        {{"POST", "/play/asset/%00/user/1"}, 400, "/play/asset/{asset}/user/{user}", "POST"},
        {{"GET", "/content/asset/123"}, 200, "/content/asset/{asset}", "GET"},
        {{"HEAD", "/content/asset/123"}, 200, "/content/asset/{asset}", "HEAD"},
        {{"POST", "/content/asset/1", {}, "{}"}, 401, "/content/asset/{asset}", "POST"},
        {{"GET", "/content/assets"}, 200, "/content/assets", "GET"},
        {{"GET", "/healthz"}, 200, "/healthz", "GET"},
        {{"DELETE", "/healthz"}, 405, "other", "other"},
        {{"OPTIONS", "/content/asset/123"}, 204, "other", "other"},
        {{"GET", "/no/such/10.5240%2F7791"}, 404, "other", "other"},
        {{"GET", "/%"}, 400, "other", "other"},
        {{"GET", "/healthz", {{"Host", "another"}}}, 400, "other", "other"},
        {{"GET", "/" + std::string(5000, 'a')}, 414, "other", "other"},
    };
    const auto before = scrape();
    std::map<std::tuple<std::string, std::string, int>, std::uint64_t> sent;
    constexpr int times = 7;
    for (int i = 0; i < times; ++i) // each on its own connection, so any thread may accept it
        for (const auto& [call, status, route, method] : table)
        {
            BOOST_TEST(shared::system->call(call).status == status, call);
            ++sent[{route, method, status}];
        }
    const auto after = scrape();
    for (const auto& [what, count] : sent)
    {
        const auto& [route, method, status] = what;
        const auto one = labels(method, route, status);
        BOOST_TEST(after.sum(requests, one) - before.sum(requests, one) == count,
                   method << ' ' << route << ' ' << status);
    }
    // Nothing else was counted but the scrape itself, after its answer.
    const auto scraped = labels("GET", "/metrics", 200);
    BOOST_TEST(after.sum(requests, scraped) - before.sum(requests, scraped) == 1U);
    BOOST_TEST(after.sum(requests) - before.sum(requests) == std::size(table) * times + 1);
}

BOOST_AUTO_TEST_CASE(the_histogram_of_a_route_contains_every_answer)
{
    (void)shared::system->call({"GET", "/events/top"});
    const auto page = scrape();
    std::uint64_t routed = 0;
    for (const auto& each : marquee::all_routes())
        for (const auto& method : {std::string(each.method), std::string("HEAD")})
        {
            if (method == "HEAD" && each.method != "GET")
                continue;
            const auto one = labels(method, std::string(each.pattern));
            routed += page.sum(requests, one);
            BOOST_TEST(page.sum(durations, one) == page.sum(requests, one), method << ' ' << each.pattern);
        }
    BOOST_TEST(routed + page.sum(requests, {{"route", "other"}}) == page.sum(requests));
    const auto bucket = [&](const char* le)
    {
        return page.sum("marquee_edge_request_duration_seconds_bucket",
                        {{"route", "/events/top"}, {"method", "GET"}, {"le", le}});
    };
    BOOST_TEST(bucket("0.0005") <= bucket("10"));
    BOOST_TEST(bucket("+Inf") >= 1U);
}

BOOST_AUTO_TEST_CASE(labels_are_route_patterns_and_never_client_input)
{
    for (const std::string odd : {"secret-id-1", "a%22b%0A", "%7Basset%7D"})
        for (const auto& path : {"/content/asset/" + odd, "/events/user/" + odd, "/" + odd, "/healthz?" + odd})
            (void)shared::system->call({"GET", path, {{"X-Request-ID", "secret-id-2"}}});
    (void)shared::system->call({"SECRETID", "/healthz"});
    std::set<std::string> routes{"other"};
    std::set<std::string> methods{"other", "HEAD"};
    for (const auto& each : marquee::all_routes())
    {
        routes.emplace(each.pattern);
        methods.emplace(each.method);
    }
    for (const auto& each : scrape().samples)
        for (const auto& [name, value] : each.labels)
            BOOST_TEST_CONTEXT(each.name << ' ' << name << ' ' << value)
            {
                if (name == "route")
                    BOOST_TEST(routes.contains(value));
                else if (name == "method")
                    BOOST_TEST(methods.contains(value));
                else if (name == "status")
                    BOOST_TEST((value.size() == 3 && value.find_first_not_of("0123456789") == std::string::npos));
                else if (name == "service")
                    BOOST_TEST((value == "metadata" || value == "cdnurl" || value == "reporting" || value == "edge"));
                else if (name == "why")
                    BOOST_TEST((value == "failed" || value == "slow" || value == "without_counts"));
                else if (name == "part")
                    BOOST_TEST((value == "events" || value == "reporting" || value == "lookups" || value == "store" ||
                                value == "count"));
                else
                    BOOST_TEST((name == "le" || name == "version"));
            }
}

BOOST_AUTO_TEST_CASE(counters_and_buckets_never_decrease)
{
    auto before = scrape();
    for (int i = 0; i < 10; ++i)
    {
        for (const auto& route : service_routes(*shared::system))
            (void)shared::system->call(route.call);
        auto after = scrape();
        for (const auto& [one, value] : before.series)
            if (before.is_monotonic(one))
            {
                BOOST_TEST_REQUIRE(after.series.contains(one), one);
                BOOST_TEST(after.series.at(one) >= value, one);
            }
        before = std::move(after);
    }
}

BOOST_AUTO_TEST_CASE(gauges_show_the_current_connections_and_requests_in_flight)
{
    // The scrape has a connection too. Those of earlier calls are closed once the edge has noticed.
    (void)scrape_until(*shared::system, [](const auto& page) { return page.sum("marquee_edge_connections") == 1; });
    boost::asio::io_context io;
    std::vector<std::unique_ptr<http_client>> kept;
    for (int i = 0; i < 5; ++i)
    {
        kept.push_back(std::make_unique<http_client>(io, shared::system->port()));
        auto call = [](http_client& client) -> boost::asio::awaitable<void>
        {
            http_call alive{"GET", "/healthz"};
            const auto answer = co_await client.send(std::move(alive));
            BOOST_TEST(answer.status == 200);
        };
        boost::asio::co_spawn(io, call(*kept.back()), boost::asio::detached);
    }
    io.run();
    BOOST_TEST(scrape().sum("marquee_edge_connections") == 6U);
    kept.clear();
    (void)scrape_until(*shared::system, [](const auto& page) { return page.sum("marquee_edge_connections") == 1; });
    BOOST_TEST(scrape().sum("marquee_edge_requests_in_flight") == 0U);
    BOOST_TEST(scrape().sum("marquee_edge_nats_requests_in_flight") == 0U);
    BOOST_TEST(scrape().sum("marquee_edge_threads") == 3U);
    BOOST_TEST(scrape().sum("marquee_edge_nats_links_up") == 3U);
    BOOST_TEST(scrape().sum("marquee_edge_info") == 1U);
}

BOOST_AUTO_TEST_CASE(head_has_no_body_and_another_method_is_refused)
{
    const auto head = shared::system->call({"HEAD", "/metrics"});
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.body.empty());
    BOOST_TEST(head.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    check_problem(shared::system->call({"POST", "/metrics"}), 405, "method_not_allowed");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(metrics_of_faults)

BOOST_AUTO_TEST_CASE(degraded_answers_late_replies_and_lost_links_are_counted_and_plays_recover)
{
    marquee_system::settings with;
    with.extra["edge"] = {"--threads", "2", "--timeout", "2s"};
    marquee_system system(with);
    check_that_plays_are_counted(system);
    const auto degraded = [](const metrics_page& page, const char* part) {
        return page.sum("marquee_edge_degraded_total", {{"part", part}});
    };

    const auto before = scrape(system);
    system.stop("reporting");
    for (int i = 0; i < 3; ++i)
        check_degraded(system.call(a_play), "reporting");
    BOOST_TEST(is_degraded(system.call(a_view)));
    const auto without = scrape(system);
    BOOST_TEST(degraded(without, "reporting") - degraded(before, "reporting") == 4U);
    BOOST_TEST(degraded(without, "events") == degraded(before, "events"));
    BOOST_TEST(without.sum("marquee_edge_nats_reconnects_total") == 0U);
    system.start("reporting");

    system.at("metadata").suspend();
    check_problem(system.call({"GET", "/content/asset/123"}), 504, "timeout");
    const auto waiting = scrape(system);
    BOOST_TEST(waiting.sum(requests, labels("GET", "/content/asset/{asset}", 504)) == 1U);
    // It took two seconds, so it is in no bucket up to one second.
    BOOST_TEST(waiting.sum("marquee_edge_request_duration_seconds_bucket",
                           {{"route", "/content/asset/{asset}"}, {"method", "GET"}, {"le", "1"}}) == 0U);
    system.at("metadata").signal(SIGCONT);
    const auto late = waiting.sum("marquee_edge_nats_late_replies_total");
    (void)scrape_until(system,
                       [&](const auto& page) { return page.sum("marquee_edge_nats_late_replies_total") > late; });

    system.broker().kill();
    (void)scrape_until(system, [](const auto& page) { return page.sum("marquee_edge_nats_links_up") == 0; });
    BOOST_TEST(system.call(a_play).status == 503);
    BOOST_TEST(scrape(system).sum(requests, labels("POST", "/play/asset/{asset}/user/{user}", 503)) == 1U);
    system.broker().restart();
    (void)scrape_until(system, [](const auto& page) { return page.sum("marquee_edge_nats_links_up") == 2; });
    BOOST_TEST(scrape(system).sum("marquee_edge_nats_reconnects_total") >= 2U);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(the_page_of_the_fleet_has_every_instance_and_loses_those_that_are_gone)
{
    marquee_system system;
    check_that_plays_are_counted(system);
    const auto fleet = [&]
    {
        const auto answer = system.call({"GET", "/metrics/fleet"});
        BOOST_TEST(answer.status == 200);
        auto page = read_metrics(answer.body);
        BOOST_TEST(page.complaints == std::vector<std::string>(), boost::test_tools::per_element());
        return page;
    };
    const auto fleet_until = [&](const auto& is_done)
    {
        const auto end = std::chrono::steady_clock::now() + 30s;
        auto page = fleet();
        while (!is_done(page) && std::chrono::steady_clock::now() < end)
            page = fleet();
        return page;
    };
    const auto instances = [](const auto& page) { return page.sum("marquee_fleet_instances"); };
    const auto page = fleet_until([&](const auto& each) { return instances(each) == 3; });
    for (const auto* service : {"metadata", "cdnurl", "reporting"})
        BOOST_TEST_CONTEXT(service)
        {
            const metric_labels of{{"service", service}};
            BOOST_TEST(page.sum("marquee_fleet_instances", of) == 1U);
            BOOST_TEST(page.sum("marquee_service_serving", of) == 1U);
            BOOST_TEST(page.sum("marquee_service_alarm", of) == 0U);
            BOOST_TEST(page.sum("marquee_service_duration_seconds_count", of) > 0U);
            BOOST_TEST(page.sum("process_resident_memory_bytes", of) > 1'000'000U);
        }
    BOOST_TEST(page.sum("marquee_catalogue_records") == 4U);
    BOOST_TEST(page.sum("marquee_reporting_events_total") > 0U);
    BOOST_TEST(page.sum("marquee_reporting_database_bytes") > 0U);
    BOOST_TEST(page.sum("marquee_stream_has_leader") == 1U);
    BOOST_TEST(page.sum("marquee_stream_messages") > 0U);
    BOOST_TEST(page.sum("marquee_account_streams") == 3U);

    system.stop("reporting");
    const auto without = fleet_until(
        [&](const auto& each) {
            return instances(each) == 2 && each.sum("marquee_fleet_instances", {{"service", "reporting"}}) == 0;
        });
    BOOST_TEST(without.sum("marquee_fleet_instances", {{"service", "reporting"}}) == 0U);
    BOOST_TEST(!without.types.contains("marquee_reporting_lag_events"));
    BOOST_TEST(without.sum("marquee_fleet_instances") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
