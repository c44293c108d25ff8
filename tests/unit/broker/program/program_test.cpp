#include "broker/program/options.hpp"
#include "broker/program/program.hpp"

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <sstream>

namespace
{

using namespace marquee;
namespace po = boost::program_options;

struct outcome
{
    int code = -1; ///< -1: the program would go on
    std::string out;
    std::string err;
};

/// Standard output and error of a command line, without a process.
outcome run_with(std::vector<std::string> words, const std::string& bare = {})
{
    words.insert(words.begin(), "marquee-test");
    std::vector<char*> argv;
    for (auto& w : words)
        argv.push_back(w.data());
    argv.push_back(nullptr);

    po::options_description options("Options");
    options.add_options()("count", po::value<int>(), "a number");
    add_connection_options(options);

    std::ostringstream out;
    std::ostringstream err;
    auto* saved_out = std::cout.rdbuf(out.rdbuf());
    auto* saved_err = std::cerr.rdbuf(err.rdbuf());
    auto read = read_command_line(static_cast<int>(words.size()), argv.data(), "marquee-test", "tests", options, bare);
    std::cout.rdbuf(saved_out);
    std::cerr.rdbuf(saved_err);

    outcome got;
    if (auto* code = std::get_if<int>(&read))
        got.code = *code;
    got.out = out.str();
    got.err = err.str();
    return got;
}

} // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(help_and_version_are_printed_with_exit_code_0)
{
    auto help = run_with({"--help"});
    BOOST_TEST(help.code == 0);
    BOOST_TEST(help.out.find("--inbox-prefix") != std::string::npos);
    auto version = run_with({"--version"});
    BOOST_TEST(version.code == 0);
    BOOST_TEST(version.out == "marquee-test " MARQUEE_VERSION "\n");
}

BOOST_AUTO_TEST_CASE(a_wrong_command_line_is_one_line_and_exit_code_2)
{
    for (const auto& words :
         {std::vector<std::string>{"--nonsense"}, {"--count", "many"}, {"stray"}, {"--count"}, {"--coun", "1"}})
    {
        auto got = run_with(words);
        BOOST_TEST_CONTEXT(words.front())
        {
            BOOST_TEST(got.code == 2);
            BOOST_TEST(got.out.empty());
            BOOST_TEST(std::count(got.err.begin(), got.err.end(), '\n') == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_id_is_printed_as_its_token)
{
    auto got = run_with({"--encode-id", "10.5240/7791-8534"});
    BOOST_TEST(got.code == 0);
    BOOST_TEST(got.out == "10=2E5240=2F7791-8534\n");
    BOOST_TEST(run_with({"--encode-id", "a\nb"}).code == 2);
}

BOOST_AUTO_TEST_CASE(a_correct_command_line_returns_its_values) { BOOST_TEST(run_with({"--count", "3"}).code == -1); }

BOOST_AUTO_TEST_CASE(one_bare_word_is_a_value_where_the_program_takes_one)
{
    BOOST_TEST(run_with({"3"}, "count").code == -1);
    BOOST_TEST(run_with({"--count", "3"}, "count").code == -1);
    BOOST_TEST(run_with({"many"}, "count").code == 2);
    BOOST_TEST(run_with({"3", "4"}, "count").code == 2);
    BOOST_TEST(run_with({"3"}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()
