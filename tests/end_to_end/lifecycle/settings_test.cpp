// Configuration files, MARQUEE_… variables and SIGHUP, with the real programs.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_server.hpp"

#include <csignal>

#include <sys/stat.h>

using namespace marquee::test;

namespace
{

constexpr auto patience = std::chrono::seconds(60); // of waits that take a moment

/// An edge without services, with a configuration file.
struct edge_with_file
{
    temporary_folder folder;
    nats_server broker;
    std::unique_ptr<process> edge;
    int port = 0;

    explicit edge_with_file(const std::string& text, words more = {})
    {
        folder.write("edge.conf", text);
        more.insert(more.end(), {"--server", broker.url(), "--config", path()});
        edge = start("edge", folder, more);
        const auto line = serves("edge", *edge);
        BOOST_TEST_REQUIRE(line.has_value(), edge->output());
        port = port_in(*line);
    }

    [[nodiscard]] std::string path() const { return folder.file("edge.conf"); }

    /// Writes the file, sends SIGHUP, and waits until the log has `line`.
    void reload(const std::string& text, const std::string& line)
    {
        folder.write("edge.conf", text);
        edge->signal(SIGHUP);
        BOOST_TEST_REQUIRE(edge->wait_for_line(line, patience).has_value(), edge->output());
    }

