// Where settings come from, and which source decides.
#include "broker/program/settings.hpp"

#include "broker/program/options.hpp"

#include <boost/program_options/parsers.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <stdlib.h>

namespace
{

using namespace marquee;
namespace po = boost::program_options;
using texts = std::vector<std::string>;

class file_of_settings
{
public:
    file_of_settings()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "marquee_settings_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        folder_ = pattern;
    }
    ~file_of_settings() { std::filesystem::remove_all(folder_); }
    file_of_settings(const file_of_settings&) = delete;
    file_of_settings& operator=(const file_of_settings&) = delete;

    void write(const std::string& text, unsigned mode = 0600) const
    {
        std::ofstream(path()) << text;
        std::filesystem::permissions(path(), std::filesystem::perms(mode));
    }
    [[nodiscard]] std::string path() const { return folder_ / "a.conf"; }

private:
    std::filesystem::path folder_;
};

result<void> check_count(const po::variables_map& values)
{
    if (values["count"].as<int>() > 100)
        return fail(errc::bad_request, "--count: up to 100", "count");
    return {};
}

std::shared_ptr<const settings_description> description()
{
    auto what = std::make_shared<settings_description>();
    what->program = "marquee-test";
    what->options.add_options()                                                          //
        ("count", po::value<int>()->value_name("N")->default_value(1), "a number")       //
        ("time", po::value<std::string>()->default_value("2s")->value_name("T"), "text") //
        ("empty", po::value<std::string>()->default_value(""), "text")                   //
        ("flag", po::bool_switch(), "a flag")                                            //
        ("origin", po::value<texts>()->composing(), "a list")                            //
        ("log-level", po::value<std::string>(), "level")                                 //
        ("config", po::value<std::string>(), "file")                                     //
        ("action", "an action");
    add_connection_options(what->options);
    what->actions = {"config", "action"};
    what->check = check_count;
    return what;
}

/// The settings by a command line of `--name=value` words.
result<program_settings> read(const texts& words, const environment_variables& environment = {})
{
    const auto what = description();
    const auto parsed = po::command_line_parser(words).options(what->options).run();
    return program_settings::from(what, settings_of(parsed.options), environment);
}

std::string printed(const program_settings& settings)
{
    std::ostringstream out;
    settings.print(out);
    return out.str();
}

/// What is in force for an option, as it is printed: `3 (command line)`; all lines of a list.
std::string shown(const result<program_settings>& settings, const std::string& name)
{
    if (settings.has_error())
        return settings.error().detail;
    std::istringstream lines(printed(*settings));
    std::string all;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(name + ' '))
            all += (all.empty() ? "" : "; ") + line.substr(name.size() + 1 + (line[name.size() + 1] == '=' ? 2 : 0));
    return all;
}

void clear_environment()
{
    for (const auto* name : {"NATS_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_CREDS", "NATS_NKEY"})
        ::unsetenv(name);
}

} // namespace

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(the_command_line_comes_before_the_environment_then_the_file_then_the_default)
{
    const file_of_settings file;
    const texts with_file = {"--config=" + file.path()};
    const texts both = {"--config=" + file.path(), "--count=4", "--origin=https://c", "--flag"};
    const environment_variables variables = {
        {"MARQUEE_COUNT", "3"}, {"MARQUEE_FLAG", "false"}, {"MARQUEE_ORIGIN", "https://e,https://f"}};
    file.write("count = 2\nflag = true\norigin = https://x\norigin = https://y\n");
    const auto at = [&](int line) { return " (" + file.path() + ':' + std::to_string(line) + ')'; };

    struct row
    {
        result<program_settings> settings;
        std::string count;
        std::string flag;
        std::string origin;
    };
    const row rows[] = {
        {read({}), "1 (default)", "false (default)", "not set (default)"},
        {read(with_file), "2" + at(1), "true" + at(2), "https://x" + at(3) + "; https://y" + at(4)},
        {read({}, variables), "3 (environment MARQUEE_COUNT)", "false (environment MARQUEE_FLAG)",
         "https://e (environment MARQUEE_ORIGIN); https://f (environment MARQUEE_ORIGIN)"},
        {read(with_file, variables), "3 (environment MARQUEE_COUNT)", "false (environment MARQUEE_FLAG)",
         "https://e (environment MARQUEE_ORIGIN); https://f (environment MARQUEE_ORIGIN)"},
        {read(both), "4 (command line)", "true (command line)", "https://c (command line)"},
        {read(both, variables), "4 (command line)", "true (command line)", "https://c (command line)"},
    };
    for (const auto& [settings, count, flag, origin] : rows)
        BOOST_TEST_CONTEXT(count)
        {
            BOOST_TEST(shown(settings, "count") == count);
            BOOST_TEST(shown(settings, "flag") == flag);
            BOOST_TEST(shown(settings, "origin") == origin);
            BOOST_TEST(settings->values()["count"].as<int>() == count.front() - '0');
            BOOST_TEST(settings->values()["flag"].as<bool>() == flag.starts_with("true"));
        }
    BOOST_TEST(read(both)->values()["origin"].as<texts>() == texts{"https://c"}); // a list is decided as a whole
    BOOST_TEST(read(with_file, variables)->values()["origin"].as<texts>() == (texts{"https://e", "https://f"}));
}

