// GET /services of a real fleet.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <vector>

namespace
{

using namespace marquee::test;
namespace json = boost::json;

json::array services(const marquee_system& system)
{
    const auto answer = system.call({"GET", "/services"});
    BOOST_TEST_REQUIRE(answer.status == 200);
    BOOST_TEST(answer.header("Content-Type") == "application/json");
    BOOST_TEST(answer.header("Cache-Control") == "no-store");
    return answer.json().at("services").as_array();
}

/// Repeats the request until the list is as expected: it is cached for a second, and a machine may
/// be slow.
json::array services_when(const marquee_system& system, const std::function<bool(const json::array&)>& wanted)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    auto list = services(system);
    while (!wanted(list) && std::chrono::steady_clock::now() < end)
        list = services(system);
    BOOST_TEST(wanted(list));
    return list;
}

std::string text(const json::value& of, const char* member) { return std::string(of.at(member).as_string()); }

std::vector<std::string> names(const json::array& list)
{
    std::vector<std::string> all;
    for (const auto& each : list)
        all.push_back(text(each, "name"));
    return all;
}

const json::object* endpoint(const json::value& of, const std::string& name)
{
    for (const auto& each : of.at("endpoints").as_array())
        if (text(each, "name") == name)
            return &each.as_object();
    return nullptr;
}

/// All instances have answered STATS too.
bool all_counted(const json::array& list)
{
    return std::all_of(list.begin(), list.end(),
                       [](const json::value& each) { return each.as_object().contains("started"); });
}

} // namespace

BOOST_AUTO_TEST_SUITE(services_of_the_fleet)

BOOST_AUTO_TEST_CASE(every_instance_is_listed_once_sorted_with_its_endpoints_and_their_statistics)
{
    marquee_system::settings with;
    with.start = {"metadata", "metadata-2", "metadata-3", "cdnurl", "reporting", "reporting-2", "edge"};
    const marquee_system system(with);
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(system.call({"GET", "/content/asset/123"}).status == 200);
    BOOST_TEST(system.call({"GET", "/content/asset/nix"}).status == 404);

    const auto list = services_when(system, [](const json::array& all) { return all.size() == 6 && all_counted(all); });
    const std::vector<std::string> expected{"cdnurl", "metadata", "metadata", "metadata", "reporting", "reporting"};
    BOOST_TEST(names(list) == expected, boost::test_tools::per_element());
    std::vector<std::pair<std::string, std::string>> keys;
    std::int64_t requests = 0;
    std::int64_t errors = 0;
    for (const auto& each : list)
    {
        keys.emplace_back(text(each, "name"), text(each, "id"));
        BOOST_TEST(!text(each, "version").empty());
        BOOST_TEST(!text(each, "description").empty());
        if (text(each, "name") != "metadata")
            continue;
        const auto* get = endpoint(each, "get");
        BOOST_TEST_REQUIRE(get != nullptr);
        BOOST_TEST(get->at("subject").as_string() == "metadata.get.*");
        BOOST_TEST(get->at("data").at("records").as_int64() == 2);
        requests += get->at("num_requests").as_int64() + endpoint(each, "many")->at("num_requests").as_int64();
        errors += get->at("num_errors").as_int64();
    }
    BOOST_TEST(requests >= 21);
    BOOST_TEST(errors == 1);
    BOOST_TEST(std::is_sorted(keys.begin(), keys.end()));
    BOOST_TEST((std::set<std::pair<std::string, std::string>>(keys.begin(), keys.end()).size()) == keys.size());
}

BOOST_AUTO_TEST_CASE(malformed_replies_are_skipped_and_foreign_services_are_listed)
{
    marquee_system system;
    nats_client intruder(system.broker().url());
    const std::string good =
        R"({"type":"io.nats.micro.v1.info_response","name":"foreign","id":"X_1","version":"2.0.0","description":"another's",)"
        R"("metadata":{},"endpoints":[{"name":"e","subject":"foreign.e","queue_group":"q","metadata":{}}]})";
    const std::string replies[] = {"",
                                   "garbage",
                                   "[1",
                                   R"({"type":"io.nats.micro.v1.info_response"})",
                                   std::string(200'000, 'x'),
                                   "\xff\xfe",
                                   std::string(1000, '['),
                                   good};
    // Each in turn is the intruder's reply to INFO; the call runs on the intruder's loop.
    for (const auto& reply : replies)
        BOOST_TEST_CONTEXT(reply.substr(0, 40))
        {
            const auto fake = intruder.fake_until_dropped("$SRV.INFO", reply);
            const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
            std::vector<std::string> found;
            const std::vector<std::string> own{"cdnurl", "metadata", "reporting"};
            std::vector<std::string> wanted = own;
            if (reply == good)
                wanted.insert(wanted.begin() + 1, "foreign");
            do
            {
                const auto answer = intruder.call(system.port(), {"GET", "/services"});
                BOOST_TEST_REQUIRE(answer.status == 200);
                found = names(answer.json().at("services").as_array());
            } while (found != wanted && std::chrono::steady_clock::now() < end);
            BOOST_TEST(found == wanted, boost::test_tools::per_element());
        }
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(a_stopped_instance_is_not_listed_and_without_a_broker_it_is_503)
{
    marquee_system system;
    const auto is = [](std::vector<std::string> wanted)
    { return [wanted](const json::array& list) { return names(list) == wanted; }; };
    (void)services_when(system, is({"cdnurl", "metadata", "reporting"}));
    BOOST_TEST(system.stop("metadata") == 0);
    (void)services_when(system, is({"cdnurl", "reporting"}));
    system.stop("cdnurl");
    system.stop("reporting");
    (void)services_when(system, is({}));
    system.broker().kill();
    check_problem(system.call_until(503, {"GET", "/services"}), 503, "disconnected");
    system.broker().restart();
    for (const auto* name : {"metadata", "cdnurl", "reporting"})
        system.start(name);
    BOOST_TEST(system.call_until(200, {"GET", "/services"}).status == 200);
    (void)services_when(system, is({"cdnurl", "metadata", "reporting"}));
    check_that_plays_are_counted(system);
    const auto head = system.call({"HEAD", "/services"});
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.body.empty());
}

BOOST_AUTO_TEST_SUITE_END()
