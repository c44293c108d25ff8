#include "broker/program/options.hpp"

#include <boost/program_options/parsers.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <string>
#include <vector>

namespace
{

using namespace marquee;
namespace po = boost::program_options;

result<connection_options> read(const std::vector<std::string>& arguments)
{
    po::options_description options;
    add_connection_options(options);
    add_reply_options(options);
    po::variables_map given;
    po::store(po::command_line_parser(arguments).options(options).run(), given);
    return read_connection_options(given);
}

/// Arguments that can be written to, as main() gets them.
class argument_vector
{
public:
    explicit argument_vector(std::vector<std::string> words) : words_(std::move(words))
    {
        for (auto& word : words_)
            pointers_.push_back(word.data());
        pointers_.push_back(nullptr);
    }
    int argc() const { return static_cast<int>(words_.size()); }
    char** argv() { return pointers_.data(); }
    const std::vector<std::string>& words() const { return words_; }

private:
    std::vector<std::string> words_;
    std::vector<char*> pointers_;
};

struct environment_variable
{
    environment_variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~environment_variable() { ::unsetenv(name_); }
    const char* name_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(connection_option)

BOOST_AUTO_TEST_CASE(the_default_is_the_local_server)
{
    ::unsetenv("NATS_URL");
    auto options = read({});
    BOOST_REQUIRE(options.has_value());
    BOOST_TEST(options->servers == std::vector<std::string>{"nats://127.0.0.1:4222"});
    BOOST_TEST(options->inbox_prefix == "_INBOX");
}

BOOST_AUTO_TEST_CASE(a_list_of_servers_is_split_at_commas)
{
    auto options = read({"--server", "nats://a:1, tls://b:2,c"});
    BOOST_REQUIRE(options.has_value());
    BOOST_TEST(options->servers == (std::vector<std::string>{"nats://a:1", "tls://b:2", "c"}));
}

BOOST_AUTO_TEST_CASE(a_server_is_a_host_with_or_without_a_port_and_user_info)
{
    for (const auto* server :
         {"a", "a:1", "a.example:65535", "nats://u:p@a:1", "u:p@a", "token@a:1", "[::1]:4222", "nats://[::1]"})
    {
        auto options = read({"--server", server});
        BOOST_TEST_REQUIRE(options.has_value(), server);
        BOOST_TEST(options->servers == std::vector<std::string>{server});
    }
}

BOOST_AUTO_TEST_CASE(the_environment_is_used_if_the_option_is_missing)
{
    environment_variable url("NATS_URL", "nats://from-environment:1");
    environment_variable token("NATS_TOKEN", "from-environment");
    auto options = read({"--token", "given"});
    BOOST_REQUIRE(options.has_value());
    BOOST_TEST(options->servers.front() == "nats://from-environment:1");
    BOOST_TEST(options->token == "given");
}

BOOST_AUTO_TEST_CASE(who_connects_is_said_in_one_place)
{
    struct row
    {
        std::vector<std::string> arguments;
        std::string user;
        std::string password;
        std::string token;
        std::string creds;
        std::string nkey;
    };
    const environment_variable user("NATS_USER", "me");
    const environment_variable password("NATS_PASSWORD", "mine");
    const environment_variable token("NATS_TOKEN", "mine");
    const environment_variable creds("NATS_CREDS", "me.creds");
    const environment_variable nkey("NATS_NKEY", "me.nk");
    const row rows[] = {
        {{}, "me", "mine", "mine", "me.creds", "me.nk"},
        {{"--tlsca", "ca.pem"}, "me", "mine", "mine", "me.creds", "me.nk"},
        {{"--password", "a"}, "me", "a", "mine", "me.creds", "me.nk"},
        {{"--user", "a", "--password", "a"}, "a", "a", "", "", ""},
        {{"--user", "a"}, "a", "mine", "", "", ""}, // the password may be in the environment
        {{"--token", "a"}, "", "", "a", "", ""},
        {{"--creds", "a"}, "", "", "", "a", ""},
        {{"--nkey", "a"}, "", "", "", "", "a"},
        {{"--nkey", ""}, "me", "mine", "mine", "me.creds", ""},
    };
    for (const auto& r : rows)
    {
        const auto options = read(r.arguments);
        BOOST_TEST_CONTEXT((r.arguments.empty() ? "nothing given" : r.arguments.front()))
        {
            BOOST_REQUIRE(options.has_value());
            BOOST_TEST(options->user == r.user);
            BOOST_TEST(options->password == r.password);
            BOOST_TEST(options->token == r.token);
            BOOST_TEST(options->creds_file == r.creds);
            BOOST_TEST(options->nkey_file == r.nkey);
        }
    }
}

BOOST_AUTO_TEST_CASE(invalid_values_are_refused_with_the_option_name)
{
    struct row
    {
        std::vector<std::string> arguments;
        std::string field;
    };
    const row rows[] = {
        {{"--server", "http://x"}, "--server"},
        {{"--server", "nats://a:1,,nats://b:1"}, "--server"},
        {{"--server", "a b"}, "--server"},
        {{"--server", ""}, "--server"},
        {{"--server", "nats://a:65536"}, "--server"},
        {{"--server", "a:0"}, "--server"},
        {{"--server", "a:x"}, "--server"},
        {{"--server", "a:"}, "--server"},
        {{"--server", ":1"}, "--server"},
        {{"--server", "nats://u:p@"}, "--server"},
        {{"--server", "nats://u:p%4@a:1"}, "--server"},
        {{"--server", "nats://a:1,nats://u:50%@b:1"}, "--server"},
        {{"--server", "nats://:p@a:1"}, "--server"},
        {{"--server", "[::1"}, "--server"},
        {{"--server", "[]:1"}, "--server"},
        {{"--server", "::1"}, "--server"},
        {{"--password", "p"}, "--password"},
        {{"--tlscert", "c.pem"}, "--tlscert"},
        {{"--tlskey", "k.pem"}, "--tlscert"},
        {{"--inbox-prefix", "a..b"}, "--inbox-prefix"},
        {{"--inbox-prefix", "a.*"}, "--inbox-prefix"},
        {{"--inbox-prefix", ""}, "--inbox-prefix"},
        {{"--inbox-prefix", "a b"}, "--inbox-prefix"},
        {{"--reply-prefix", ""}, "--reply-prefix"},
        {{"--reply-prefix", "*"}, "--reply-prefix"},
        {{"--reply-prefix", "a", "--reply-prefix", "a.*"}, "--reply-prefix"},
        {{"--reply-prefix", "$JS"}, "--reply-prefix"},
        {{"--reply-prefix", "a.>"}, "--reply-prefix"},
        {{"--reply-prefix", "a."}, "--reply-prefix"},
    };
    for (const auto& r : rows)
    {
        auto options = read(r.arguments);
        BOOST_TEST_CONTEXT(r.arguments.back())
        {
            BOOST_REQUIRE(options.has_error());
            BOOST_TEST((options.error() == errc::bad_request));
            BOOST_TEST(options.error().field == r.field);
        }
    }
}

BOOST_AUTO_TEST_CASE(each_reply_prefix_counts_and_none_means_the_usual_ones)
{
    BOOST_TEST(read({})->reply_prefixes.empty());
    const auto options = read({"--reply-prefix", "corp.in", "--reply-prefix", "_INBOX_*"});
    BOOST_REQUIRE(options.has_value());
    BOOST_TEST(options->reply_prefixes == (std::vector<std::string>{"corp.in", "_INBOX_*"}));
}

BOOST_AUTO_TEST_CASE(servers_are_logged_without_user_info)
{
    connection_options options;
    options.servers = {"nats://joe:secret@a:1", "joe:secret@b", "c:3"};
    BOOST_TEST(servers_for_log(options) == "nats://a:1,b,c:3");
}

BOOST_AUTO_TEST_CASE(secrets_are_wiped_from_the_argument_vector)
{
    argument_vector arguments({"marquee", "--password", "geheim", "--token=geheim", "--server", "nats://u:geheim@h:1",
                               "-s", "nats://u:geheim@h:1", "-snats://u:geheim@h:1", "--user", "joe"});
    hide_secrets(arguments.argc(), arguments.argv());
    for (const auto& word : arguments.words())
        BOOST_TEST(word.find("geheim") == std::string::npos);
    BOOST_TEST(arguments.words().back() == "joe");
    BOOST_TEST(arguments.words()[0] == "marquee");
}

BOOST_AUTO_TEST_CASE(the_last_argument_is_wiped_too)
{
    for (const auto* last : {"--password=geheim", "--token=geheim", "--server=u:geheim@h", "-su:geheim@h"})
    {
        argument_vector arguments({"marquee", last});
        hide_secrets(arguments.argc(), arguments.argv());
        BOOST_TEST(arguments.words()[1].find("geheim") == std::string::npos, last);
    }
}

BOOST_AUTO_TEST_CASE(servers_without_user_info_stay_readable)
{
    argument_vector arguments({"marquee", "--server", "nats://h:1"});
    hide_secrets(arguments.argc(), arguments.argv());
    BOOST_TEST(arguments.words()[2] == "nats://h:1");
}

BOOST_AUTO_TEST_SUITE_END()