BOOST_AUTO_TEST_CASE(variables_of_all_nats_clients_come_after_the_file_of_this_program)
{
    clear_environment();
    const file_of_settings file;
    const texts with_file = {"--config=" + file.path()};
    file.write("server = nats://file:1\n");
    ::setenv("NATS_URL", "nats://nats-url:1", 1);
    BOOST_TEST(shown(read({}), "server") == "nats://nats-url:1 (environment NATS_URL)");
    BOOST_TEST(shown(read(with_file), "server") == "nats://file:1 (" + file.path() + ":1)");
    BOOST_TEST(read_connection_options(read(with_file)->values())->servers.front() == "nats://file:1");
    const auto own = read(with_file, {{"MARQUEE_SERVER", "nats://own:1"}});
    BOOST_TEST(shown(own, "server") == "nats://own:1 (environment MARQUEE_SERVER)");
    BOOST_TEST(read_connection_options(own->values())->servers.front() == "nats://own:1");
    clear_environment();
    BOOST_TEST(shown(read({}), "server") == "nats://127.0.0.1:4222 (default)");
    BOOST_TEST(shown(read({}), "inbox-prefix") == "_INBOX (default)");

    ::setenv("NATS_NKEY", "me.nk", 1);
    ::setenv("NATS_PASSWORD", "mine", 1);
    file.write("user = a\n");
    BOOST_TEST(shown(read({}), "nkey") == "me.nk (environment NATS_NKEY)");
    BOOST_TEST(shown(read(with_file), "nkey") == "not set (default)"); // who connects is given
    BOOST_TEST(shown(read(with_file), "password") == "*** (environment NATS_PASSWORD)");
    clear_environment();
}

BOOST_AUTO_TEST_CASE(the_file_may_be_named_by_the_environment)
{
    const file_of_settings file;
    file.write("count = 2\n");
    const auto named = read({}, {{"MARQUEE_CONFIG", file.path()}});
    BOOST_TEST(shown(named, "count") == "2 (" + file.path() + ":1)");
    BOOST_TEST(shown(named, "config") == file.path() + " (environment MARQUEE_CONFIG)");
    BOOST_TEST(named->warnings().empty());
    BOOST_TEST(read({"--config=" + file.path()}, {{"MARQUEE_CONFIG", "/nonexistent"}})->file() == file.path());
    BOOST_TEST(read({}, {{"MARQUEE_CONFIG", ""}})->file().empty());
    BOOST_TEST(read({"--config", ""}, {{"MARQUEE_CONFIG", file.path()}}).error().detail == "--config: which FILE?");
}

BOOST_AUTO_TEST_CASE(a_variable_that_sets_no_option_is_a_warning_and_an_empty_one_sets_nothing)
{
    const auto kubernetes = read({}, {{"MARQUEE_COUNT", ""},
                                      {"MARQUEE_PORT", "tcp://10.0.0.1:80"},
                                      {"MARQUEE_SERVICE_HOST", "10.0.0.1"},
                                      {"MARQUEE_ACTION", "1"},
                                      {"MARQUEE_count", "5"},
                                      {"MARQUEE_", "5"}});
    BOOST_TEST(shown(kubernetes, "count") == "1 (default)");
    BOOST_TEST(kubernetes->warnings() ==
               texts{"environment variables that set no option: MARQUEE_PORT, MARQUEE_SERVICE_HOST, MARQUEE_ACTION, "
                     "MARQUEE_count, MARQUEE_"});
    // What marquee-run and ./test set.
    BOOST_TEST(read({}, {{"MARQUEE_LOG", "debug"}, {"MARQUEE_BIN", "x"}, {"MARQUEE_CACHE", "x"}})->warnings().empty());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_with_its_place)
{
    const file_of_settings file;
    const std::pair<const char*, const char*> files[] = {
        {"\ncuont = 2\n", ":2: cuont is no option of this program"},
        {"coun = 2\n", ":1: coun is no option of this program"}, // no abbreviations
        {"count = 2\n\ncount = 3\n", ":3: count is given twice, first in line 1"},
        {"count = many\n", ":1: the argument ('many') for option '--count' is invalid"},
        {"count = 101\n", ":1: --count: up to 100"},
        {"flag = maybe\n", ":1: the argument ('maybe') for option '--flag' is invalid. Valid choices are "
                           "'on|off', 'yes|no', '1|0' and 'true|false'"},
        {"flag =\n", ":1: flag needs a value: true or false"},
        {"action = 1\n", ":1: action is for the command line only"},
        {"config = b.conf\n", ":1: config is for the command line only"},
        {"log-level = loud\n", ":1: --log-level: debug, info, warning or error"},
        {"stray\n", ":1: the line is not `name = value`"},
    };
    for (const auto& [text, said] : files)
        BOOST_TEST_CONTEXT(text)
        {
            file.write(text);
            const auto settings = read({"--config=" + file.path()});
            BOOST_TEST((settings.error() == errc::bad_request));
            BOOST_TEST(settings.error().detail == file.path() + said);
        }
    BOOST_TEST(read({}, {{"MARQUEE_COUNT", "101"}}).error().detail == "environment MARQUEE_COUNT: --count: up to 100");
    BOOST_TEST(read({"--count=101"}).error().detail == "--count: up to 100");
    BOOST_TEST(read({"--config=/nonexistent"}).error().detail ==
               "cannot read the file /nonexistent: No such file or directory");
}