    [[nodiscard]] http_answer from(const std::string& origin) const
    {
        return http(port, {"GET", "/nowhere", {{"Origin", origin}}});
    }
};

std::string allowed_origin(const http_answer& answer) { return answer.header("Access-Control-Allow-Origin"); }

const std::string old_page = "https://old.example";
const std::string new_page = "https://new.example";

} // namespace

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(sighup_puts_a_new_rate_and_origin_in_force_and_a_wrong_file_changes_nothing)
{
    edge_with_file one("rate-address = 1000\ncors-origin = " + old_page + "\n", {"--threads", "2"});
    boost::asio::io_context io;
    http_client open(io, one.port); // a connection that is there before
    const auto on_open = [&](const std::string& origin)
    {
        http_answer answer;
        boost::asio::co_spawn(io, open.send({"GET", "/healthz", {{"Origin", origin}}}),
                              [&](const std::exception_ptr& failed, http_answer got)
                              {
                                  BOOST_TEST(!failed);
                                  answer = std::move(got);
                              });
        io.restart();
        io.run();
        return answer;
    };
    BOOST_TEST(allowed_origin(one.from(old_page)) == old_page);
    BOOST_TEST(allowed_origin(on_open(old_page)) == old_page);
    BOOST_TEST(one.from(old_page).header("RateLimit-Policy") == R"("address";q=1000;w=1)");

    const auto changed = "cors-origin = " + new_page + "\nrate-address = 0.001:3\n";
    one.reload(changed, R"(changed="cors-origin, rate-address")");
    for (const auto& answer : {one.from(new_page), one.from(old_page), one.from(new_page)})
    {
        BOOST_TEST(answer.status == 404);
        BOOST_TEST(answer.header("RateLimit-Policy") == R"("address";q=3;w=3000)");
    }
    const auto check_in_force = [&]
    {
        BOOST_TEST(one.from(new_page).status == 429); // of both threads together
        BOOST_TEST(allowed_origin(one.from(new_page)) == new_page);
        BOOST_TEST(allowed_origin(one.from(old_page)) == "");
        BOOST_TEST(allowed_origin(on_open(new_page)) == new_page);
        BOOST_TEST(allowed_origin(on_open(old_page)) == "");
    };
    check_in_force();

    const std::pair<std::string, std::string> wrong[] = {
        {"rate-address = many\n", ":1: --rate-address: "},
        {changed + "cors-origin = shop.example\n", ":3: --cors-origin: "},
        {changed + "rate-adress = 5\n", ":3: rate-adress is no option of this program"},
        {"jwt-key = /nonexistent/key\n", "the JWT key file: cannot read the file /nonexistent/key"},
        {"password = geheim\nuser\n", ":2: the line is not `name = value`"},
    };
    for (const auto& [text, reason] : wrong)
        BOOST_TEST_CONTEXT(text)
        {
            one.reload(text, reason);
            BOOST_TEST(one.edge->wait_for_line(reason)->find("the settings stay as they were") != std::string::npos);
            check_in_force();
        }
    std::filesystem::remove(one.path());
    one.edge->signal(SIGHUP);
    BOOST_TEST_REQUIRE(one.edge->wait_for_line("cannot read the file " + one.path(), patience).has_value());
    check_in_force();

    const auto last = "rate-address = 1000:2000\ntimeout = 3s\n";
    one.reload(last, R"(changed="cors-origin, rate-address, timeout")");
    one.reload(last, "changed=nothing");
    const auto answer = one.from(new_page);
    BOOST_TEST(answer.status == 404);
    BOOST_TEST(answer.header("RateLimit-Policy") == R"("address";q=2000;w=2)");
    BOOST_TEST(allowed_origin(answer) == "");
    BOOST_TEST(!holds(one.edge->output(), "geheim"));
    one.edge->signal(SIGTERM);
    BOOST_TEST(one.edge->wait(patience).value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(sighup_changes_both_addresses_of_an_edge)
{
    edge_with_file one("cors-origin = " + old_page + "\n", {"--admin-listen", "127.0.0.1:0"});
    const auto line = one.edge->wait_for_line("serving operators admin=127.0.0.1:", patience);
    BOOST_TEST_REQUIRE(line.has_value());
    const int admin = std::stoi(line->substr(line->rfind(':') + 1));
    one.reload("cors-origin = " + new_page + "\n", "changed=cors-origin");
    for (const int port : {one.port, admin})
    {
        BOOST_TEST(allowed_origin(http(port, {"GET", "/nowhere", {{"Origin", new_page}}})) == new_page);
        BOOST_TEST(allowed_origin(http(port, {"GET", "/nowhere", {{"Origin", old_page}}})) == "");
    }
}

BOOST_AUTO_TEST_CASE(sighup_changes_limits_times_and_keys)
{
    edge_with_file one("");
    const auto first = one.folder.write("first-token", "first-and-long-geheim");
    const auto second = one.folder.write("second-token", "second-and-long-geheim");
    const auto key = one.folder.write("key", "a-secret-of-players-with-40-characters");
    const auto remove_with = [&](const std::string& token) {
        return http(one.port, {"DELETE", "/content/asset/1", {{"Authorization", "Bearer " + token}}}).status;
    };
    const auto views = [&] { return http(one.port, {"GET", "/events/user/1"}).status; };

    BOOST_TEST(remove_with("first-and-long-geheim") == 403); // no token is configured
    BOOST_TEST(views() == 503);                              // without services
    BOOST_TEST(http(one.port, {"POST", "/content/asset/1", {}, std::string(2000, 'x')}).status == 403);

    one.reload("admin-token-file = " + first + "\njwt-key = " + key + "\nmax-body-bytes = 1000\n",
               R"(changed="admin-token-file, jwt-key, max-body-bytes")");
    BOOST_TEST(remove_with("first-and-long-geheim") == 503);
    BOOST_TEST(remove_with("second-and-long-geheim") == 401);
    BOOST_TEST(views() == 401);
    BOOST_TEST(http(one.port, {"POST", "/content/asset/1", {}, std::string(2000, 'x')}).status == 413);

    one.reload("admin-token-file = " + second + "\nmax-target-bytes = 100\n",
               R"(changed="admin-token-file, jwt-key, max-body-bytes, max-target-bytes")");
    BOOST_TEST(remove_with("first-and-long-geheim") == 401);
    BOOST_TEST(remove_with("second-and-long-geheim") == 503);
    BOOST_TEST(views() == 503);
    BOOST_TEST(http(one.port, {"GET", "/" + std::string(200, 'x')}).status == 414);

    one.reload("max-in-flight = 1\nmax-connections = 5\ntimeout = 3s\n",
               R"(changed="admin-token-file, max-connections, max-in-flight, max-target-bytes, timeout")");
    BOOST_TEST(http(one.port, {"GET", "/" + std::string(200, 'x')}).status == 404);
    BOOST_TEST(http(one.port, {"GET", "/healthz"}).status == 200);
    BOOST_TEST(!holds(one.edge->output(), "geheim"));
}

BOOST_AUTO_TEST_CASE(what_needs_a_restart_is_said_each_time_until_it_is_as_it_was)
{
    edge_with_file one("threads = 1\n");
    one.reload("threads = 2\nlisten = 127.0.0.1:1\nmax-in-flight = 5\n", "settings=threads"); // --listen was given
    BOOST_TEST(one.edge->wait_for_line("changed settings that need a restart", patience).has_value());
    one.reload("threads = 2\ntls-cert = a\ntls-key = b\nmax-in-flight = 6\n",
               R"(settings="threads, tls-cert, tls-key")");
    one.reload("threads = 1\ntimeout = 1s\n", R"(changed="max-in-flight, timeout")");
    one.reload("threads = 1\ndrain-timeout = 1s\n", R"(changed="drain-timeout, timeout")");
    const auto output = one.edge->output();
    std::size_t said = 0;
    for (auto at = output.find("need a restart"); at != std::string::npos; at = output.find("need a restart", at + 1))
        ++said;
    BOOST_TEST(said == 2U, output);
    BOOST_TEST(http(one.port, {"GET", "/healthz"}).status == 200);
}

BOOST_AUTO_TEST_CASE(sighup_changes_the_log_level_of_each_program)
{
    const nats_server broker;
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const temporary_folder folder;
            const auto file = folder.write("a.conf", "server = " + broker.url() + "\n");
            const auto one = start(name, folder, {"--config", file});
            BOOST_TEST_REQUIRE(serves(name, *one).has_value(), one->output());
            folder.write("a.conf", "server = " + broker.url() + "\nlog-level = error\n");
            one->signal(SIGHUP);
            BOOST_TEST_REQUIRE(one->wait_for_line("changed=log-level", patience).has_value(), one->output());
            folder.write("a.conf", "server = " + broker.url() + "\nlog-level = loud\n");
            one->signal(SIGHUP);
            BOOST_TEST_REQUIRE(one->wait_for_line("a.conf:2: --log-level: ", patience).has_value(), one->output());
            one->signal(SIGTERM);
            BOOST_TEST(one->wait(patience).value_or(-1) == 0);
            BOOST_TEST(!holds(one->output(), "stopp"), one->output()); // it says so at the level info
        }
}

BOOST_AUTO_TEST_CASE(each_program_connects_by_what_its_file_or_a_variable_says)
{
    const nats_server broker("authorization { user: joe, password: geheim }");
    const auto unknown = std::make_pair(std::string("MARQUEE_PORT"), std::string("tcp://10.0.0.1:80"));
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const temporary_folder folder;
            const auto file = folder.write("a.conf", "# how to connect\r\n\r\nserver = nats://127.0.0.1:1\r\n"
                                                     "user = joe\r\npassword = geheim\r\n");
            const auto one = start(name, folder, {"--config=" + file}, {{"MARQUEE_SERVER", broker.url()}, unknown});
            BOOST_TEST_REQUIRE(serves(name, *one).has_value(), one->output());
            BOOST_TEST(one->wait_for_line("environment variables that set no option: MARQUEE_PORT").has_value());
            BOOST_TEST(!holds(one->output(), "geheim"));

            BOOST_REQUIRE(::chmod(file.c_str(), 0620) == 0);
            const auto refused = run(name, in_folder(name, folder, {"--config=" + file}));
            BOOST_TEST(refused.code == 2);
            BOOST_TEST(refused.lines() == 1);
            BOOST_TEST(holds(refused.output, file + " holds a secret, and users other than its owner may write it"));
            one->signal(SIGHUP); // the same at a later time: it goes on as it is
            BOOST_TEST(one->wait_for_line("the settings stay as they were", patience).has_value());
            BOOST_TEST(one->running());
        }
}

