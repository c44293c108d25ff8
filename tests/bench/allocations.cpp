// allocations: the number of allocations of a play, by process.
#include "tests/bench/allocation_counts.hpp"
#include "tests/bench/traffic.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace marquee::bench
{

namespace
{

allocation_counts read_counts(const temporary_folder& folder, pid_t pid)
{
    allocation_counts counts;
    std::ifstream file(folder.path() / std::to_string(pid), std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(&counts), sizeof counts))
        throw std::runtime_error("a process does not count its allocations");
    return counts;
}

/// Processes that are started during its lifetime count their allocations.
class counting_environment
{
public:
    explicit counting_environment(const temporary_folder& folder)
    {
        ::setenv(allocation_folder, folder.path().c_str(), 1);
        ::setenv("LD_PRELOAD", test::program("libmarquee-bench-allocations.so").c_str(), 1);
    }
    ~counting_environment()
    {
        ::unsetenv("LD_PRELOAD");
        ::unsetenv(allocation_folder);
    }
    counting_environment(const counting_environment&) = delete;
    counting_environment& operator=(const counting_environment&) = delete;
};

figures count_during(bench_system& system, const settings& with, const traffic& what, const temporary_folder& folder)
{
    std::map<std::string, allocation_counts> before;
    for (const auto& [name, pid] : system.all())
        if (name != "broker")
            before[name] = read_counts(folder, pid);
    auto f = run_traffic(system, with, what, 64);
    for (const auto& [name, pid] : system.all())
        if (name != "broker")
        {
            const auto after = read_counts(folder, pid);
            f["calls " + name] = static_cast<double>(after.calls - before[name].calls) / f["sent"];
            f["bytes " + name] = static_cast<double>(after.bytes - before[name].bytes) / f["sent"];
        }
    return f;
}

} // namespace

void allocations(const settings& with)
{
    const temporary_folder folder;
    const auto assets = traffic_assets(with);
    bench_system system({}); // the broker, written in Go, cannot be counted
    {
        const counting_environment on(folder);
        system.start(whole_system());
    }
    put_assets(system, assets);
    warm_up(system, with);
    const std::vector<traffic> all{floor_traffic(), zipf_traffic(assets), distinct_traffic(assets)};
    std::vector<load> loads;
    for (const auto& t : all)
        loads.push_back({"allocations of " + t.name, [&] { return count_during(system, with, t, folder); }});
    const auto medians = alternate(with, loads);
    note("## allocations");
    std::vector<std::string> head{"load"};
    head.insert(head.end(), {"edge", "metadata", "cdnurl", "reporting", "edge bytes", "reporting bytes"});
    table t("Allocations of a request by process, 64 connections.", head);
    for (std::size_t i = 0; i < all.size(); ++i)
    {
        const auto& f = medians[i];
        t.row({all[i].name, number(f.at("calls edge"), 1), number(f.at("calls metadata"), 1),
               number(f.at("calls cdnurl"), 1), number(f.at("calls reporting"), 1), number(f.at("bytes edge")),
               number(f.at("bytes reporting"))});
    }
}

} // namespace marquee::bench