BOOST_AUTO_TEST_CASE(a_file_with_secrets_that_others_may_write_is_refused)
{
    const file_of_settings file;
    const texts with_file = {"--config=" + file.path()};
    const auto refused = file.path() + " holds a secret, and users other than its owner may write it (chmod go-w)";
    for (const auto* text : {"user = joe\npassword = geheim\n", "token = geheim\n", "server = nats://joe:geheim@h\n",
                             "server = a,geheim@h\n", "time = https://joe:geheim@h\n"})
        BOOST_TEST_CONTEXT(text)
        {
            for (const unsigned mode : {0660U, 0602U, 0666U})
            {
                file.write(text, mode);
                BOOST_TEST(shown(read(with_file), "count") == refused);
            }
            for (const unsigned mode : {0600U, 0640U, 0400U})
            {
                file.write(text, mode);
                BOOST_REQUIRE(read(with_file).has_value());
                BOOST_TEST(read(with_file)->warnings().empty());
            }
            file.write(text, 0644);
            BOOST_TEST(read(with_file)->warnings() ==
                       texts{file.path() + " holds a secret, and everybody may read it: chmod o-r, or, where this "
                                           "program's user could not read it then, a variable or a file of its own "
                                           "for the secret"});
        }
    file.write("count = 2\npassword =\nserver = nats://h\n", 0666);
    BOOST_TEST(read(with_file).has_value());
    BOOST_TEST(read(with_file)->warnings().empty());
}

BOOST_AUTO_TEST_CASE(secrets_are_printed_masked)
{
    clear_environment();
    const std::tuple<const char*, const char*, const char*> table[] = {
        {"password", "geheim", "***"},
        {"token", "geheim", "***"},
        {"password", "", ""},
        {"server", "nats://joe:geheim@a:1", "nats://***@a:1"},
        {"server", "nats://joe:g@h@a:1,b:2,geheim@c", "nats://***@a:1,b:2,***@c"},
        {"server", "nats://a:1", "nats://a:1"},
        {"time", "https://joe:geheim@shop.example/x", "https://***@shop.example/x"},
        {"user", "joe@example.com", "joe@example.com"},
    };
    for (const auto& [option, value, seen] : table)
        BOOST_TEST_CONTEXT(option << ' ' << value) { BOOST_TEST(masked(option, value) == seen); }

    ::setenv("NATS_TOKEN", "geheim", 1);
    BOOST_TEST(shown(read({}), "token") == "*** (environment NATS_TOKEN)");
    const auto settings = read({"--user=joe", "--password=geheim", "--server=nats://joe:geheim@a:1"},
                               {{"MARQUEE_TIME", "https://joe:geheim@h"}});
    const auto text = printed(settings.value());
    BOOST_TEST(text.find("geheim") == std::string::npos, text);
    BOOST_TEST(shown(settings, "password") == "*** (command line)");
    BOOST_TEST(text.find("action") == std::string::npos);
    clear_environment();
}

BOOST_AUTO_TEST_CASE(reading_again_sees_the_file_of_now_and_keeps_the_rest)
{
    const file_of_settings file;
    file.write("count = 2\ntime = 1s\n");
    const auto first = read({"--config=" + file.path()}, {{"MARQUEE_TIME", "9s"}}).value();
    file.write("count = 3\ntime = 2s\norigin = https://a\n");
    const auto second = first.read_again().value();
    BOOST_TEST(second.values()["count"].as<int>() == 3);
    BOOST_TEST(second.values()["time"].as<std::string>() == "9s");
    BOOST_TEST(second.values()["origin"].as<texts>() == texts{"https://a"});
    BOOST_TEST(first.values()["count"].as<int>() == 2);
    file.write("");
    BOOST_TEST(second.read_again()->values()["count"].as<int>() == 1);
    BOOST_TEST(second.read_again()->values().count("origin") == 0U);
    file.write("count = 101\n");
    BOOST_TEST(second.read_again().error().detail == file.path() + ":1: --count: up to 100");
}

BOOST_AUTO_TEST_SUITE_END()
