// The page of the fleet, from replies that are right and from replies that lie.
#include "edge/metrics/exposition.hpp"
#include "edge/metrics/fleet_metrics.hpp"
#include "tests/support/prometheus.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string stats(const std::string& name, const std::string& id, const std::string& endpoints)
{
    return R"({"type":"io.nats.micro.v1.stats_response","name":")" + name + R"(","id":")" + id +
           R"(","version":"1.2.3","metadata":{},"started":"2026-01-31T09:30:00Z","endpoints":[)" + endpoints + "]}";
}

std::string endpoint(const std::string& name, const std::string& data, const std::string& requests = "7")
{
    return R"({"name":")" + name + R"(","subject":"a.b","num_requests":)" + requests +
           R"(,"num_errors":2,"processing_time":1500000000,"data":)" + data + "}";
}

const std::string durations = R"("durations":{"bounds":[0.001,0.25],"counts":[3,2,1],"p50":0.1})";

/// Replies as they come: those with the name of one of our services to the request that names it,
/// others to the request to everybody.
fleet_replies told_by(const std::vector<std::string>& replies)
{
    fleet_replies told;
    for (const auto* name : {"metadata", "cdnurl", "reporting"})
        told.stats.emplace_back(name, std::vector<std::string>());
    for (const auto& each : replies)
    {
        auto* to = &told.foreign;
        for (auto& [name, all] : told.stats)
            if (each.find("\"name\":\"" + std::string(name) + '"') != std::string::npos)
                to = &all;
        to->push_back(each);
    }
    return told;
}

/// The page, which must be well-formed whatever was told.
metrics_page page_of(const fleet_replies& told)
{
    auto page = read_metrics(fleet_page(told));
    BOOST_TEST(page.complaints == std::vector<std::string>(), boost::test_tools::per_element());
    return page;
}

double value(const metrics_page& page, const std::string& series)
{
    BOOST_TEST_REQUIRE(page.series.contains(series), series);
    return page.series.at(series);
}

} // namespace

BOOST_AUTO_TEST_SUITE(fleet_metrics)

BOOST_AUTO_TEST_CASE(an_endpoint_has_its_requests_errors_durations_and_what_is_in_flight)
{
    const auto page = page_of(told_by({stats(
        "metadata", "A1",
        endpoint(
            "get",
            R"({"in_flight":4,"replies_lost":1,"replies_overloaded":5,"records":12,"stale_for_ms":2500,"serving":true,)"
            R"("log_lines_dropped":8,"spans_dropped":9,)" +
                durations + R"(,"process":{"resident_bytes":1024,"cpu_seconds":0.25}})"))}));
    const std::string labels = R"(endpoint="get",instance="A1",service="metadata")";
    BOOST_TEST(value(page, "marquee_service_requests_total{" + labels + '}') == 7);
    BOOST_TEST(value(page, "marquee_service_errors_total{" + labels + '}') == 2);
    BOOST_TEST(value(page, "marquee_service_in_flight{" + labels + '}') == 4);
    BOOST_TEST(value(page, "marquee_service_replies_lost_total{" + labels + '}') == 1);
    BOOST_TEST(value(page, "marquee_service_replies_overloaded_total{" + labels + '}') == 5);
    BOOST_TEST(page.sum("marquee_service_duration_seconds_bucket", {{"le", "0.25"}}) == 5U);
    BOOST_TEST(page.sum("marquee_service_duration_seconds_bucket", {{"le", "+Inf"}}) == 6U);
    BOOST_TEST(value(page, "marquee_service_duration_seconds_sum{" + labels + '}') == 1.5);
    const std::string instance = R"({instance="A1",service="metadata"})";
    BOOST_TEST(value(page, "marquee_catalogue_records" + instance) == 12);
    BOOST_TEST(value(page, "marquee_catalogue_staleness_seconds" + instance) == 2.5);
    BOOST_TEST(value(page, "marquee_service_serving" + instance) == 1);
    BOOST_TEST(value(page, "marquee_service_alarm" + instance) == 0);
    BOOST_TEST(value(page, "marquee_log_lines_dropped_total" + instance) == 8);
    BOOST_TEST(value(page, "marquee_service_spans_dropped_total" + instance) == 9);
    BOOST_TEST(value(page, "process_resident_memory_bytes" + instance) == 1024);
    BOOST_TEST(value(page, "process_cpu_seconds_total" + instance) == 0.25);
    BOOST_TEST(value(page, R"(marquee_fleet_instances{service="metadata"})") == 1);
    BOOST_TEST(value(page, R"(marquee_fleet_instances{service="reporting"})") == 0);
    BOOST_TEST(value(page, R"(marquee_build_info{instance="A1",service="metadata",version="1.2.3"})") == 1);
}