BOOST_AUTO_TEST_CASE(print_config_shows_what_is_in_force_and_where_from_without_connecting)
{
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const temporary_folder folder;
            const auto file = folder.write("a.conf", "user = joe\npassword = geheim\nserver = nats://joe:geheim@h:1\n");
            const auto shown = run(name, {"--print-config", "--config", file, "--inbox-prefix", "_INBOX_a"},
                                   {{"MARQUEE_TLSCA", "ca.pem"}, {"NATS_TOKEN", "geheim"}});
            BOOST_TEST(shown.code == 0);
            for (const auto& line :
                 {"config = " + file + " (command line)\n", "server = nats://***@h:1 (" + file + ":3)\n",
                  "user = joe (" + file + ":1)\n", "password = *** (" + file + ":2)\n",
                  std::string("token not set (default)\n"), // the file says who connects
                  std::string("tlsca = ca.pem (environment MARQUEE_TLSCA)\n"), std::string("creds not set (default)\n"),
                  std::string("inbox-prefix = _INBOX_a (command line)\n")})
                BOOST_TEST(holds(shown.output, line), line << "in\n" << shown.output);
            BOOST_TEST(!holds(shown.output, "geheim"));
            BOOST_TEST(!holds(shown.output, "print-config"));

            folder.write("a.conf", "user = joe\npasword = geheim\n");
            const auto wrong = run(name, {"--print-config", "--config", file});
            BOOST_TEST(wrong.code == 2);
            BOOST_TEST(wrong.output ==
                       "marquee-" + name + ": " + file + ":2: pasword is no option of this program (see --help)\n");
        }
    BOOST_TEST(holds(run("edge", {"--print-config", "--cors-origin=https://a", "--cors-origin=https://b"}).output,
                     "cors-origin = https://a (command line)\ncors-origin = https://b (command line)\n"));
    BOOST_TEST(holds(run("reporting", {"--print-config"}).output, "dedupe-window = 24h (default)\n"));
    BOOST_TEST(run("edge", {"--print-config", "--timeout=soon"}).code == 2);
}

BOOST_AUTO_TEST_SUITE_END()
