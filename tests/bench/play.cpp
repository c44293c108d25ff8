// floor, play, threads: requests over HTTP through the whole system.
#include "tests/bench/traffic.hpp"

namespace marquee::bench
{

namespace
{

/// Loads, and their rows in the tables.
struct plan
{
    struct line
    {
        std::string name;
        std::string group; ///< connections, or threads; the first of each is floor
    };
    std::vector<line> lines;
    std::vector<load> loads;

    void add(bench_system& system, const settings& with, const traffic& what, int connections, const std::string& group)
    {
        lines.push_back({what.name, group});
        loads.push_back(
            {what.name + ", " + group, [=, &system] { return run_traffic(system, with, what, connections); }});
    }
};

void print_rates(const std::string& group, const plan& what, const std::vector<figures>& medians)
{
    table t("Requests/s and latency (ms); `p99 ×` and `edge CPU ×` are multiples of floor's.",
            {"load", group, "requests/s", "of floor", "p50", "p99", "p99.9", "p99 ×", "edge CPU ×", "wrong"});
    const figures* floor = nullptr;
    for (std::size_t i = 0; i < medians.size(); ++i)
    {
        const auto& f = medians[i];
        if (what.lines[i].name == "floor")
            floor = &f;
        const auto ratio = [&](const std::string& of, int decimals)
        { return number(f.at(of) / floor->at(of), decimals); };
        const auto ms = [&](const std::string& of) { return number(f.at(of) / 1000, 2); };
        t.row({what.lines[i].name, what.lines[i].group, number(f.at("rate")), ratio("rate", 2), ms("p50"), ms("p99"),
               ms("p999"), ratio("p99", 1), ratio("cpu edge", 2), number(f.at("wrong"))});
    }
}

/// A table of one kind of figure, a column for each process.
void print_by_process(const std::string& title, const std::string& kind, std::vector<std::string> names,
                      const std::string& group, const plan& what, const std::vector<figures>& medians)
{
    std::vector<std::string> head{"load", group};
    head.insert(head.end(), names.begin(), names.end());
    head.emplace_back("all");
    table t(title, head);
    for (std::size_t i = 0; i < medians.size(); ++i)
    {
        std::vector<std::string> row{what.lines[i].name, what.lines[i].group};
        double sum = 0;
        for (const auto& name : names)
        {
            const auto value = medians[i].at(kind + ' ' + name);
            sum += value;
            row.push_back(number(value, 1));
        }
        row.push_back(number(sum, 1));
        t.row(std::move(row));
    }
}

const std::vector<std::string> all_processes{"edge", "broker", "metadata", "cdnurl", "reporting", "client"};

double cpu_of_all(const figures& f)
{
    double sum = 0;
    for (const auto& name : all_processes)
        sum += f.at("cpu " + name);
    return sum;
}

/// What is stored, and how busy the machine is.
void print_work(const std::string& group, const plan& what, const std::vector<figures>& medians)
{
    table t("CPU time of all processes as a multiple of floor's, idle share of the cores, and what is stored.",
            {"load", group, "all CPU ×", "idle", "events a message", "stream bytes a play", "database bytes a play"});
    const figures* floor = nullptr;
    for (std::size_t i = 0; i < medians.size(); ++i)
    {
        const auto& f = medians[i];
        if (what.lines[i].name == "floor")
            floor = &f;
        const bool plays = f.contains("stream bytes");
        t.row({what.lines[i].name, what.lines[i].group, number(cpu_of_all(f) / cpu_of_all(*floor), 2),
               number(f.at("idle"), 2), plays ? number(f.at("events a message"), 2) : "-",
               plays ? number(f.at("stream bytes"), 1) : "-", plays ? number(f.at("database bytes"), 1) : "-"});
    }
}

void measure(const settings& with, const std::string& title, const std::string& group, const plan& what)
{
    const auto medians = alternate(with, what.loads);
    note("## " + title + "; the processes run with " + scheduling());
    print_rates(group, what, medians);
    print_work(group, what, medians);
    print_by_process("CPU time of a request, µs by process.", "cpu", all_processes, group, what, medians);
    print_by_process("Peak memory, MiB by process.", "peak", {"edge", "broker", "metadata", "cdnurl", "reporting"},
                     group, what, medians);
}

void measure_by_connections(const settings& with, const std::string& title, const std::vector<traffic>& all)
{
    bench_system system(whole_system());
    put_assets(system, traffic_assets(with));
    warm_up(system, with);
    plan what;
    for (const int connections : {1, 4, 16, 64, 256})
        for (const auto& t : all)
            what.add(system, with, t, connections, std::to_string(connections));
    measure(with, title, "connections", what);
}

std::vector<traffic> all_traffic(const settings& with)
{
    const auto assets = traffic_assets(with);
    return {floor_traffic(), zipf_traffic(assets), distinct_traffic(assets)};
}

} // namespace

void floor(const settings& with) { measure_by_connections(with, "floor", {floor_traffic()}); }

void play(const settings& with) { measure_by_connections(with, "play", all_traffic(with)); }

void threads(const settings& with)
{
    bench_system one(whole_system());
    bench_system two(whole_system(), {{"edge", {"--threads", "2"}}});
    plan what;
    for (auto* system : {&one, &two})
    {
        put_assets(*system, traffic_assets(with));
        warm_up(*system, with);
        for (const auto& t : all_traffic(with))
            what.add(*system, with, t, 64, system == &one ? "1" : "2");
    }
    measure(with, "threads: of the edge, 64 connections", "threads", what);
}

} // namespace marquee::bench
