// marquee-bench: the measurements. Each part starts what it needs on free ports and prints Markdown
// tables.
#include "broker/base/log.hpp"
#include "tests/bench/bench.hpp"

#include <boost/program_options.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <iostream>

namespace
{

using namespace marquee::bench;
namespace po = boost::program_options;

struct part
{
    std::string name;
    std::string summary;
    void (*run)(const settings&);
    bool of_another; ///< runs only by name: another part has its figures too
};

const std::vector<part> parts = {
    {"floor", "the edge answers a fixed body: what HTTP costs (part of play)", floor, true},
    {"play", "a stored, exactly counted play, beside floor, at 1 to 256 connections", play, false},
    {"threads", "floor and play with 1 and 2 edge threads", threads, false},
    {"get", "metadata.get over NATS beside a bare echo subscriber", get, false},
    {"search", "metadata.search within the service: 100,000 titles, time and memory", search, false},
    {"replay", "events through an ordered consumer alone and into the counts", replay, false},
    {"views", "reporting's answers by time over a year of views", views, false},
    {"start", "seconds, memory and latency of a service that starts with many records", start, false},
    {"idle", "memory of an idle keep-alive connection", idle, false},
    {"live", "plays beside 1,020 live streams, and the memory of one", live, false},
    {"watched", "plays with logs, traces and metrics on", watched, false},
    {"allocations", "allocations per play, by process", allocations, false},
};

void use_all_descriptors()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

po::options_description all_options(settings& with)
{
    po::options_description options("Options");
    options.add_options()                                                                                      //
        ("seconds", po::value(&with.seconds)->default_value(with.seconds), "of each run")                      //
        ("alternations", po::value(&with.alternations)->default_value(with.alternations), "runs of each load") //
        ("size", po::value(&with.size)->default_value(with.size),
         "events of replay and views, records of start, titles of search") //
        ("client", po::value<std::string>()->value_name("own|wrk")->default_value("own"),
         "what makes the requests of floor, play and threads; wrk looks at no body") //
        ("quick", po::bool_switch(),
         "for trying: --seconds 1 --alternations 1 --size 100000, where they are not given") //
        ("help,h", "print this, and exit");
    return options;
}

int usage(const po::options_description& options)
{
    std::cout << "./bench [PART…] [OPTION…]: measures, and prints Markdown tables of medians.\n\nParts (all where none "
                 "is named):\n";
    for (const auto& p : parts)
        std::cout << "  " << p.name << std::string(14 - p.name.size(), ' ') << p.summary << '\n';
    std::cout << '\n' << options;
    return 0;
}

std::vector<part> chosen(const std::vector<std::string>& names)
{
    std::vector<part> found;
    for (const auto& p : parts)
        if (names.empty() ? !p.of_another : std::find(names.begin(), names.end(), p.name) != names.end())
            found.push_back(p);
    return found;
}

} // namespace

int main(int argc, char** argv)
{
    settings with;
    const auto options = all_options(with);
    auto hidden = all_options(with);
    hidden.add_options()("part", po::value<std::vector<std::string>>()->default_value({}, ""));
    po::positional_options_description rest;
    rest.add("part", -1);
    try
    {
        po::variables_map given;
        po::store(po::command_line_parser(argc, argv).options(hidden).positional(rest).run(), given);
        po::notify(given);
        if (given.count("help") > 0)
            return usage(options);
        if (given["quick"].as<bool>())
        {
            with.seconds = given["seconds"].defaulted() ? 1 : with.seconds;
            with.alternations = given["alternations"].defaulted() ? 1 : with.alternations;
            with.size = given["size"].defaulted() ? 100'000 : with.size;
        }
        const auto& client = given["client"].as<std::string>();
        if (client != "own" && client != "wrk")
            throw po::error("--client: own or wrk");
        with.client = client == "wrk" ? load_client::wrk : load_client::own;
        const auto names = given["part"].as<std::vector<std::string>>();
        const auto wanted = chosen(names);
        if (wanted.size() < names.size())
            throw po::error("no such part");
        use_all_descriptors();
        marquee::set_log_program("marquee-bench");
        for (const auto& p : wanted)
            p.run(with);
    }
    catch (const po::error& e)
    {
        std::cerr << "bench: " << e.what() << " (see --help)\n";
        return 2;
    }
    catch (const std::exception& e)
    {
        std::cerr << "bench: " << e.what() << '\n';
        return 1;
    }
    return 0;
}