BOOST_AUTO_TEST_CASE(reporting_has_its_lag_and_its_database)
{
    const auto page = page_of(told_by({stats("reporting", "R", endpoint("top", R"({"lag":5,"lag_ms":1500,"applied":9,
        "duplicates":2,"rejected":1,"uncommitted":3,"database_bytes":4096,"serving":false,"alarm":"why"})"))}));
    const std::string instance = R"({instance="R",service="reporting"})";
    BOOST_TEST(value(page, "marquee_reporting_lag_events" + instance) == 5);
    BOOST_TEST(value(page, "marquee_reporting_lag_seconds" + instance) == 1.5);
    BOOST_TEST(value(page, "marquee_reporting_duplicates_total" + instance) == 2);
    BOOST_TEST(value(page, "marquee_reporting_rejected_total" + instance) == 1);
    BOOST_TEST(value(page, "marquee_reporting_uncommitted" + instance) == 3);
    BOOST_TEST(value(page, "marquee_reporting_database_bytes" + instance) == 4096);
    BOOST_TEST(value(page, "marquee_service_alarm" + instance) == 1);
    BOOST_TEST(value(page, "marquee_service_serving" + instance) == 0);
}

BOOST_AUTO_TEST_CASE(the_lag_in_events_grows_while_a_consumer_is_lost)
{
    const auto lag = [](const std::string& data, const std::string& state)
    {
        auto told = told_by({stats("reporting", "R", endpoint("top", data))});
        if (!state.empty())
            told.stream = R"({"config":{},"state":)" + state + "}";
        return value(page_of(told), R"(marquee_reporting_lag_events{instance="R",service="reporting"})");
    };
    const std::string lost = R"({"lag":0,"last_sequence":1000})";
    BOOST_TEST(lag(lost, R"({"last_seq":1001000,"messages":1001000})") == 1'000'000);
    BOOST_TEST(lag(lost, R"({"last_seq":1001000,"messages":70})") == 70); // the others are gone
    BOOST_TEST(lag(lost, R"({"last_seq":900,"messages":900})") == 0);
    BOOST_TEST(lag(lost, R"({"last_seq":"x","messages":9})") == 0);
    BOOST_TEST(lag(lost, "") == 0);
    BOOST_TEST(lag(R"({"lag":5,"last_sequence":1000})", R"({"last_seq":1003,"messages":9})") == 5);
    BOOST_TEST(lag(R"({"lag":5})", R"({"last_seq":1003,"messages":9})") == 5);
}

BOOST_AUTO_TEST_CASE(the_stream_and_the_account_have_their_use_and_their_limits)
{
    fleet_replies told;
    told.stream = R"({"config":{"num_replicas":3,"max_bytes":1000},"state":{"bytes":800,"messages":4,"last_seq":9},
        "cluster":{"leader":"n1","replicas":[{"current":true},{"current":true,"offline":true},{"current":false},7]}})";
    told.account = R"({"memory":0,"storage":500,"streams":3,"consumers":4,"limits":{"max_storage":-1,"max_memory":10,)"
                   R"("max_streams":-1,"max_consumers":20}})";
    auto page = page_of(told);
    const std::string stream = R"({stream="EVENTS"})";
    BOOST_TEST(value(page, "marquee_stream_bytes" + stream) == 800);
    BOOST_TEST(value(page, "marquee_stream_max_bytes" + stream) == 1000);
    BOOST_TEST(value(page, "marquee_stream_has_leader" + stream) == 1);
    BOOST_TEST(value(page, "marquee_stream_replicas" + stream) == 3);
    BOOST_TEST(value(page, "marquee_stream_replicas_in_sync" + stream) == 2);
    BOOST_TEST(value(page, "marquee_account_storage_bytes{}") == 500);
    BOOST_TEST(!page.types.contains("marquee_account_storage_limit_bytes"));
    BOOST_TEST(value(page, "marquee_account_memory_limit_bytes{}") == 10);
    BOOST_TEST(value(page, "marquee_account_consumers_limit{}") == 20);
    BOOST_TEST(!page.types.contains("marquee_account_streams_limit"));
    told.stream = R"({"config":{"num_replicas":1,"max_bytes":-1},"state":{"bytes":1}})";
    page = page_of(told);
    BOOST_TEST(value(page, "marquee_stream_replicas_in_sync" + stream) == 1);
    BOOST_TEST(!page.types.contains("marquee_stream_max_bytes"));
    for (const auto& none :
         std::vector<std::optional<std::string>>{{},
                                                 "",
                                                 "[",
                                                 R"({"error":{"code":503}})",
                                                 R"({"config":1,"state":{}})",
                                                 R"({"config":{},"state":{},"cluster":{"leader":""}})",
                                                 R"({"config":{},"state":{},"cluster":{}})"})
    {
        told.stream = none;
        BOOST_TEST(value(page_of(told), "marquee_stream_has_leader" + stream) == 0);
    }
}

BOOST_AUTO_TEST_CASE(of_an_account_with_tiers_the_fullest_is_shown)
{
    fleet_replies told;
    told.account = R"({"memory":0,"storage":900,"streams":5,"consumers":9,"limits":{"max_storage":0,"max_streams":0},
        "tiers":{"R1":{"storage":800,"streams":2,"limits":{"max_storage":8000,"max_streams":10}},
                 "R3":{"storage":100,"streams":3,"limits":{"max_storage":110,"max_streams":4}},
                 "x":7,"y":{},"z":{"storage":-1,"limits":{"max_storage":"1"}}}})";
    const auto page = page_of(told);
    BOOST_TEST(value(page, "marquee_account_storage_bytes{}") == 100);
    BOOST_TEST(value(page, "marquee_account_storage_limit_bytes{}") == 110);
    BOOST_TEST(value(page, "marquee_account_streams{}") == 3);
    BOOST_TEST(value(page, "marquee_account_streams_limit{}") == 4);
    told.account = R"({"storage":900,"limits":{"max_storage":1000},"tiers":{}})";
    BOOST_TEST(value(page_of(told), "marquee_account_storage_bytes{}") == 900);
}

