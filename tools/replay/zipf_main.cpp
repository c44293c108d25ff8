#include "broker/program/program.hpp"
#include "tools/replay/zipf.hpp"

#include <fstream>
#include <iostream>

namespace
{

using namespace marquee;
namespace po = boost::program_options;

const char* const name = "marquee-replay-zipf";

int write(std::ostream& out, const replay::zipf_settings& what)
{
    replay::zipf_plays plays(what);
    for (std::uint64_t i = 0; i < what.plays && out; ++i)
        out << plays.next() << '\n';
    out.flush();
    if (out)
        return exit_ok;
    std::cerr << name << ": cannot write\n";
    return exit_failed;
}

} // namespace

int main(int argc, char** argv)
{
    replay::zipf_settings what;
    constexpr std::uint64_t most = 1'000'000;
    po::options_description options("Options");
    options.add_options()                                                                                         //
        ("plays", po::value(&what.plays)->value_name("N")->default_value(what.plays), "events to write")          //
        ("users", po::value(&what.users)->value_name("N")->default_value(what.users), "users, up to 1000000")     //
        ("assets", po::value(&what.assets)->value_name("N")->default_value(what.assets), "assets, up to 1000000") //
        ("seed", po::value(&what.seed)->value_name("N")->default_value(what.seed), "another seed, other plays")   //
        ("output", po::value<std::string>()->value_name("FILE"), "where to write them (default: standard output)");
    const auto parsed = read_command_line(
        argc, argv, name, "plays for marquee-replay, Zipf-distributed, the same on every machine", std::move(options));
    if (const auto* code = std::get_if<int>(&parsed))
        return *code;
    if (what.users < 1 || what.users > most || what.assets < 1 || what.assets > most || what.plays > 1000 * most)
    {
        std::cerr << name << ": up to " << 1000 * most << " plays, 1 to " << most << " users and assets (see --help)\n";
        return exit_usage;
    }
    const auto& given = std::get<po::variables_map>(parsed);
    if (given.count("output") == 0)
        return write(std::cout, what);
    std::ofstream file(given["output"].as<std::string>(), std::ios::binary);
    return write(file, what);
}
