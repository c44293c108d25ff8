// marquee-chaos SCENARIO: causes faults in a system under load, then checks all counts. Exit code 0
// only when nothing was lost, counted twice or wrong.
#include "schemas/duration.hpp"
#include "tests/chaos/scenarios.hpp"
#include "tests/support/full_size.hpp"

#include <boost/json/serialize.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/variables_map.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>

namespace po = boost::program_options;
using namespace marquee::chaos;

namespace
{

po::options_description all_options()
{
    po::options_description options("Options");
    options.add_options()                                                                                        //
        ("scenario", po::value<std::string>()->default_value(""), "one of those below; also without --scenario") //
        ("seed", po::value<std::uint64_t>()->default_value(1), "of the plays and of the moments of the faults")  //
        ("plays", po::value<std::uint64_t>(), "to acknowledge at least")                                         //
        ("kills", po::value<unsigned>(), "how many faults")                                                      //
        ("duration", po::value<std::string>()->value_name("TIME"), "how long a stopped process stays stopped")   //
        ("report", po::value<std::string>()->default_value("")->value_name("FILE"), "writes the report as JSON") //
        ("recount",
         po::value<std::string>()
             ->default_value(MARQUEE_SOURCE_DIR "/tests/foreign_client/recount.mjs")
             ->value_name("FILE"),
         "the independent checker") //
        ("help", "this text");
    return options;
}

void print_help(const po::options_description& described)
{
    std::cout << "marquee-chaos SCENARIO [OPTION…]\n\n"
              << described << "\nScenarios (with MARQUEE_FULL=1 set: larger)\n";
    for (const auto& each : scenarios())
        std::cout << "  " << each.name << std::string(16 - each.name.size(), ' ') << each.text << '\n';
}

options read(const po::variables_map& given, const scenario& which)
{
    options run;
    run.scenario = which.name;
    run.seed = given["seed"].as<std::uint64_t>();
    run.size = marquee::test::is_full() ? which.full : which.bounded;
    if (given.count("plays") > 0)
        run.size.plays = std::max<std::uint64_t>(1, given["plays"].as<std::uint64_t>());
    if (given.count("kills") > 0)
        run.size.kills = given["kills"].as<unsigned>();
    if (given.count("duration") > 0)
        run.size.duration = marquee::parse_duration(given["duration"].as<std::string>(), std::chrono::seconds(1),
                                                    std::chrono::hours(24))
                                .value();
    run.report = given["report"].as<std::string>();
    run.recount = given["recount"].as<std::string>();
    return run;
}

int run_one(const options& run, const scenario& which)
{
    report what;
    try
    {
        which.run(run, what);
    }
    catch (const std::exception& e)
    {
        what.failures.emplace_back(e.what());
    }
    std::cout << as_text(run, what);
    if (!run.report.empty())
        std::ofstream(run.report) << boost::json::serialize(as_json(run, what)) << '\n';
    return what.failures.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    ::setenv("MARQUEE_LOG", "warning", 0); // of our own connections
    const auto described = all_options();
    try
    {
        po::positional_options_description first;
        first.add("scenario", 1);
        po::variables_map given;
        po::store(po::command_line_parser(argc, argv).options(described).positional(first).run(), given);
        const auto& name = given["scenario"].as<std::string>();
        if (given.count("help") > 0)
        {
            print_help(described);
            return 0;
        }
        const auto& all = scenarios();
        const auto which =
            std::find_if(all.begin(), all.end(), [&](const scenario& each) { return each.name == name; });
        if (which == all.end())
        {
            std::cerr << "marquee-chaos: no scenario \"" << name << "\"; see --help\n";
            return 2;
        }
        return run_one(read(given, *which), *which);
    }
    catch (const std::exception& e)
    {
        std::cerr << "marquee-chaos: " << e.what() << '\n';
        return 2;
    }
}
