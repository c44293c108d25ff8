// idle: what a keep-alive connection costs the edge between requests.
#include "tests/bench/traffic.hpp"

#include <algorithm>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

constexpr std::size_t most_connections = 10'000;

void exchange(http_connection& link, const traffic& what)
{
    std::string request;
    what.append(request);
    link.send(request);
    std::string_view answer;
    while (answer.empty())
        answer = link.receive();
    if (is_wrong(answer))
        throw std::runtime_error("a wrong answer: " + std::string(answer));
}

/// Every connection has had one request answered. A new edge each time, because memory that was
/// used once stays resident.
figures hold(bench_system& system, std::size_t connections, const traffic& what)
{
    auto& programs = system.programs();
    programs.stop("edge");
    programs.start("edge");
    const auto pid = programs.at("edge").pid();
    {
        http_connection first(programs.port());
        exchange(first, what);
    }
    const auto before = resident_bytes(pid);
    std::vector<http_connection> open;
    open.reserve(connections);
    for (std::size_t i = 0; i < connections; ++i)
    {
        open.emplace_back(programs.port());
        exchange(open.back(), what);
    }
    const auto grown = static_cast<double>(resident_bytes(pid)) - static_cast<double>(before);
    exchange(open.front(), what); // and they are alive
    return {{"bytes", grown / static_cast<double>(connections)}};
}

} // namespace

void idle(const settings& with)
{
    const auto connections = std::min(with.size, most_connections);
    const auto assets = std::min<std::size_t>(traffic_assets(with), 100);
    bench_system system(whole_system(), {{"edge", {"--max-connections", std::to_string(connections + 10)}}});
    put_assets(system, assets);
    const std::vector<traffic> all{floor_traffic(), zipf_traffic(assets)};
    std::vector<load> loads;
    for (const auto& t : all)
        loads.push_back(
            {"idle after one " + t.name, [&system, connections, &t] { return hold(system, connections, t); }});
    const auto medians = alternate(with, loads);
    note("## idle");
    table t("Memory of the edge for each of " + std::to_string(connections) + " idle connections, in bytes.",
            {"after one", "bytes"});
    for (std::size_t i = 0; i < all.size(); ++i)
        t.row({all[i].name, number(medians[i].at("bytes"))});
}

} // namespace marquee::bench
