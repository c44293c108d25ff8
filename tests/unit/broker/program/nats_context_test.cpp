#include "broker/program/nats_context.hpp"
#include "broker/program/options.hpp"

#include <boost/program_options/parsers.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace
{

using namespace marquee;
namespace fs = std::filesystem;
namespace po = boost::program_options;

/// A variable of the environment, as it was before at the end.
class variable
{
public:
    variable(const char* name, const std::string& value) : name_(name)
    {
        if (const char* before = std::getenv(name))
            before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    ~variable()
    {
        if (before_)
            ::setenv(name_, before_->c_str(), 1);
        else
            ::unsetenv(name_);
    }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> before_;
};

/// A home with natscli's folder in it.
struct home
{
    home()
    {
        for (const auto* name : {"NATS_CONTEXT", "NATS_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_CREDS",
                                 "NATS_NKEY", "NATS_CA", "NATS_CERT", "NATS_KEY"})
            ::unsetenv(name);
        fs::create_directories(contexts());
    }
    ~home() { fs::remove_all(folder); }

    [[nodiscard]] fs::path contexts() const { return folder / "config/nats/context"; }

    std::string write(const fs::path& file, const std::string& text) const
    {
        std::ofstream(file) << text;
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
        return file.string();
    }
    std::string context(const std::string& name, const std::string& text) const
    {
        return write(contexts() / (name + ".json"), text);
    }
    void select(const std::string& name) const { write(contexts().parent_path() / "context.txt", name + "\n"); }

    fs::path folder = []
    {
        std::string pattern = (fs::temp_directory_path() / "marquee_context_XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        return pattern;
    }();
    variable config{"XDG_CONFIG_HOME", (folder / "config").string()};
    variable own{"HOME", folder.string()};
};

result<connection_options> read(const std::vector<std::string>& arguments,
                                selected_context selected = selected_context::ignored)
{
    po::options_description options;
    add_connection_options(options);
    po::variables_map given;
    po::store(po::command_line_parser(arguments).options(options).run(), given);
    return read_connection_options(given, selected);
}

connection_options must_read(const std::vector<std::string>& arguments)
{
    auto options = read(arguments);
    BOOST_REQUIRE_MESSAGE(options.has_value(), (options.has_error() ? options.error().detail : ""));
    return std::move(*options);
}

constexpr const char* local = "nats://127.0.0.1:4222";

} // namespace

BOOST_FIXTURE_TEST_SUITE(nats_context_, home)

BOOST_AUTO_TEST_CASE(each_key_of_a_context_sets_its_option)
{
    struct row
    {
        const char* key;
        const char* value;
        std::string connection_options::*member;
        std::string expected;
    };
    const row rows[] = {
        {"user", "joe", &connection_options::user, "joe"},
        {"token", "geheim", &connection_options::token, "geheim"},
        {"creds", "/a/b.creds", &connection_options::creds_file, "/a/b.creds"},
        {"creds", "file:///a/b.creds", &connection_options::creds_file, "/a/b.creds"},
        {"creds", "~/b.creds", &connection_options::creds_file, folder.string() + "/b.creds"},
        {"nkey", "$HOME/b.nk", &connection_options::nkey_file, folder.string() + "/b.nk"},
        {"nkey", "${HOME}x$NOT_SET_HERE/b", &connection_options::nkey_file, folder.string() + "x/b"},
        {"ca", "/ca.pem", &connection_options::tls_ca_file, "/ca.pem"},
        {"inbox_prefix", "_INBOX_joe", &connection_options::inbox_prefix, "_INBOX_joe"},
        {"user_jwt", "eyJ0", &connection_options::user_jwt, "eyJ0"},
        {"jetstream_domain", "hub", &connection_options::jetstream_prefix, "$JS.hub.API"},
        {"jetstream_api_prefix", "js.of.app", &connection_options::jetstream_prefix, "js.of.app"},
        {"description", "ours", &connection_options::user, ""},
        {"color_scheme", "red", &connection_options::user, ""},
        {"a_key_of_tomorrow", "x", &connection_options::user, ""},
    };
    for (const auto& one : rows)
    {
        context("one", "{\"" + std::string(one.key) + "\":\"" + one.value + "\"}");
        BOOST_TEST((must_read({"--context", "one"}).*one.member) == one.expected, one.key);
    }
    context("one", R"({"url":"nats://a:1, tls://b:2","cert":"/c.pem","key":"/k.pem","tls_first":true,"user":null})");
    const auto read = must_read({"--context", "one"});
    BOOST_TEST(read.servers == (std::vector<std::string>{"nats://a:1", "tls://b:2"}));
    BOOST_TEST(read.tls_cert_file == "/c.pem");
    BOOST_TEST(read.tls_key_file == "/k.pem");
    BOOST_TEST(read.tls_first);
    BOOST_TEST(read.context == "one");
}

BOOST_AUTO_TEST_CASE(a_context_without_a_url_leads_to_the_local_server)
{
    context("empty", "{}");
    BOOST_TEST(must_read({"--context", "empty"}).servers == std::vector<std::string>{local});
}

BOOST_AUTO_TEST_CASE(of_several_credentials_the_first_counts_as_in_natscli)
{
    context("all", R"({"user":"joe","password":"p","creds":"/c","nkey":"/n","user_jwt":"j","user_seed":"s"})");
    const auto first = must_read({"--context", "all"});
    BOOST_TEST(first.user == "joe");
    BOOST_TEST(first.password == "p");
    BOOST_TEST(first.creds_file.empty());
    BOOST_TEST(first.nkey_file.empty());
    BOOST_TEST(first.user_jwt.empty());
    context("jwt", R"({"user_jwt":"j","user_seed":"s","jetstream_domain":"d","jetstream_api_prefix":"p"})");
    const auto last = must_read({"--context", "jwt"});
    BOOST_TEST(last.user_jwt == "j");
    BOOST_TEST(last.user_seed == "s");
    BOOST_TEST(last.jetstream_prefix == "$JS.d.API");
}

BOOST_AUTO_TEST_CASE(a_secret_may_be_in_a_file_or_in_the_environment)
{
    const auto file = write(folder / "password", "geheim\r\n");
    const variable token("MY_TOKEN", "of the environment");
    context("one", R"({"user":"joe","password":"file://)" + file + R"(","token":"env://MY_TOKEN"})");
    const auto read = must_read({"--context", "one"});
    BOOST_TEST(read.password == "geheim");
    BOOST_TEST(read.token == "of the environment");
}

BOOST_AUTO_TEST_CASE(what_is_given_wins_over_the_context)
{
    context("one", R"({"url":"nats://context:1","user":"joe","password":"p","cert":"/c","key":"/k","ca":"/a",
                      "inbox_prefix":"_INBOX_joe","jetstream_domain":"hub"})");
    BOOST_TEST(must_read({"--context", "one", "-s", "given:1"}).servers == std::vector<std::string>{"given:1"});
    {
        const variable url("NATS_URL", "environment:1");
        BOOST_TEST(must_read({"--context", "one"}).servers == std::vector<std::string>{"environment:1"});
    }
    const auto creds = must_read({"--context", "one", "--creds", "/given"});
    BOOST_TEST(creds.creds_file == "/given");
    BOOST_TEST(creds.user.empty()); // nobody is two at once
    BOOST_TEST(creds.password.empty());
    BOOST_TEST(creds.tls_cert_file == "/c");
    const auto password = must_read({"--context", "one", "--password", "given"});
    BOOST_TEST(password.user == "joe"); // a password completes it
    BOOST_TEST(password.password == "given");
    const auto tls = must_read({"--context", "one", "--tlscert", "/C", "--tlskey", "/K"});
    BOOST_TEST(tls.tls_cert_file == "/C");
    BOOST_TEST(tls.tls_key_file == "/K");
    BOOST_TEST(tls.tls_ca_file == "/a");
    const auto error = read({"--context", "one", "--tlscert", "/C"}); // no pair of two origins
    BOOST_TEST(error.has_error());
    const auto js = must_read({"--context", "one", "--js-api-prefix", "$JS.other.API", "--inbox-prefix", "_INBOX_b"});
    BOOST_TEST(js.jetstream_prefix == "$JS.other.API");
    BOOST_TEST(js.inbox_prefix == "_INBOX_b");
}

BOOST_AUTO_TEST_CASE(a_context_is_a_name_or_a_file)
{
    context("one", R"({"user":"by-name"})");
    const auto file = write(folder / "two.json", R"({"user":"by-file"})");
    const auto other = write(folder / "three.conf", R"({"user":"by-path"})");
    BOOST_TEST(must_read({"--context", "one"}).user == "by-name");
    BOOST_TEST(must_read({"--context", file}).user == "by-file");
    BOOST_TEST(must_read({"--context", file}).context == "two");
    BOOST_TEST(must_read({"--context", other}).user == "by-path");
    const variable environment("NATS_CONTEXT", "one");
    BOOST_TEST(must_read({}).user == "by-name");
    BOOST_TEST(must_read({"--context", file}).user == "by-file");
    const variable no_xdg("XDG_CONFIG_HOME", "");
    fs::create_directories(folder / ".config");
    fs::rename(folder / "config/nats", folder / ".config/nats");
    BOOST_TEST(must_read({}).user == "by-name");
}

BOOST_AUTO_TEST_CASE(the_selected_context_counts_for_tools_where_nothing_else_is_said)
{
    BOOST_TEST(read({}, selected_context::used)->servers == std::vector<std::string>{local});
    context("prod", R"({"url":"nats://prod:1","user":"joe"})");
    context("other", R"({"url":"nats://other:1"})");
    select("prod");
    const auto tool = read({}, selected_context::used);
    BOOST_REQUIRE(tool.has_value());
    BOOST_TEST(tool->servers == std::vector<std::string>{"nats://prod:1"});
    BOOST_TEST(tool->context == "prod");
    BOOST_TEST(must_read({}).servers == std::vector<std::string>{local}); // a daemon
    BOOST_TEST(must_read({}).context.empty());
    BOOST_TEST(read({"--context", "other"}, selected_context::used)->context == "other");
    const auto elsewhere = read({"--server", "nats://here:1"}, selected_context::used);
    BOOST_TEST(elsewhere->user.empty()); // joe's password is for prod
    BOOST_TEST(elsewhere->context.empty());
    select("gone");
    BOOST_TEST(read({}, selected_context::used).has_error());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_honoured_is_said_by_file_and_key_without_its_value)
{
    struct row
    {
        const char* text;
        const char* said;
    };
    const row rows[] = {
        {R"({"nsc":"nsc://geheim"})", "nsc cannot be honoured"},
        {R"({"socks_proxy":"socks5://geheim"})", "socks_proxy cannot be honoured"},
        {R"({"windows_cert_store":"geheim"})", "windows_cert_store cannot be honoured"},
        {R"({"creds":"op://geheim/x"})", "creds cannot be honoured"},
        {R"({"nkey":"env://geheim"})", "nkey cannot be honoured"},
        {R"({"ca":"data:;base64,geheim"})", "ca cannot be honoured"},
        {R"({"password":"op://geheim/x"})", "password cannot be honoured"},
        {R"({"token":"env://GEHEIM_geheim"})", "token names an environment variable that is not set"},
        {R"({"user":["geheim"]})", "user is no text"},
        {R"({"tls_first":"geheim"})", "tls_first is neither true nor false"},
        {R"(["geheim"])", "is no JSON object"},
        {R"({"user":"geheim")", "is no JSON object"},
        {R"({"url":"http://geheim"})", "url: a server is nats://HOST:PORT or tls://HOST:PORT"},
    };
    for (const auto& one : rows)
    {
        const auto file = context("one", one.text);
        const auto refused = read({"--context", "one"});
        BOOST_TEST_REQUIRE(refused.has_error(), one.text);
        BOOST_TEST((refused.error() == errc::bad_request));
        BOOST_TEST(refused.error().field == "--context");
        BOOST_TEST(refused.error().detail.find(one.said) != std::string::npos, refused.error().detail);
        BOOST_TEST(refused.error().detail.find(file) != std::string::npos, refused.error().detail);
        BOOST_TEST(refused.error().detail.find("geheim") == std::string::npos, refused.error().detail);
    }
}

BOOST_AUTO_TEST_CASE(a_context_that_is_not_there_is_named)
{
    for (const std::string which : {"none", "./none", "none.json", "", "..", "/"})
    {
        const auto refused = read({"--context", which});
        BOOST_TEST_REQUIRE(refused.has_error(), which);
        BOOST_TEST(refused.error().field == "--context");
    }
    BOOST_TEST(read({"--context", "none"}).error().detail.find((contexts() / "none.json").string()) !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_domain_is_one_token_and_a_prefix_several)
{
    BOOST_TEST(must_read({"--js-domain", "hub"}).jetstream_prefix == "$JS.hub.API");
    BOOST_TEST(must_read({"--js-api-prefix", "js.app"}).jetstream_prefix == "js.app");
    BOOST_TEST(must_read({}).jetstream_prefix.empty());
    for (const auto& wrong : std::vector<std::vector<std::string>>{{"--js-domain", "a.b"},
                                                                   {"--js-domain", "a b"},
                                                                   {"--js-domain", "*"},
                                                                   {"--js-domain", ""},
                                                                   {"--js-api-prefix", ""},
                                                                   {"--js-api-prefix", "a..b"},
                                                                   {"--js-api-prefix", "a.>"},
                                                                   {"--js-domain", "a", "--js-api-prefix", "b"}})
    {
        const auto refused = read(wrong);
        BOOST_TEST_REQUIRE(refused.has_error(), wrong.back());
        BOOST_TEST(refused.error().field == wrong.front());
    }
}

BOOST_AUTO_TEST_CASE(each_read_gets_an_instance_of_its_own)
{
    const auto one = must_read({}).instance;
    BOOST_TEST(one.size() == 22U);
    BOOST_TEST(one != must_read({}).instance);
}

BOOST_AUTO_TEST_SUITE_END()
