// The NATS Services protocol (ADR-32), as every instance of every service implements it.
#include "tests/end_to_end/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <regex>
#include <set>

namespace
{

using namespace marquee::test;
namespace json = boost::json;

marquee_system::settings fleet()
{
    marquee_system::settings with;
    with.start = {"metadata", "metadata-2", "metadata-3", "cdnurl", "reporting", "reporting-2", "edge"};
    return with;
}
using shared = shared_system<fleet>;

const std::map<std::string, std::size_t> instances = {{"metadata", 3}, {"cdnurl", 1}, {"reporting", 2}};
constexpr std::size_t instances_in_all = 6;

const std::map<std::string, std::map<std::string, std::string>> endpoints = {{"metadata",
                                                                              {{"get", "metadata.get.*"},
                                                                               {"put", "metadata.put.*"},
                                                                               {"delete", "metadata.delete.*"},
                                                                               {"list", "metadata.list"},
                                                                               {"gets", "metadata.gets"},
                                                                               {"search", "metadata.search"},
                                                                               {"many", "metadata.many"}}},
                                                                             {"cdnurl",
                                                                              {{"get", "cdnurl.get.*"},
                                                                               {"put", "cdnurl.put.*"},
                                                                               {"delete", "cdnurl.delete.*"},
                                                                               {"list", "cdnurl.list"},
                                                                               {"gets", "cdnurl.gets"},
                                                                               {"many", "cdnurl.many"}}},
                                                                             {"reporting",
                                                                              {{"asset", "reporting.asset.*"},
                                                                               {"user", "reporting.user.*"},
                                                                               {"views", "reporting.views.*.*"},
                                                                               {"top", "reporting.top"},
                                                                               {"series", "reporting.series"},
                                                                               {"asset_series", "reporting.series.*"},
                                                                               {"history", "reporting.history.*"},
                                                                               {"assets", "reporting.assets"},
                                                                               {"live", "reporting.live"},
                                                                               {"many", "reporting.many"}}}};

std::vector<json::value> ask_all(const std::string& subject, std::size_t count)
{
    std::vector<json::value> documents;
    for (const auto& reply : shared::client->ask_all(subject, count))
        documents.push_back(json::parse(reply.data));
    return documents;
}

std::string text(const json::value& document, const char* member)
{
    return std::string(document.at(member).as_string());
}

/// Checks what PING, INFO and STATS have in common.
void check_standard_fields(const json::value& document, const std::string& type)
{
    BOOST_TEST(text(document, "type") == "io.nats.micro.v1." + type + "_response");
    BOOST_TEST(instances.count(text(document, "name")) == 1U);
    BOOST_TEST(!text(document, "id").empty());
    BOOST_TEST(std::regex_match(text(document, "version"), std::regex(R"(\d+\.\d+\.\d+.*)")));
    BOOST_TEST(document.at("metadata").is_object());
}

void check_info(const json::value& document)
{
    BOOST_TEST(!text(document, "description").empty());
    std::map<std::string, std::string> found;
    for (const auto& each : document.at("endpoints").as_array())
    {
        found[text(each, "name")] = text(each, "subject");
        BOOST_TEST(text(each, "queue_group") == "q");
        BOOST_TEST(each.at("metadata").is_object());
    }
    BOOST_TEST((found == endpoints.at(text(document, "name"))));
}

void check_stats(const json::value& document)
{
    BOOST_TEST(std::regex_match(text(document, "started"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)")));
    std::map<std::string, std::string> found;
    for (const auto& each : document.at("endpoints").as_array())
    {
        found[text(each, "name")] = text(each, "subject");
        BOOST_TEST(text(each, "queue_group") == "q");
        const auto requests = each.at("num_requests").as_int64();
        const auto time = each.at("processing_time").as_int64();
        BOOST_TEST(each.at("num_errors").as_int64() <= requests);
        BOOST_TEST(each.at("average_processing_time").as_int64() == (requests == 0 ? 0 : time / requests));
        BOOST_TEST(each.at("last_error").is_string());
        BOOST_TEST(each.at("data").is_object());
    }
    BOOST_TEST((found == endpoints.at(text(document, "name"))));
}

std::int64_t sum_over_instances(const std::string& service, const std::string& endpoint, const char* member)
{
    std::int64_t sum = 0;
    for (const auto& document : ask_all("$SRV.STATS." + service, instances.at(service)))
        for (const auto& each : document.at("endpoints").as_array())
            if (text(each, "name") == endpoint)
                sum += each.at(member).as_int64();
    return sum;
}

} // namespace

BOOST_AUTO_TEST_SUITE(discovery, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(every_instance_answers_ping_info_and_stats_to_all_to_its_name_and_to_its_id)
{
    const std::tuple<const char*, const char*, void (*)(const json::value&)> verbs[] = {
        {"PING", "ping", [](const json::value&) {}}, {"INFO", "info", check_info}, {"STATS", "stats", check_stats}};
    for (const auto& [verb, type, check] : verbs)
    {
        const auto all = "$SRV." + std::string(verb);
        std::set<std::string> ids;
        for (const auto& document : ask_all(all, instances_in_all))
        {
            check_standard_fields(document, type);
            check(document);
            ids.insert(text(document, "id"));
        }
        BOOST_TEST(ids.size() == instances_in_all);

        for (const auto& [service, count] : instances)
            BOOST_TEST_CONTEXT(verb << ' ' << service)
            {
                const auto named = ask_all(all + '.' + service, count);
                BOOST_TEST(named.size() == count);
                for (const auto& document : named)
                {
                    BOOST_TEST(text(document, "name") == service);
                    const auto one = ask_all(all + '.' + service + '.' + text(document, "id"), 1);
                    BOOST_TEST(one.size() == 1U);
                    BOOST_TEST(text(one.at(0), "id") == text(document, "id"));
                    check_standard_fields(one.at(0), type);
                    check(one.at(0));
                }
            }
    }
}

BOOST_AUTO_TEST_CASE(the_instances_share_the_requests_and_each_is_answered_once)
{
    const auto before = sum_over_instances("metadata", "get", "num_requests");
    for (int i = 0; i < 60; ++i)
        BOOST_TEST(shared::client->ask_all("metadata.get.123", 1).size() == 1U);
    BOOST_TEST(sum_over_instances("metadata", "get", "num_requests") == before + 60);
    std::size_t busy = 0;
    for (const auto& document : ask_all("$SRV.STATS.metadata", 3))
        busy += document.at("endpoints").at(0).at("num_requests").as_int64() > 0 ? 1U : 0U;
    BOOST_TEST(busy == 3U); // 60 requests, and one of three had none: once in 10^10 runs
}

BOOST_AUTO_TEST_CASE(stats_count_requests_and_errors_and_keep_the_last_error)
{
    const std::tuple<const char*, const char*, const char*, const char*> table[] = {
        {"cdnurl", "get", "cdnurl.get.nix", "404:Asset not found"},
        {"cdnurl", "put", "cdnurl.put.nix", "400:Bad request"},
        {"cdnurl", "delete", "cdnurl.delete.=41", "400:Bad id"},
    };
    for (const auto& [service, endpoint, subject, last_error] : table)
        BOOST_TEST_CONTEXT(subject)
        {
            const auto requests = sum_over_instances(service, endpoint, "num_requests");
            const auto errors = sum_over_instances(service, endpoint, "num_errors");
            BOOST_TEST(shared::client->request(subject).headers.has("Nats-Service-Error"));
            BOOST_TEST(sum_over_instances(service, endpoint, "num_requests") == requests + 1);
            BOOST_TEST(sum_over_instances(service, endpoint, "num_errors") == errors + 1);
            const auto stats = ask_all("$SRV.STATS.cdnurl", 1).at(0);
            for (const auto& each : stats.at("endpoints").as_array())
                if (text(each, "name") == endpoint)
                    BOOST_TEST(text(each, "last_error") == last_error);
        }
}

BOOST_AUTO_TEST_CASE(a_stopped_instance_leaves_discovery_and_the_others_serve)
{
    BOOST_TEST(shared::system->stop("metadata-3") == 0);
    BOOST_TEST(ask_all("$SRV.PING.metadata", 2).size() == 2U);
    for (int i = 0; i < 30; ++i)
        BOOST_TEST(!shared::client->request("metadata.get.123").headers.has("Nats-Service-Error"));
    shared::system->start("metadata-3");
    BOOST_TEST(ask_all("$SRV.PING.metadata", 3).size() == 3U);
    BOOST_TEST(shared::system->call({"POST", "/play/asset/123/user/1"}).status == 200);
}

BOOST_AUTO_TEST_CASE(a_record_stored_by_one_instance_is_served_by_the_others)
{
    auto& client = *shared::client;
    const auto put = json::parse(client.request("metadata.put.spread", metadata_body).data);
    const auto revision = std::to_string(put.at("revision").as_int64());
    // Until all three have it, whichever replies: 30 replies in a row.
    const auto end = std::chrono::steady_clock::now() + nats_client::patience;
    int in_a_row = 0;
    while (in_a_row < 30 && std::chrono::steady_clock::now() < end)
        in_a_row = client.request("metadata.get.spread").headers.get("Marquee-Revision") == revision ? in_a_row + 1 : 0;
    BOOST_TEST(in_a_row == 30);
    BOOST_TEST(client.request("metadata.delete.spread").data == R"({"status":"ok"})");
}

BOOST_AUTO_TEST_SUITE_END()
