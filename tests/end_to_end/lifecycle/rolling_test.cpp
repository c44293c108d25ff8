// SIGTERM of each process under load: a single instance may cause refusals, one of two causes none.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/load.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const int rounds = is_full() ? 20 : 1;

std::string joined(const std::vector<std::string>& lines)
{
    std::string all;
    for (const auto& line : lines)
        all += line + '\n';
    return all;
}

/// All plays but those that could not connect to their first edge: nothing was sent, and the client
/// goes to the next.
std::uint64_t sent(const load_report& report) { return report.attempts - report.unconnected; }

std::uint64_t with_status(const load_report& report, int status)
{
    const auto found = report.statuses.find(status);
    return found == report.statuses.end() ? 0 : found->second;
}

void tell(const load_report& report, int stops)
{
    BOOST_TEST_MESSAGE(stops << " stops in " << report.time.count() << " ms: " << sent(report) << " plays were sent, "
                             << with_status(report, 200) << " answered 200, " << report.acknowledged - report.uncounted
                             << " of them with counts; " << report.unconnected << " found no edge; longest pause "
                             << report.longest_outage.count() << " ms");
}

/// Viewers that do not retry: a play without an answer has failed.
class audience
{
public:
    audience(const marquee_system& system, const std::vector<std::string>& edges)
    {
        load_settings with;
        for (const auto& name : edges)
            with.ports.push_back(system.port(name));
        with.clients = 32;
        load_ = std::make_unique<load>(with, expected_);
        wait_for_more(100);
    }

    void wait_for_more(std::uint64_t plays) const
    {
        BOOST_TEST_REQUIRE(load_->wait_for_acknowledged(load_->so_far().acknowledged + plays));
    }

    load_report finish()
    {
        load_->stop();
        return load_->finish();
    }

private:
    expected_views expected_;
    std::unique_ptr<load> load_;
};

/// Stops and starts each process in turn, under load, each after more plays have been answered.
load_report restart_each(marquee_system& system, const std::vector<std::string>& names,
                         const std::vector<std::string>& edges)
{
    audience viewers(system, edges);
    for (int round = 0; round < rounds; ++round)
        for (const auto& name : names)
            BOOST_TEST_CONTEXT(name << ", round " << round + 1)
            {
                BOOST_TEST(system.stop(name) == 0, system.at(name).output());
                system.start(name);
                viewers.wait_for_more(50);
            }
    auto report = viewers.finish();
    tell(report, rounds * static_cast<int>(names.size()));
    BOOST_TEST(report.wrong == 0U, joined(report.wrong_examples));
    BOOST_TEST(report.broken == 0U, "a request that was accepted was not answered");
    return report;
}

} // namespace

BOOST_AUTO_TEST_SUITE(rolling)

BOOST_AUTO_TEST_CASE(each_process_is_stopped_under_load_and_a_play_is_answered_or_refused)
{
    marquee_system system;
    const auto report = restart_each(system, {"metadata", "cdnurl", "reporting", "edge"}, {"edge"});
    for (const auto& [status, count] : report.statuses)
        BOOST_TEST((status == 200 || status == 503), count << " answers are " << status);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(with_two_of_each_a_rolling_restart_of_everything_fails_no_play)
{
    marquee_system::settings with;
    with.start = {"metadata", "cdnurl", "reporting", "edge", "metadata-2", "cdnurl-2", "reporting-2", "edge-2"};
    marquee_system system(with);
    const auto report = restart_each(system, with.start, {"edge", "edge-2"});
    BOOST_TEST(with_status(report, 200) == sent(report), "plays have failed");
    for (const auto& [status, count] : report.statuses)
        BOOST_TEST_MESSAGE("status " << status << ": " << count);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
