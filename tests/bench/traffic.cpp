#include "tests/bench/traffic.hpp"

#include "tests/bench/wrk.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace marquee::bench
{

namespace
{

constexpr std::size_t users = 10'000;
constexpr std::size_t most_assets = 10'000;

/// Plays of the asset that `next` draws.
template <class Next>
traffic plays(std::string name, Next next)
{
    const auto append = [next, random = std::mt19937_64(7)](std::string& to) mutable
    {
        const auto user = std::uniform_int_distribution<std::size_t>(0, users - 1)(random);
        to += "POST /play/asset/asset-" + std::to_string(next(random)) + "/user/user-" + std::to_string(user) +
              " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    };
    return {std::move(name), true, append};
}

http_load load_of(bench_system& system, double seconds, const traffic& what, int connections)
{
    return {system.programs().port(), connections, std::chrono::duration<double>(seconds), what.append};
}

/// With our own client: every answer is looked at.
figures load_with_own(bench_system& system, const settings& with, const traffic& what, int connections)
{
    auto outcome = run_http_load(load_of(system, with.seconds, what, connections));
    figures f{{"rate", outcome.rate},
              {"wrong", static_cast<double>(outcome.wrong)},
              {"sent", static_cast<double>(outcome.sent)}};
    add_latencies(f, outcome.microseconds);
    if (outcome.wrong > 0)
        note(std::to_string(outcome.wrong) + " of " + std::to_string(outcome.sent) + " answers to `" + what.name +
             "` at " + std::to_string(connections) + " connections are wrong, the first:\n\n```\n" +
             outcome.first_wrong + "\n```");
    return f;
}

/// wrk closes its connections with a request on each of them still open. Those are counted soon,
/// and must not be taken for the next traffic's: until nothing is counted for a while. Throws after
/// ten seconds.
std::uint64_t counted_at_rest(bench_system& system)
{
    auto counted = counted_events(system);
    for (int i = 0; i < 50; ++i)
    {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        const auto now = counted_events(system);
        if (now == counted)
            return counted;
        counted = now;
    }
    throw std::runtime_error("views are still counted ten seconds after the last request");
}

/// Throws unless reporting has counted `expected` events in all, and with wrk as many more as it
/// may have left in flight.
void check_counted(bench_system& system, const settings& with, std::uint64_t expected, int connections)
{
    const bool open_ends = with.client == load_client::wrk;
    const auto in_flight = open_ends ? static_cast<std::uint64_t>(connections) : 0;
    const auto counted = open_ends ? counted_at_rest(system) : counted_events(system);
    if (counted < expected || counted > expected + in_flight)
        throw std::runtime_error("of " + std::to_string(expected) + " plays that were answered " +
                                 std::to_string(counted) + " are counted");
}

} // namespace

traffic floor_traffic()
{
    return {"floor", false, [](std::string& to) { to += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"; }};
}

traffic zipf_traffic(std::size_t assets) { return plays("play, Zipf", zipf(assets)); }

traffic distinct_traffic(std::size_t assets)
{
    return plays("play, another asset each time", [i = std::size_t{0}, assets](auto&) mutable { return i++ % assets; });
}

std::size_t traffic_assets(const settings& with) { return std::min(with.size, most_assets); }

figures run_traffic(bench_system& system, const settings& with, const traffic& what, int connections)
{
    const auto before = what.plays ? counted_events(system) : 0;
    const auto stored = what.plays ? events_stream(system) : stream_size{};
    const auto database = what.plays ? database_bytes(system) : 0;
    const auto cores = cores_now();
    const cost_watch costs(system.all());
    auto f = with.client == load_client::wrk ? run_wrk(system.programs().port(), connections, with.seconds, what.append)
                                             : load_with_own(system, with, what, connections);
    costs.add_to(f, f["sent"]);
    const auto cores_after = cores_now();
    f["idle"] = cores_after.all > cores.all ? (cores_after.idle - cores.idle) / (cores_after.all - cores.all) : 0;
    if (f["wrong"] > f["sent"] / 2)
        throw std::runtime_error("most answers to " + what.name + " are wrong");
    if (what.plays && f["wrong"] == 0)
        check_counted(system, with, before + static_cast<std::uint64_t>(f["sent"]), connections);
    if (what.plays)
    {
        const auto now = events_stream(system);
        f["events a message"] = f["sent"] / std::max(1.0, now.messages - stored.messages);
        f["stream bytes"] = (now.bytes - stored.bytes) / std::max(1.0, f["sent"]);
        f["database bytes"] = (database_bytes(system) - database) / std::max(1.0, f["sent"]);
    }
    return f;
}

void warm_up(bench_system& system, const settings& with)
{
    const auto what = zipf_traffic(traffic_assets(with));
    (void)run_http_load(load_of(system, std::min(1.0, with.seconds), what, 64));
}

} // namespace marquee::bench