BOOST_AUTO_TEST_CASE(a_service_that_lies_breaks_no_line_and_hides_no_other)
{
    const std::string honest = stats("cdnurl", "H", endpoint("get", "{" + durations + "}"));
    const std::vector<std::string> lies{
        "",
        "[]",
        "null",
        "{}",
        std::string(1U << 20U, '['),
        R"({"type":"io.nats.micro.v1.stats_response"})",
        stats("reporting", "a b", ""),
        stats(R"(x\"} 1\nmarquee_stream_bytes 7)", "A", ""),
        stats(std::string(65, 'x'), "A", ""),
        stats("cdnurl", "H", endpoint("get", "{}", "99")), // the id of another
        R"({"type":"io.nats.micro.v1.stats_response","name":"cdnurl","id":"V","version":"\"}\n\\\u0000é","endpoints":7})",
        stats("cdnurl", "W", endpoint("get", "[1]", "-1") + ",7,null,{}," + endpoint("get", "{}", "1e999")),
        stats("cdnurl", "X", endpoint("get", R"({"durations":{"bounds":[0.1,0.1],"counts":[1,1,1]}})", "1.5")),
        stats("cdnurl", "Y", endpoint("get", R"({"durations":{"bounds":[0.1],"counts":[1,18446744073709551615]}})")),
        stats("cdnurl", "Z", endpoint("get", R"({"durations":{"bounds":["x"],"counts":[1,1]},"process":7})")),
        stats("reporting", "L",
              endpoint("top", R"({"lag":"NaN","lag_ms":-5,"serving":1,"rejected":[],"applied":1e400})")),
    };
    std::vector<std::string> all = lies;
    all.insert(all.begin(), honest);
    auto told = told_by(all);
    told.stream = "]";
    told.account = R"({"limits":[],"storage":"x"})";
    const auto page = page_of(told);
    BOOST_TEST(page.sum("marquee_service_requests_total", {{"instance", "H"}}) == 7U);
    BOOST_TEST(page.sum("marquee_service_duration_seconds_count") == 6U); // only the honest one's is one
    BOOST_TEST(page.sum("marquee_service_requests_total", {{"instance", "W"}}) == 0U);
    BOOST_TEST(!page.types.contains("marquee_reporting_lag_seconds"));
    BOOST_TEST(page.sum("marquee_fleet_replies_ignored") >= 9U);
    BOOST_TEST(!page.types.contains("marquee_stream_bytes"));
}

