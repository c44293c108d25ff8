#include "broker/program/command_line.hpp"

#include "broker/base/log.hpp"
#include "broker/base/log_line.hpp"
#include "broker/program/log_options.hpp"
#include "broker/program/options.hpp"
#include "schemas/ids.hpp"

#include <boost/program_options/parsers.hpp>

#include <iostream>
#include <memory>
#include <utility>
#include <vector>

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

std::vector<po::option> parse(int argc, char** argv, const settings_description& what)
{
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::positional_options_description nameless;
    if (!what.bare.empty())
        nameless.add(what.bare.c_str(), 1);
    return po::command_line_parser(argc, argv).options(what.options).style(style).positional(nameless).run().options;
}

int wrong_usage(const std::string& program, const std::string& why)
{
    std::cerr << program << ": " << why << " (see --help)\n";
    return exit_usage;
}

/// The settings of the command line. The exit code of a program that is done: it has printed what
/// an action asked for, or what is wrong.
std::variant<given_settings, int> read_words(int argc, char** argv, const settings_description& what)
{
    given_settings given;
    try
    {
        given = settings_of(parse(argc, argv, what));
    }
    catch (const po::unknown_option& e)
    {
        hide_secrets(argc, argv);
        const auto option = e.get_option_name(); // as given: a mistyped --pasword=SECRET has its value
        return wrong_usage(what.program, "unrecognised option '" + option.substr(0, option.find('=')) + '\'');
    }
    catch (const po::error& e)
    {
        hide_secrets(argc, argv);
        return wrong_usage(what.program, e.what());
    }
    hide_secrets(argc, argv);
    if (given.count("help") > 0)
    {
        std::cout << what.program << ": " << what.summary << "\n\n" << what.options;
        return exit_ok;
    }
    if (given.count("version") > 0)
    {
        std::cout << what.program << ' ' << MARQUEE_VERSION << '\n';
        return exit_ok;
    }
    if (const auto id = given.find("encode-id"); id != given.end())
        return print_token(id->second.values.front());
    return given;
}

void add_general_options(settings_description& what)
{
    what.options.add_options()                                                                                  //
        ("encode-id", po::value<std::string>()->value_name("ID"), "print the subject token of an id, and exit") //
        ("help,h", "print this, and exit")                                                                      //
        ("version", "print the version, and exit");
    what.actions.insert(what.actions.end(), {"encode-id", "help", "version"});
}

} // namespace

std::variant<program_settings, int> read_settings(int argc, char** argv, settings_description what)
{
    set_log_program(what.program);
    detect_journal();
    what.options.add_options() //
        ("config", po::value<std::string>()->value_name("FILE"),
         "more settings, a line `name = value` each; what the command line or the environment gives counts before them "
         "(MARQUEE_CONFIG)") //
        ("print-config", "print each setting and where its value comes from, and exit");
    add_log_options(what.options);
    what.actions.insert(what.actions.end(), {"config", "print-config"});
    add_general_options(what);
    const auto described = std::make_shared<const settings_description>(std::move(what));
    auto words = read_words(argc, argv, *described);
    if (const auto* code = std::get_if<int>(&words))
        return *code;
    auto& given = std::get<given_settings>(words);
    const bool print = given.count("print-config") > 0;
    auto settings = program_settings::from(described, std::move(given), read_environment());
    if (settings.has_error())
        return wrong_usage(described->program, settings.error().detail);
    apply_log_options(settings->values());
    for (const auto& warning : settings->warnings())
        log(log_level::warning, warning);
    if (!print)
        return std::move(*settings);
    settings->print(std::cout);
    return exit_ok;
}

std::variant<po::variables_map, int> read_command_line(int argc, char** argv, const std::string& program,
                                                       const std::string& summary, po::options_description options,
                                                       const std::string& bare)
{
    set_log_program(program);
    settings_description what{program, summary, std::move(options), {}, bare};
    add_general_options(what);
    const auto described = std::make_shared<const settings_description>(std::move(what));
    auto words = read_words(argc, argv, *described);
    if (const auto* code = std::get_if<int>(&words))
        return *code;
    auto settings = program_settings::from(described, std::get<given_settings>(std::move(words)), {});
    if (settings.has_error())
        return wrong_usage(program, settings.error().detail);
    return settings->values();
}

} // namespace marquee
