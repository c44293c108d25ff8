#include "broker/program/command_line.hpp"

#include "broker/base/log.hpp"
#include "broker/program/options.hpp"
#include "schemas/ids.hpp"

#include <boost/program_options/parsers.hpp>

#include <iostream>
#include <utility>

namespace marquee
{

namespace po = boost::program_options;

namespace
{

int print_token(const std::string& id)
{
    if (!is_valid_id(id))
    {
        std::cerr << "--encode-id: an id is 1 to 128 bytes of UTF-8 without control characters\n";
        return exit_usage;
    }
    std::cout << encode_token(id) << '\n';
    return exit_ok;
}

po::variables_map parse(int argc, char** argv, const po::options_description& options, const std::string& bare)
{
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::positional_options_description nameless;
    if (!bare.empty())
        nameless.add(bare.c_str(), 1);
    auto parsed = po::command_line_parser(argc, argv).options(options).style(style).positional(nameless).run();
    po::variables_map given;
    po::store(parsed, given);
    po::notify(given);
    return given;
}

} // namespace

std::variant<po::variables_map, int> read_command_line(int argc, char** argv, const std::string& program,
                                                       const std::string& summary, po::options_description options,
                                                       const std::string& bare)
{
    set_log_program(program);
    options.add_options()                                                                                       //
        ("encode-id", po::value<std::string>()->value_name("ID"), "print the subject token of an id, and exit") //
        ("help,h", "print this, and exit")                                                                      //
        ("version", "print the version, and exit");
    po::variables_map given;
    try
    {
        given = parse(argc, argv, options, bare);
    }
    catch (const po::unknown_option& e)
    {
        hide_secrets(argc, argv);
        const auto option = e.get_option_name(); // as given: a mistyped --pasword=SECRET has its value
        std::cerr << program << ": unrecognised option '" << option.substr(0, option.find('=')) << "' (see --help)\n";
        return exit_usage;
    }
    catch (const po::error& e)
    {
        hide_secrets(argc, argv);
        std::cerr << program << ": " << e.what() << " (see --help)\n";
        return exit_usage;
    }
    hide_secrets(argc, argv);
    if (given.count("help") > 0)
    {
        std::cout << program << ": " << summary << "\n\n" << options;
        return exit_ok;
    }
    if (given.count("version") > 0)
    {
        std::cout << program << ' ' << MARQUEE_VERSION << '\n';
        return exit_ok;
    }
    if (given.count("encode-id") > 0)
        return print_token(given["encode-id"].as<std::string>());
    return given;
}

} // namespace marquee
