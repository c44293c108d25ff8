#include "edge/routes/routes.hpp"
#include "edge/upstream/fleet.hpp"
#include "edge/upstream/fleet_scrape.hpp"
#include "tests/support/fake_multi_requester.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string info(const std::string& name, const std::string& id, const std::string& endpoints = "[]",
                 const std::string& type = "info")
{
    return R"({"type":"io.nats.micro.v1.)" + type + R"(_response","name":")" + name + R"(","id":")" + id +
           R"(","version":"1.0.0","metadata":{},"description":"d","started":"2026-01-31T09:30:00Z","endpoints":)" +
           endpoints + "}";
}

std::string stats(const std::string& name, const std::string& id, const std::string& endpoints = "[]")
{
    return info(name, id, endpoints, "stats");
}

const std::string get = R"({"name":"get","subject":"a.get.*","queue_group":"q","metadata":{"x":"y"}})";
const std::string get_counted =
    R"({"name":"get","subject":"a.get.*","queue_group":"q","num_requests":3,"num_errors":1,"last_error":"404:No","processing_time":9,)"
    R"("average_processing_time":3,"data":{"records":[1]}})";

std::string without_circuits(const std::string& services)
{
    auto all = boost::json::parse(services).as_object();
    BOOST_TEST(all.erase("circuits") == 1U);
    return boost::json::serialize(all);
}

