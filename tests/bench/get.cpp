// get: what the service layer adds to a subscriber that knows its answer beforehand.
#include "tests/bench/catalogue.hpp"
#include "tests/bench/nats_client.hpp"

#include "services/catalogue/catalogue_endpoints.hpp"
#include "services/metadata/metadata.hpp"

#include <algorithm>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

using clock = std::chrono::steady_clock;

constexpr std::size_t most_assets = 10'000;
constexpr int in_flight = 64;

std::vector<nats_request> requests_for(std::size_t count, const std::function<subject(std::size_t)>& of)
{
    std::vector<nats_request> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back({of(i), {}});
    return all;
}

figures measure_requests(const std::string& url, double seconds, const std::vector<nats_request>& all,
                         const processes& watched)
{
    nats_client client(url);
    const auto end = clock::now() + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
    std::size_t i = 0;
    const cost_watch costs(watched);
    auto outcome = client.request_all(in_flight, [&] { return clock::now() < end ? &all[i++ % all.size()] : nullptr; });
    if (outcome.wrong > outcome.microseconds.size() / 2)
        throw std::runtime_error("most answers are wrong");
    figures f{{"rate", outcome.rate()}, {"wrong", static_cast<double>(outcome.wrong)}};
    costs.add_to(f, static_cast<double>(outcome.microseconds.size()));
    add_latencies(f, outcome.microseconds);
    return f;
}

} // namespace

void get(const settings& with)
{
    const auto assets = std::min(with.size, most_assets);
    bench_system system({"metadata", "cdnurl"});
    put_assets(system, assets);
    const auto url = system.broker_url();
    const auto body = catalogue_value<metadata_catalogue>(asset(assets / 2), metadata_of(assets / 2));
    test::process echo(test::program("marquee-bench-echo"), {url, body});
    if (!echo.wait_for_line("ready"))
        throw std::runtime_error("the echo subscriber does not start:\n" + echo.output());

    const std::vector<std::string> names{"echo", "echo with the header Marquee-Revision", "metadata.get"};
    const auto bare = requests_for(assets,
                                   [](std::size_t i) {
                                       return subject::of({"echo", "get", asset(i).token()});
                                   });
    const auto headed = requests_for(assets,
                                     [](std::size_t i) {
                                         return subject::of({"echo", "headed", asset(i).token()});
                                     });
    const auto real = requests_for(assets, [](std::size_t i) { return subjects::metadata_get(asset(i)); });
    auto echo_watched = system.with_broker("metadata");
    echo_watched.back() = {"answerer", echo.pid()};
    auto real_watched = system.with_broker("metadata");
    real_watched.back().first = "answerer";

    const auto medians =
        alternate(with, {{names[0], [&] { return measure_requests(url, with.seconds, bare, echo_watched); }},
                         {names[1], [&] { return measure_requests(url, with.seconds, headed, echo_watched); }},
                         {names[2], [&] { return measure_requests(url, with.seconds, real, real_watched); }}});
    note("## get");
    table t("Requests over NATS, " + std::to_string(in_flight) + " in flight; latency and CPU time in µs.",
            {"answered by", "requests/s", "of echo", "p50", "p99", "p99.9", "CPU answerer", "CPU broker", "CPU client",
             "wrong"});
    for (std::size_t i = 0; i < names.size(); ++i)
    {
        const auto& f = medians[i];
        t.row({names[i], number(f.at("rate")), number(f.at("rate") / medians[0].at("rate"), 2), number(f.at("p50")),
               number(f.at("p99")), number(f.at("p999")), number(f.at("cpu answerer"), 1),
               number(f.at("cpu broker"), 1), number(f.at("cpu client"), 1), number(f.at("wrong"))});
    }
}

} // namespace marquee::bench
