#include "tests/chaos/scenarios.hpp"

#include "tests/chaos/backlog.hpp"
#include "tests/chaos/trial.hpp"
#include "tests/support/nats_calls.hpp"
#include "tests/support/nats_cluster.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace marquee::chaos
{

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using test::retrying;

namespace
{

/// 2 s by the contract; machines that run tests are busy and slow.
constexpr auto longest_start = 15s;

test::marquee_system::settings processes(std::vector<std::string> start)
{
    test::marquee_system::settings with;
    with.start = std::move(start);
    return with;
}

const std::vector<std::string> one_of_each = {"metadata", "cdnurl", "reporting", "edge"};

void check_starts(trial& t)
{
    if (t.result.slowest_start > longest_start)
        t.result.failures.push_back("a start took " + std::to_string(t.result.slowest_start.count()) + " ms");
}

void kill_the_broker(const options& run, report& into)
{
    trial t(run, into, processes(one_of_each));
    t.begin_load(retrying::half);
    t.strike([&](unsigned) { t.kill_broker(); });
    t.end_load();
    t.check();
}

void kill_reporting(const options& run, report& into)
{
    trial t(run, into, processes(one_of_each));
    t.begin_load(retrying::half);
    t.strike([&](unsigned) { t.kill_and_start("reporting"); });
    t.end_load();
    check_starts(t);
    t.check();
}

/// Ends reporting within a message of several views, before and after it publishes their counts,
/// and loses or repeats what it publishes.
void end_reporting_within_a_message(const options& run, report& into)
{
    constexpr std::array faults{"ends_between_lines", "ends_before_counts", "ends_after_counts", "counts_lost",
                                "counts_twice"};
    trial t(run, into, processes(one_of_each));
    t.begin_load(retrying::half);
    t.strike(
        [&](unsigned i)
        {
            const std::string fault = faults.at(i % faults.size());
            t.system().kill("reporting");
            ::setenv("MARQUEE_FAULT", fault.c_str(), 1); // NOLINT(concurrency-mt-unsafe): no other thread reads it
            auto& reporting = t.system().launch("reporting");
            ::unsetenv("MARQUEE_FAULT"); // NOLINT(concurrency-mt-unsafe)
            if (!fault.starts_with("ends"))
            {
                t.wait_for_plays(t.acknowledged() + 500);
                t.system().kill("reporting");
            }
            else if (reporting.wait(60s) != 137)
                throw std::runtime_error(fault + ": reporting goes on:\n" + reporting.output());
            ++t.result.kills;
            t.system().start("reporting");
        });
    t.end_load();
    t.check();
}

void kill_an_edge(const options& run, report& into)
{
    trial t(run, into, processes({"metadata", "cdnurl", "reporting", "edge", "edge-2"}));
    t.begin_load(retrying::always);
    t.strike([&](unsigned i) { t.kill_and_start(i % 2 == 0 ? "edge" : "edge-2"); });
    t.end_load();
    t.check();
}

void kill_the_catalogues(const options& run, report& into)
{
    trial t(run, into, processes(one_of_each));
    t.begin_load(retrying::half);
    t.strike([&](unsigned i) { t.kill_and_start(i % 2 == 0 ? "metadata" : "cdnurl"); });
    t.end_load();
    t.check();
}

/// The sequence number that the running reporting has counted; 0 while it does not answer.
std::uint64_t last_sequence(trial& t)
{
    const auto stats = test::nats_call(t.system().server(), subject::of({"$SRV", "STATS", "reporting"}));
    if (stats.has_error())
        return 0;
    const auto& data = stats->at("endpoints").as_array().at(0).at("data").as_object();
    return data.at("last_sequence").to_number<std::uint64_t>();
}

/// Waits until reporting, just started, has counted beyond `sequence`.
void wait_until_beyond(trial& t, std::uint64_t sequence)
{
    const auto end = clock::now() + 60s;
    for (; last_sequence(t) <= sequence; std::this_thread::sleep_for(10ms)) // between two requests
        if (clock::now() > end)
            throw std::runtime_error("reporting is not beyond " + std::to_string(sequence) + " after a minute:\n" +
                                     t.system().at("reporting").output());
}

void kill_reporting_in_a_replay(const options& run, report& into)
{
    trial t(run, into, processes(one_of_each));
    t.system().kill("reporting");
    publish_backlog(t.system().server(), run.size.plays, run.seed, t.assets(), t.ledger(), t.expected());
    t.result.published = run.size.plays;
    t.begin_load(retrying::half, [](test::load_settings& with) { with.clients = 4; });
    t.wait_for_plays(100); // without counts
    std::uint64_t counted = 0;
    for (unsigned i = 0; i < run.size.kills; ++i)
    {
        const auto from = clock::now();
        t.system().launch("reporting");
        wait_until_beyond(t, counted);
        t.result.slowest_start = std::max(t.result.slowest_start,
                                          std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - from));
        wait_until_beyond(t, std::min(counted + t.random(run.size.plays / run.size.kills), run.size.plays - 1));
        counted = last_sequence(t);
        t.system().kill("reporting");
        ++t.result.kills;
    }
    t.system().start("reporting");
    t.wait_for_plays(t.acknowledged() + 500);
    t.end_load();
    check_starts(t);
    t.check();
}

void stop_one_of_two_reportings(const options& run, report& into)
{
    trial t(run, into, processes({"metadata", "cdnurl", "reporting", "reporting-2", "edge"}));
    t.begin_load(retrying::half);
    t.strike(
        [&](unsigned i)
        {
            auto& stopped = t.system().at(i % 2 == 0 ? "reporting" : "reporting-2");
            stopped.suspend();
            ++t.result.stops;
            for (const auto end = clock::now() + run.size.duration; clock::now() < end;)
                t.wait_for_plays(t.acknowledged() + 1); // the other one serves
            stopped.signal(SIGCONT);
        });
    t.end_load();
    t.check();
}

void stop_each(const options& run, report& into)
{
    trial t(run, into, processes(one_of_each));
    t.begin_load(retrying::half);
    const auto stop_and_go_on = [&](const std::function<void()>& stop, const std::function<void()>& go_on)
    {
        t.wait_for_plays(t.acknowledged() + 1 + t.random(500));
        t.wait_a_moment();
        stop();
        ++t.result.stops;
        std::this_thread::sleep_for(run.size.duration); // the fault itself, not a wait for an event
        go_on();
        t.wait_for_plays(t.acknowledged() + 500);
    };
    stop_and_go_on([&] { t.system().broker().suspend(); }, [&] { t.system().broker().resume(); });
    for (const auto& name : one_of_each)
        stop_and_go_on([&] { t.system().at(name).suspend(); }, [&] { t.system().at(name).signal(SIGCONT); });
    t.wait_for_plays(run.size.plays);
    t.end_load();
    t.check();
}

boost::json::object events_stream(trial& t, const char* request, const std::string& payload = {})
{
    auto reply = test::nats_call(t.system().server(),
                                 subject::of({"$JS", "API", "STREAM", request, names::stream_events}), payload);
    if (reply.has_error() || reply->as_object().contains("error"))
        throw std::runtime_error(std::string("STREAM ") + request + " of EVENTS fails");
    return std::move(reply->as_object());
}

/// Shortens the broker's duplicate window to a second, so that reporting has to detect used keys.
void shorten_broker_memory(trial& t)
{
    auto config = events_stream(t, "INFO").at("config").as_object();
    config["duplicate_window"] = std::chrono::nanoseconds(1s).count();
    (void)events_stream(t, "UPDATE", boost::json::serialize(config));
}

/// The events that reporting found to be duplicates.
std::uint64_t duplicates_found(trial& t)
{
    const auto stats = test::nats_call(t.system().server(), subject::of({"$SRV", "STATS", "reporting"}));
    if (stats.has_error())
        throw std::runtime_error("reporting has no statistics");
    return stats->at("endpoints").at(0).at("data").at("duplicates").to_number<std::uint64_t>();
}

/// Plays, then repeats the plays under their keys, while broker and edges restart. The broker drops
/// some duplicates of single events, reporting all others.
void retry_used_keys(const options& run, report& into)
{
    trial t(run, into, processes({"metadata", "cdnurl", "reporting", "edge", "edge-2"}));
    const auto all = [&](test::load_settings& with) { with.plays = run.size.plays; };
    t.begin_load(retrying::always, all);
    t.wait_for_plays(run.size.plays);
    t.end_load();
    const auto plays = t.expected().attempted();
    shorten_broker_memory(t);
    t.begin_load(retrying::always,
                 [&](test::load_settings& with)
                 {
                     all(with);
                     with.keys_are_used = true;
                 });
    t.strike(
        [&](unsigned i)
        {
            t.kill_broker();
            t.kill_and_start(i % 2 == 0 ? "edge" : "edge-2");
        });
    t.end_load();
    if (duplicates_found(t) == 0)
        t.result.failures.push_back("reporting found no used key");
    if (t.expected().attempted() != plays || t.expected().acknowledged() != plays)
        t.result.failures.push_back("the second round is not the first one again");
    for (auto& wrong : test::wrong_counts(t.expected(), t.system().port("edge-2"), true))
        t.result.failures.push_back("after the retries: " + std::move(wrong));
    t.check();
}

void kill_the_leader(const options& run, report& into)
{
    test::nats_cluster cluster;
    auto with =
        processes({"metadata", "metadata-2", "cdnurl", "cdnurl-2", "reporting", "reporting-2", "edge", "edge-2"});
    with.server = cluster.urls();
    for (const auto& name : with.start)
        if (!name.starts_with("edge"))
            with.extra[name] = {"--replicas", "3"};
    const auto others = with.start;
    trial t(run, into, with);
    t.begin_load(retrying::half);
    t.strike(
        [&](unsigned i)
        {
            if (i % 2 == 1) // every second time, a program of ours
            {
                t.kill_and_start(others[t.random(others.size())]);
                return;
            }
            cluster.wait_until_whole("EVENTS"); // a cluster of three survives the loss of one server, not of two
            auto& leader = cluster.at(cluster.leader_of("EVENTS"));
            leader.kill();
            ++t.result.kills;
            t.wait_for_plays(t.acknowledged() + 100); // without it
            leader.restart();
        });
    t.end_load();
    cluster.wait_until_whole("EVENTS");
    t.check();
}

} // namespace

