// Many clients at once: every answer is right, every view is counted, and a process that stops
// leaves no request without an answer.
#include "tests/support/full_size.hpp"
#include "tests/support/load.hpp"
#include "tests/support/marquee_system.hpp"
#include "tests/support/nats_calls.hpp"

#include "schemas/subjects.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;

namespace
{

std::uint64_t plays() { return is_full() ? 100'000 : 20'000; }
constexpr std::uint64_t plays_around_a_stop = 4'000;

std::string joined(const std::vector<std::string>& lines)
{
    std::string all;
    for (const auto& line : lines)
        all += line + '\n';
    return all;
}

void check_answers(const load_report& report)
{
    BOOST_TEST(report.wrong == 0U, joined(report.wrong_examples));
    BOOST_TEST(report.broken == 0U, "a request that was accepted was not answered, " << report.broken << " times");
    for (const auto& [status, count] : report.statuses)
        BOOST_TEST_MESSAGE("status " << status << ": " << count);
}

/// Counts are exact, for every play was acknowledged in the end.
void check_counts(const marquee_system& marquee, const expected_views& expected, std::uint64_t all,
                  const std::string& edge = "edge")
{
    BOOST_TEST(expected.acknowledged() == all);
    const auto wrong = wrong_counts(expected, marquee.port(edge), true);
    BOOST_TEST(wrong.empty(), joined(wrong));
}

/// The same counts as a NATS client sees them.
void check_counts_over_nats(const marquee_system& marquee, const expected_views& expected)
{
    for (const auto& [id, bounds] : expected.assets())
    {
        const auto asset = marquee::asset_id::parse(id).value();
        const auto reply = nats_call(marquee.server(), marquee::subjects::reporting_asset(asset));
        BOOST_REQUIRE(reply.has_value());
        BOOST_TEST(reply->at("views").to_number<std::uint64_t>() == bounds.acknowledged);
    }
}

load_settings clients(std::vector<int> ports, std::uint64_t all, std::uint64_t seed = 1)
{
    load_settings with;
    with.ports = std::move(ports);
    with.plays = all;
    with.seed = seed;
    with.retry = retrying::always; // degraded answers of a busy machine are retried
    return with;
}

/// Stops `name` during the load; every play is answered, and the other processes serve.
void stop_under_load(marquee_system& marquee, expected_views& expected, const std::string& name,
                     const std::vector<int>& ports)
{
    const auto seed = expected.attempted() + 1;
    const auto before = expected.acknowledged();
    load viewers(clients(ports, plays_around_a_stop, seed), expected);
    BOOST_REQUIRE(viewers.wait_for_acknowledged(plays_around_a_stop / 3));
    BOOST_TEST(marquee.stop(name) == 0, marquee.at(name).output());
    check_answers(viewers.finish());

    load later(clients(ports, 100, seed + 1), expected);
    check_answers(later.finish());
    check_counts(marquee, expected, before + plays_around_a_stop + 100, name == "edge" ? "edge-2" : "edge");
}

} // namespace

BOOST_AUTO_TEST_SUITE(many_clients)

BOOST_AUTO_TEST_CASE(the_plays_of_64_clients_are_all_answered_and_counted)
{
    const auto all = plays();
    marquee_system marquee;
    expected_views expected;
    load viewers(clients({marquee.port()}, all), expected);
    const auto report = viewers.finish();
    check_answers(report);
    BOOST_TEST_MESSAGE(all * 1000 / static_cast<std::uint64_t>(report.time.count()) << " plays/s");
    check_counts(marquee, expected, all);
    check_counts_over_nats(marquee, expected);
    for (const std::string name : {"edge", "reporting", "cdnurl", "metadata"}) // a sanitizer reports by the exit code
        BOOST_TEST(marquee.stop(name) == 0, marquee.at(name).output());
}

BOOST_AUTO_TEST_CASE(an_edge_stopped_under_load_answers_accepted_requests_and_exits_with_0)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "edge-2"};
    marquee_system marquee(with);
    expected_views expected;
    stop_under_load(marquee, expected, "edge", {marquee.port("edge"), marquee.port("edge-2")});
}

BOOST_AUTO_TEST_CASE(a_service_stopped_under_load_answers_accepted_requests_and_its_twin_the_others)
{
    marquee_system::settings with;
    with.start = {"metadata", "metadata-2", "cdnurl", "cdnurl-2", "reporting", "reporting-2", "edge"};
    marquee_system marquee(with);
    expected_views expected;
    for (const std::string name : {"metadata", "cdnurl", "reporting"})
        BOOST_TEST_CONTEXT(name) { stop_under_load(marquee, expected, name, {marquee.port()}); }
}

namespace
{

/// A metric of the edge without labels; 0 where it is not there.
std::uint64_t metric(const marquee_system& marquee, const std::string& name)
{
    const auto page = '\n' + marquee.call({"GET", "/metrics"}).body;
    const auto at = page.find('\n' + name + ' ');
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + name.size() + 2));
}

marquee_system::settings together(std::vector<std::string> start)
{
    marquee_system::settings with;
    with.start = std::move(start);
    with.extra["edge"] = {"--batch-views=auto"};
    return with;
}

/// The edge has seen that every reporting counts messages of several events.
void wait_for_batches(const marquee_system& marquee)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (metric(marquee, "marquee_edge_view_messages_total") == 0 && std::chrono::steady_clock::now() < end)
        (void)marquee.call({"POST", "/events/asset/warm/user/warm"});
    BOOST_REQUIRE(metric(marquee, "marquee_edge_view_messages_total") > 0U);
}

} // namespace

BOOST_AUTO_TEST_CASE(views_that_travel_together_are_each_counted_once_and_answered_with_their_own_counts)
{
    const auto all = plays() / 2;
    marquee_system marquee(together({"metadata", "cdnurl", "reporting", "edge"}));
    wait_for_batches(marquee);
    expected_views expected;
    load viewers(clients({marquee.port()}, all), expected);
    check_answers(viewers.finish());
    const auto messages = metric(marquee, "marquee_edge_view_messages_total");
    const auto views = metric(marquee, "marquee_edge_views_sent_total");
    BOOST_TEST(views > messages, views << " views in " << messages << " messages");
    BOOST_TEST_MESSAGE(views << " views in " << messages << " messages, of which the stream was asked about "
                             << metric(marquee, "marquee_edge_view_messages_asked_total"));
    check_counts(marquee, expected, all);
    for (const std::string name : {"edge", "reporting"}) // a sanitizer reports by the exit code
        BOOST_TEST(marquee.stop(name) == 0, marquee.at(name).output());
}

BOOST_AUTO_TEST_CASE(views_that_travel_together_outlive_a_reporting_that_is_killed)
{
    marquee_system marquee(together({"metadata", "cdnurl", "reporting", "reporting-2", "edge"}));
    wait_for_batches(marquee);
    expected_views expected;
    for (const std::string name : {"reporting", "reporting-2"})
    {
        const auto before = expected.acknowledged();
        load viewers(clients({marquee.port()}, plays_around_a_stop, expected.attempted() + 1), expected);
        BOOST_REQUIRE(viewers.wait_for_acknowledged(plays_around_a_stop / 3));
        marquee.kill(name);
        check_answers(viewers.finish());
        marquee.start(name);
        check_counts(marquee, expected, before + plays_around_a_stop);
    }
}

BOOST_AUTO_TEST_SUITE_END()
