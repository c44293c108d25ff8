// More to send at once than a connection to the broker buffers: every request is answered.
#include "tests/end_to_end/counted.hpp"
#include "tests/end_to_end/kit.hpp"
#include "tests/support/full_size.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace
{

using namespace marquee::test;

struct sizes
{
    int assets;        ///< their records fill more than two pages
    std::size_t pages; ///< at once
    int rounds;
};
const sizes size = is_full() ? sizes{10'000, 8, 5} : sizes{70, 24, 1};

std::string large_record(int number)
{
    return R"({"title":"Number )" + std::to_string(number) + R"(","genre":"g","summary":")" + std::string(16'000, 's') +
           "\"}";
}

std::size_t answered_with(const std::vector<http_answer>& answers, int status)
{
    return static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(),
                                                  [status](const http_answer& each) { return each.status == status; }));
}

} // namespace

BOOST_AUTO_TEST_SUITE(large_answers)

BOOST_AUTO_TEST_CASE(many_large_pages_and_records_and_uploads_at_once_are_all_answered)
{
    marquee_system::settings with;
    with.extra["edge"] = {"--timeout", "20s"}; // so much at once takes a slow machine its time
    marquee_system system(with);
    nats_client client(system.server());
    constexpr int uploads_at_once = 250;
    for (int first = 0; first < size.assets; first += uploads_at_once)
    {
        std::vector<http_call> uploads;
        for (int i = first; i < std::min(first + uploads_at_once, size.assets); ++i)
            uploads.push_back(
                {"POST", "/content/asset/large" + std::to_string(i), {system.authorization()}, large_record(i)});
        BOOST_TEST(answered_with(client.call_all(system.port(), uploads), 200) == uploads.size());
    }

    const std::vector<http_call> pages(size.pages, {"GET", "/content/assets?limit=1000"});
    for (int round = 0; round < size.rounds; ++round)
    {
        const auto listed = client.call_all(system.port(), pages);
        BOOST_TEST(answered_with(listed, 200) == pages.size());
        for (const auto& page : listed)
            BOOST_TEST(page.body.size() > 400'000U);
    }

    std::vector<http_call> records;
    for (int i = 0; i < 256; ++i)
        records.push_back({"GET", "/content/asset/large" + std::to_string(i % size.assets)});
    BOOST_TEST(answered_with(client.call_all(system.port(), records), 200) == records.size());

    const auto stats = boost::json::parse(client.request("$SRV.STATS.metadata").data);
    for (const auto& endpoint : stats.at("endpoints").as_array())
        for (const auto* member :
             {"requests_refused", "replies_overloaded", "replies_lost", "discovery_refused", "discovery_lost"})
            BOOST_TEST(endpoint.at("data").at(member) == 0, endpoint.at("name") << ' ' << member);
    const auto metrics = system.call({"GET", "/metrics"}).body;
    for (const auto* line : {"marquee_edge_nats_unsent_total 0\n", "marquee_edge_nats_waiting_bytes 0\n"})
        BOOST_TEST(metrics.find(line) != std::string::npos, line);
}

BOOST_AUTO_TEST_CASE(services_answer_an_edge_with_its_own_reply_prefix_once_they_are_configured_for_it)
{
    marquee_system::settings with;
    for (const auto* name : {"metadata", "cdnurl", "reporting"})
        with.extra[name] = {"--reply-prefix", "corp.inbox", "--reply-prefix", "_INBOX"};
    with.extra["edge"] = {"--inbox-prefix", "corp.inbox"};
    marquee_system system(std::move(with));
    BOOST_TEST(counted(system, {"POST", "/play/asset/123/user/1"}, "one").number("userviews") == 1);
}

BOOST_AUTO_TEST_SUITE_END()
