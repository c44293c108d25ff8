// Many clients at once: every answer is right, every view is counted, and a process that is told to stop leaves nobody without an answer.
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

/// Counts are exact where every play was acknowledged, whatever happened to its first attempt.
void check_counts(const marquee_system& marquee, const play_tally& tally, std::uint64_t all, const std::string& edge = "edge")
{
    BOOST_TEST(tally.acknowledged() == all);
    const auto wrong = wrong_counts(tally, marquee.port(edge), true);
    BOOST_TEST(wrong.empty(), joined(wrong));
}

/// The same counts as a NATS client sees them.
void check_counts_over_nats(const marquee_system& marquee, const play_tally& tally)
{
    for (const auto& [id, bounds] : tally.assets())
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
    with.retry = retrying::always; // what takes too long on a busy machine is degraded, and is tried again
    return with;
}

/// Stops `name` in the middle of the load; nobody goes without an answer, and what is left goes on.
void stop_under_load(marquee_system& marquee, play_tally& tally, const std::string& name, const std::vector<int>& ports)
{
    const auto seed = tally.attempted() + 1;
    const auto before = tally.acknowledged();
    load viewers(clients(ports, plays_around_a_stop, seed), tally);
    BOOST_REQUIRE(viewers.wait_for_acknowledged(plays_around_a_stop / 3));
    BOOST_TEST(marquee.stop(name) == 0, marquee.at(name).output());
    check_answers(viewers.finish());

    load later(clients(ports, 100, seed + 1), tally);
    check_answers(later.finish());
    check_counts(marquee, tally, before + plays_around_a_stop + 100, name == "edge" ? "edge-2" : "edge");
}

} // namespace

BOOST_AUTO_TEST_SUITE(many_clients)

BOOST_AUTO_TEST_CASE(the_plays_of_64_clients_are_answered_right_and_counted_to_the_last_one)
{
    const auto all = plays();
    marquee_system marquee;
    play_tally tally;
    load viewers(clients({marquee.port()}, all), tally);
    const auto report = viewers.finish();
    check_answers(report);
    BOOST_TEST_MESSAGE(all * 1000 / static_cast<std::uint64_t>(report.time.count()) << " plays/s");
    check_counts(marquee, tally, all);
    check_counts_over_nats(marquee, tally);
    for (const std::string name : {"edge", "reporting", "cdnurl", "metadata"}) // a sanitizer's findings are in the exit status
        BOOST_TEST(marquee.stop(name) == 0, marquee.at(name).output());
}

BOOST_AUTO_TEST_CASE(an_edge_told_to_stop_under_load_answers_what_it_accepted_and_ends_with_0)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "edge-2"};
    marquee_system marquee(with);
    play_tally tally;
    stop_under_load(marquee, tally, "edge", {marquee.port("edge"), marquee.port("edge-2")});
}

BOOST_AUTO_TEST_CASE(a_service_told_to_stop_under_load_answers_what_it_accepted_and_leaves_the_rest_to_its_twin)
{
    marquee_system::settings with;
    with.start = {"metadata", "metadata-2", "cdnurl", "cdnurl-2", "reporting", "reporting-2", "edge"};
    marquee_system marquee(with);
    play_tally tally;
    for (const std::string name : {"metadata", "cdnurl", "reporting"})
        BOOST_TEST_CONTEXT(name) { stop_under_load(marquee, tally, name, {marquee.port()}); }
}

BOOST_AUTO_TEST_SUITE_END()