BOOST_AUTO_TEST_CASE(what_is_beyond_the_limits_is_counted_and_strangers_take_no_place_of_ours)
{
    std::vector<std::string> many;
    for (std::size_t i = 0; i < 500; ++i)
        many.push_back(stats("stranger", "S" + std::to_string(i), endpoint("get", "{}")));
    for (std::size_t i = 0; i < max_fleet_instances + 3; ++i)
        many.push_back(stats("metadata", "M" + std::to_string(i), endpoint("get", "{}")));
    many.push_back(stats("reporting", "R", endpoint("get", "{}")));
    auto page = page_of(told_by(many));
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "stranger"}}) == max_foreign_instances);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "metadata"}}) == max_fleet_instances);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "reporting"}}) == 1U);
    BOOST_TEST(page.sum("marquee_fleet_instances_left_out") == 500 - max_foreign_instances + 3);
    std::string endpoints = endpoint("e", "{}");
    for (int i = 0; i < 99; ++i)
        endpoints += ',' + endpoint("e" + std::to_string(i), "{}");
    page = page_of(told_by({stats("metadata", "M", endpoints)}));
    BOOST_TEST(page.sum("marquee_fleet_endpoints_left_out") == 76U);
}

BOOST_AUTO_TEST_CASE(a_service_is_what_answers_to_its_name)
{
    const auto cdnurl = stats("cdnurl", "C", endpoint("get", "{}"));
    auto told = told_by({cdnurl});
    told.stats.front().second.push_back(stats("cdnurl", "X", "")); // to the request for metadata
    told.stats.front().second.push_back(stats("stranger", "S", ""));
    told.foreign.push_back(cdnurl); // it was asked twice
    told.foreign.push_back(stats("reporting", "R", ""));
    told.foreign.push_back(stats("stranger", "S", ""));
    const auto page = page_of(told);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "metadata"}}) == 0U);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "cdnurl"}}) == 1U);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "reporting"}}) == 0U);
    BOOST_TEST(page.sum("marquee_fleet_instances", {{"service", "stranger"}}) == 1U);
    BOOST_TEST(page.sum("marquee_fleet_replies_ignored") == 2U);
}

BOOST_AUTO_TEST_CASE(label_values_are_escaped_and_bounded)
{
    BOOST_TEST(as_label("a", "x\"\\\n\xC3\xA9") == R"(a="x\"\\???")");
    BOOST_TEST(as_label("a", std::string(500, 'x')).size() == 128U + 4);
    BOOST_TEST(as_sample(0.1) == "0.1");
    BOOST_TEST(as_sample(1e-5) == "1e-05");
}

BOOST_AUTO_TEST_SUITE_END()