const std::vector<scenario>& scenarios()
{
    static const std::vector<scenario> all = {
        {"broker", "kill -9 of the broker", {100'000, 10, 0s}, {1'000'000, 50, 0s}, kill_the_broker},
        {"reporting", "kill -9 of reporting", {20'000, 10, 0s}, {1'000'000, 50, 0s}, kill_reporting},
        {"replay",
         "kill -9 of reporting while it counts a backlog",
         {100'000, 4, 0s},
         {1'000'000, 20, 0s},
         kill_reporting_in_a_replay},
        {"batch",
         "reporting ends within a message of several views, its counts are lost, or come twice",
         {15'000, 5, 0s},
         {500'000, 25, 0s},
         end_reporting_within_a_message},
        {"edge",
         "kill -9 of one edge of two, clients retry under the same key",
         {20'000, 10, 0s},
         {1'000'000, 50, 0s},
         kill_an_edge},
        {"catalogues",
         "kill -9 of metadata and cdnurl in turn",
         {20'000, 10, 0s},
         {1'000'000, 50, 0s},
         kill_the_catalogues},
        {"two-reportings",
         "SIGSTOP of one of two reportings, then SIGCONT",
         {10'000, 2, 4s},
         {1'000'000, 4, 60s},
         stop_one_of_two_reportings},
        {"stops", "SIGSTOP of each process in turn, then SIGCONT", {10'000, 5, 5s}, {200'000, 5, 5s}, stop_each},
        {"retries",
         "used keys again, over restarts of broker and edges",
         {10'000, 3, 0s},
         {100'000, 3, 0s},
         retry_used_keys},
        {"cluster",
         "kill -9 of the leader of three servers, and of any program",
         {10'000, 6, 0s},
         {1'000'000, 50, 0s},
         kill_the_leader},
    };
    return all;
}

} // namespace marquee::chaos