class fleet_kit : public gateway_kit
{
public:
    fake_multi_requester fleet{io.get_executor()};
    fleet_kit() { edge.fleet.view.set_requester(fleet); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(fleet, fleet_kit)

BOOST_AUTO_TEST_CASE(info_and_stats_of_an_instance_make_one_entry_and_entries_are_sorted)
{
    const std::vector<std::string> infos{info("b", "2"), info("b", "1"), info("a", "9", '[' + get + ']')};
    const std::vector<std::string> counted{stats("a", "9", '[' + get_counted + ']'), stats("unknown", "1")};
    BOOST_TEST(
        merge_service_replies(infos, counted) ==
        R"({"services":[{"name":"a","id":"9","version":"1.0.0","description":"d","endpoints":[{"name":"get","subject":"a.get.*",)"
        R"("queue_group":"q","num_requests":3,"num_errors":1,"processing_time":9,"average_processing_time":3,"last_error":"404:No",)"
        R"("data":{"records":[1]}}],"started":"2026-01-31T09:30:00Z"},)"
        R"({"name":"b","id":"1","version":"1.0.0","description":"d","endpoints":[]},)"
        R"({"name":"b","id":"2","version":"1.0.0","description":"d","endpoints":[]}]})");
    BOOST_TEST(merge_service_replies({}, {}) == R"({"services":[]})");
}

BOOST_AUTO_TEST_CASE(instances_of_reporting_that_count_by_different_rules_are_named)
{
    const auto rules = [](const std::vector<std::pair<std::string, std::string>>& told)
    {
        std::vector<std::string> infos;
        std::vector<std::string> counted;
        for (const auto& [id, rule] : told)
        {
            const auto endpoint = R"([{"name":"top","subject":"reporting.top")";
            infos.push_back(info("reporting", id, endpoint + std::string("}]")));
            counted.push_back(stats("reporting", id, endpoint + (R"(,"data":{"rule":)" + rule + "}}]")));
        }
        const auto merged = boost::json::parse(merge_service_replies(infos, counted)).as_object();
        const auto* list = merged.if_contains("counting_rules");
        return list != nullptr ? boost::json::serialize(*list) : std::string("none");
    };
    const std::string day = R"({"version":4,"dedupe_window":"24h"})";
    const std::string hour = R"({"version":4,"dedupe_window":"1h"})";
    const std::string old = R"({"version":3,"dedupe_window":"24h"})";
    BOOST_TEST(rules({{"A", day}}) == "none");
    BOOST_TEST(rules({{"A", day}, {"B", day}}) == "none");
    BOOST_TEST(rules({{"A", day}, {"B", "{}"}, {"C", "null"}, {"D", R"({"version":-1,"dedupe_window":"24h"})"}}) ==
               "none");
    BOOST_TEST(rules({{"A", day}, {"B", old}, {"C", day}, {"D", hour}}) ==
               R"([{"version":4,"dedupe_window":"24h","instances":["A","C"]},)"
               R"({"version":3,"dedupe_window":"24h","instances":["B"]},)"
               R"({"version":4,"dedupe_window":"1h","instances":["D"]}])");
}

BOOST_AUTO_TEST_CASE(malformed_replies_are_left_out_and_the_others_stay)
{
    std::string deep = info("a", "1");
    deep.insert(1, "\"x\":" + std::string(40, '[') + std::string(40, ']') + ',');
    std::string long_list = "[";
    for (int i = 0; i < 101; ++i)
        long_list += (i == 0 ? "" : ",") + get;
    const std::string garbage[] = {"",
                                   "x",
                                   "[]",
                                   "null",
                                   "{}",
                                   "\xff",
                                   deep,
                                   info("", "1"),
                                   info("a b", "1"),
                                   info("a", ""),
                                   info("a", std::string(129, '1')),
                                   info("a", "1", "[]", "ping"),
                                   info("a", "1", "{}"),
                                   info("a", "1", "[1]"),
                                   info("a", "1", R"([{"name":"get"}])"),
                                   info("a", "1", R"([{"name":"<b>","subject":"s"}])"),
                                   info("a", "1", long_list + "]"),
                                   R"({"type":"io.nats.micro.v1.info_response","name":"a","id":"1","endpoints":[]})"};
    for (const auto& each : garbage)
        BOOST_TEST_CONTEXT(each)
        {
            const auto all = merge_service_replies({each, info("good", "1", '[' + get + ']'), each}, {each});
            BOOST_TEST(all == merge_service_replies({info("good", "1", '[' + get + ']')}, {}));
        }
    // Malformed numbers are left out one by one.
    const auto odd =
        merge_service_replies({info("a", "1", '[' + get + ']')},
                              {stats("a", "1",
                                     R"([{"name":"get","subject":"s","num_requests":-1,"num_errors":"2",)"
                                     R"("processing_time":1.5,"average_processing_time":4,"last_error":[]}])")});
    BOOST_TEST(odd.find(R"("queue_group":"q","average_processing_time":4})") != std::string::npos, odd);
}

BOOST_AUTO_TEST_CASE(the_first_reply_of_an_instance_counts)
{
    const auto twice = merge_service_replies(
        {info("a", "1", '[' + get + ']'), info("a", "1")},
        {stats("a", "1", '[' + get_counted + ']'), stats("a", "1", R"([{"name":"get","subject":"s"}])")});
    BOOST_TEST(twice ==
               merge_service_replies({info("a", "1", '[' + get + ']')}, {stats("a", "1", '[' + get_counted + ']')}));
}

BOOST_AUTO_TEST_CASE(services_are_polled_once_a_second_whatever_the_number_of_callers)
{
    fleet.script("$SRV.INFO", {info("a", "1")});
    fleet.script("$SRV.STATS", {stats("a", "1")});
    std::vector<http_response> answers;
    for (int i = 0; i < 5; ++i)
    {
        auto one = [this, &answers]() -> asio::awaitable<void>
        {
            auto request = make("GET", "/services");
            answers.push_back(co_await handle_request(edge, std::move(request)));
        };
        asio::co_spawn(io, one,
                       asio::detached); // run_coro below runs it to its end, within the scope of `one`
        run_coro(io, one);
    }
    BOOST_TEST(fleet.seen.size() == 2U);
    for (const auto& each : answers)
    {
        BOOST_TEST(each.status == 200);
        BOOST_TEST(each.fields.get("Cache-Control").value_or("") == "no-store");
        BOOST_TEST(without_circuits(each.body) == merge_service_replies({info("a", "1")}, {stats("a", "1")}));
    }
}

BOOST_AUTO_TEST_CASE(without_instances_the_list_is_empty_and_a_lost_link_is_503)
{
    BOOST_TEST(without_circuits(send("GET", "/services").body) == R"({"services":[]})");
    edge.services.link_up = [] { return false; };
    check_problem(send("GET", "/services"), 503, "disconnected");
    for (const auto failure : {errc::disconnected, errc::overloaded})
    {
        fleet_kit other;
        other.fleet.broken = failure;
        check_problem(other.send("GET", "/services"), 503, std::string(name_of(failure)));
    }
    fleet_kit dropped;
    dropped.fleet.script("$SRV.INFO", {info("a", "1")});
    dropped.fleet.script("$SRV.STATS", errc::disconnected);
    check_problem(dropped.send("GET", "/services"), 503, "disconnected");
    gateway_kit without;
    check_problem(without.send("GET", "/services"), 503, "disconnected");
}

BOOST_AUTO_TEST_CASE(endless_replies_are_cut_off)
{
    std::vector<std::string> many;
    for (int i = 0; i < 3000; ++i)
        many.push_back(info("a", std::to_string(i)));
    fleet.script("$SRV.INFO", many);
    fleet.script("$SRV.STATS", std::vector<std::string>(50, stats("a", "1", '[' + std::string(200'000, ' ') + ']')));
    const auto answer = send("GET", "/services");
    BOOST_TEST(answer.status == 200);
    const auto listed = boost::json::parse(answer.body).at("services").as_array().size();
    BOOST_TEST(listed <= 1001U);
    BOOST_TEST(listed >= 1000U);
}

BOOST_AUTO_TEST_CASE(the_page_of_the_fleet_asks_once_for_all_who_scrape)
{
    fleet.script("$SRV.STATS.metadata", {stats("metadata", "1", '[' + get_counted + ']'), "{"});
    fleet.script("$SRV.STATS", {stats("metadata", "1"), stats("stranger", "2", '[' + get_counted + ']')});
    nats.script_json("$JS.API.STREAM.INFO.EVENTS", R"({"config":{"num_replicas":1},"state":{"bytes":5}})");
    nats.script_json("$JS.API.INFO", R"({"storage":6})");
    for (int i = 0; i < 2; ++i)
    {
        const auto answer = send("GET", "/metrics/fleet");
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(answer.fields.get("Content-Type").value_or("") == "text/plain; version=0.0.4; charset=utf-8");
        for (const std::string line :
             {R"(marquee_service_requests_total{service="metadata",instance="1",endpoint="get"} 3)",
              R"(marquee_service_requests_total{service="stranger",instance="2",endpoint="get"} 3)",
              "marquee_fleet_replies_ignored 1", R"(marquee_stream_bytes{stream="EVENTS"} 5)",
              "marquee_account_storage_bytes 6"})
            BOOST_TEST(answer.body.find('\n' + line + '\n') != std::string::npos, line << " in\n" << answer.body);
    }
    BOOST_TEST(fleet.seen.size() == 4U); // each of ours by its name, and all
    BOOST_TEST(nats.seen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_page_of_the_fleet_needs_the_broker_and_no_permission_for_the_stream)
{
    fleet.script("$SRV.STATS", errc::disconnected);
    BOOST_TEST(send("GET", "/metrics/fleet").status == 503);
    fleet.script("$SRV.STATS", {stats("stranger", "1")});
    fleet.script("$SRV.STATS.metadata", {stats("metadata", "1")});
    fleet_scrape fresh;
    std::string page;
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto asking = fresh.page(nats, edge.fleet.view); // nobody answers for the stream
                 auto told = co_await std::move(asking);
                 page = told.value();
             });
    BOOST_TEST(page.find("marquee_stream_has_leader{stream=\"EVENTS\"} 0\n") != std::string::npos);
    BOOST_TEST(page.find("marquee_fleet_instances{service=\"metadata\"} 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(replies_that_are_too_large_hide_no_other)
{
    std::vector<std::string> all(5, std::string(1U << 20U, 'x'));
    all.push_back(stats("metadata", "1", '[' + get_counted + ']'));
    fleet.script("$SRV.STATS.metadata", all);
    const auto page = send("GET", "/metrics/fleet").body;
    BOOST_TEST(page.find("marquee_fleet_instances{service=\"metadata\"} 1\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_stranger_with_many_or_large_replies_takes_no_room_of_a_service)
{
    for (const auto& flood : {std::vector<std::string>(17, stats("x", "1", '[' + std::string(250'000, ' ') + ']')),
                              std::vector<std::string>(1001, "x")})
    {
        fleet_kit kit;
        kit.fleet.script("$SRV.STATS", flood);
        kit.fleet.script("$SRV.STATS.cdnurl", flood); // says that it is one
        kit.fleet.script("$SRV.STATS.metadata", {stats("metadata", "1")});
        kit.fleet.script("$SRV.STATS.reporting", {stats("reporting", "1")});
        const auto page = kit.send("GET", "/metrics/fleet").body;
        for (const std::string service : {"metadata", "reporting"})
            BOOST_TEST(page.find("marquee_fleet_instances{service=\"" + service + "\"} 1\n") != std::string::npos);
        BOOST_TEST(page.find("marquee_fleet_instances{service=\"cdnurl\"} 0\n") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(the_list_of_services_has_the_circuits_of_this_edge)
{
    edge.metrics.board = std::make_shared<metrics_board>(route_labels());
    fleet.script("$SRV.INFO", {info("metadata", "1")});
    fleet.script("$SRV.STATS", {stats("metadata", "1")});
    const auto all = boost::json::parse(send("GET", "/services").body);
    BOOST_TEST(all.at("services").as_array().size() == 1U);
    BOOST_TEST(all.at("circuits").as_array().size() == 3U);
    BOOST_TEST(all.at("circuits").at(0).at("state") == "closed");
}

BOOST_AUTO_TEST_SUITE_END()
