// Messages and exit codes of the programs: usage, an unreachable broker, a used port, signals, the
// file of the admin token.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/wiretap.hpp"
#include "tests/unit/schemas/id_tables.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>

#include <csignal>
#include <thread>

#include <poll.h>
#include <sys/stat.h>

using namespace marquee::test;

namespace
{

using namespace std::chrono_literals;
using tcp = boost::asio::ip::tcp;

/// Clears the environment, so that each test sets its own.
struct clean_environment
{
    clean_environment()
    {
        for (const auto* name : {"NATS_URL", "NATS_USER", "NATS_PASSWORD", "NATS_TOKEN", "NATS_CREDS", "NATS_NKEY",
                                 "NATS_CA", "NATS_CERT", "NATS_KEY", "NATS_CONTEXT", "MARQUEE_LOG"})
            ::unsetenv(name);
    }
};
BOOST_TEST_GLOBAL_FIXTURE(clean_environment);

/// A TCP port that refuses connections, or accepts them and stays silent.
class held_port
{
public:
    explicit held_port(bool listen) : acceptor_(io_)
    {
        acceptor_.open(tcp::v4());
        acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
        if (listen)
            acceptor_.listen();
    }
    [[nodiscard]] std::string address() const
    {
        return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
    }

    /// Whether a client connects in time; the connection is kept.
    bool meets_a_client()
    {
        pollfd waiting{acceptor_.native_handle(), POLLIN, 0};
        if (::poll(&waiting, 1, 60'000) != 1)
            return false;
        clients_.push_back(acceptor_.accept());
        return true;
    }

private:
    boost::asio::io_context io_;
    tcp::acceptor acceptor_;
    std::vector<tcp::socket> clients_;
};

/// Whether a process blocks or handles SIGHUP already.
bool withstands_sighup(const process& one)
{
    std::ifstream file("/proc/" + std::to_string(one.pid()) + "/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("SigBlk:") || line.starts_with("SigCgt:"))
            if ((std::stoull(line.substr(7), nullptr, 16) & (1U << (SIGHUP - 1))) != 0)
                return true;
    return false;
}

struct usage_row
{
    std::string only; ///< one program; all when empty
    words arguments;
    variables environment = {};
};

const usage_row wrong_usage[] = {
    {"", {"--nonsense"}},
    {"", {"stray"}},
    {"", {"--pasword=geheim"}},
    {"", {"--serv", "nats://127.0.0.1:1"}}, // no abbreviations
    {"", {"--server"}},
    {"", {"--server", ""}},
    {"", {"--server", "http://127.0.0.1:4222"}},
    {"", {"--server", "nats://127.0.0.1:65536"}},
    {"", {"--server", "nats://127.0.0.1:port"}},
    {"", {"--server", "nats://127.0.0.1:0"}},
    {"", {"--server", "nats://127.0.0.1:1,,nats://127.0.0.1:2"}},
    {"", {"--server", "nats://127.0.0.1:1", "--server", "nats://127.0.0.1:2"}},
    {"", {}, {{"NATS_URL", "http://127.0.0.1"}}},
    {"", {}, {{"NATS_PASSWORD", "geheim"}}},
    {"", {"--password", "geheim"}},
    {"", {"--user", "joe", "--password", "geheim", "--token", "geheim", "--nonsense"}},
    {"", {"--tlscert", "cert.pem"}},
    {"", {"--inbox-prefix", ">"}},
    {"", {"--inbox-prefix", "a b"}},
    {"", {"--creds", "/nonexistent/creds"}},
    {"", {"--nkey", "/nonexistent/nkey"}},
    {"", {"--tlsca", "/nonexistent/ca"}},
    {"", {"--tlscert", "/nonexistent/cert", "--tlskey", "/nonexistent/key"}},
    {"", {}, {{"NATS_CREDS", "/nonexistent/creds"}}},
    {"", {"--config", "/nonexistent/file"}},
    {"", {"--config", "/"}},
    {"", {"--config", ""}},
    {"", {}, {{"MARQUEE_CONFIG", "/nonexistent/file"}}},
    {"", {"--log-level", "loud"}},
    {"", {}, {{"MARQUEE_LOG_LEVEL", "loud"}}},
    {"", {"--log-format", "xml"}},
    {"", {"--access-log", "sometimes"}},
    {"", {"--access-log", "1.5"}},
    {"", {"--slow-request", "0"}},
    {"", {}, {{"MARQUEE_INBOX_PREFIX", "a b"}}},
    {"metadata", {"--reply-prefix", "*"}},
    {"reporting", {"--reply-prefix", "$JS.API"}},
    {"edge", {"--reply-prefix", "_INBOX"}}, // the edge serves no requests over NATS
    {"metadata", {"--replicas", "0"}},
    {"metadata", {"--replicas", "6"}},
    {"cdnurl", {"--replicas", "three"}},
    {"reporting", {"--replicas", "0"}},
    {"reporting", {"--replicas", "6"}},
    {"reporting", {"--dedupe-window", "soon"}},
    {"reporting", {"--dedupe-window", "-1h"}},
    {"reporting", {"--max-age", "1y"}},
    {"reporting", {"--max-bytes", "0"}},
    {"reporting", {"--max-bytes", "1T"}},
    {"reporting", {"--rebuild=maybe"}},
    {"edge", {"--listen", "nonsense"}},
    {"edge", {"--listen", "127.0.0.1"}},
    {"edge", {"--listen", "127.0.0.1:65536"}},
    {"edge", {"--listen", "127.0.0.1:-1"}},
    {"edge", {"--listen", "127.0.0.1:"}},
    {"edge", {"--listen", ":8080"}},
    {"edge", {"--listen", "::1:8080"}},
    {"edge", {"--threads", "0"}},
    {"edge", {"--threads", "257"}},
    {"edge", {"--threads", "two"}},
    {"edge", {"--timeout", "0"}},
    {"edge", {"--timeout", "-1s"}},
    {"edge", {"--timeout", "2h"}},
    {"edge", {"--timeout", "1.5s"}},
    {"edge", {"--timeout", "99999999999999999999s"}},
    {"edge", {"--drain-timeout", "soon"}},
    {"edge", {"--max-connections", "0"}},
    {"edge", {"--max-in-flight", "many"}},
    {"edge", {"--jwt-issuer", "https://login.example"}},
    {"edge", {"--jwt-audience", "marquee"}},
    {"edge", {"--tls-cert", "cert.pem"}},
    {"edge", {"--tls-key", "key.pem"}},
    {"edge", {"--handshake-timeout", "0"}},
};

/// An edge and metadata alone, with the token's file.
struct admin_edge
{
    temporary_folder folder;
    nats_server broker;
    std::unique_ptr<process> metadata = start("metadata", folder, {"--server", broker.url()});
    std::unique_ptr<process> edge;
    int port = 0;

    explicit admin_edge(words more)
    {
        more.insert(more.end(), {"--server", broker.url()});
        edge = start("edge", folder, more);
        BOOST_TEST_REQUIRE(serves("metadata", *metadata).has_value(), metadata->output());
        const auto line = serves("edge", *edge);
        BOOST_TEST_REQUIRE(line.has_value(), edge->output());
        port = port_in(*line);
    }

    [[nodiscard]] int put_with(const std::string& token) const
    {
        http_call put{"POST", "/content/asset/1", {}, R"({"title":"t","genre":"g","summary":"s"})"};
        if (!token.empty())
            put.headers.emplace_back("Authorization", "Bearer " + token);
        return http(port, put).status;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(help_names_every_option_and_its_environment_variable)
{
    const words connection = {"--server",       "NATS_URL",       "--user",         "NATS_USER",      "--password",
                              "NATS_PASSWORD",  "--token",        "NATS_TOKEN",     "--creds",        "NATS_CREDS",
                              "--nkey",         "NATS_NKEY",      "--tlsca",        "NATS_CA",        "--tlscert",
                              "NATS_CERT",      "--tlskey",       "NATS_KEY",       "--inbox-prefix", "--config",
                              "MARQUEE_CONFIG", "--print-config", "--log-level",    "MARQUEE_LOG",    "--encode-id",
                              "--log-format",   "--access-log",   "--slow-request", "--version"};
    const std::vector<std::pair<std::string, words>> own = {
        {"metadata", {"--replicas", "--no-demo", "--allow-discard-old", "--reply-prefix"}},
        {"cdnurl", {"--replicas", "--no-demo", "--allow-discard-old", "--reply-prefix"}},
        {"reporting",
         {"--db", "--dedupe-window", "--rebuild", "--backup", "--accept-loss", "--replicas", "--max-age", "--max-bytes",
          "--allow-discard-old", "--reply-prefix"}},
        {"edge",
         {"--listen", "--threads", "--timeout", "--admin-token-file", "--jwt-key", "--jwt-issuer", "--jwt-audience",
          "--tls-cert", "--tls-key", "--cors-origin", "--cors-header"}},
    };
    for (const auto& [name, options] : own)
    {
        for (const auto* flag : {"--help", "-h"})
        {
            const auto help = run(name, {flag});
            BOOST_TEST(help.code == 0);
            for (const auto& list : {connection, options})
                for (const auto& option : list)
                    BOOST_TEST(holds(help.output, option), name << " does not name " << option);
        }
        const auto version = run(name, {"--version"});
        BOOST_TEST(version.code == 0);
        BOOST_TEST(version.output == "marquee-" + name + " " MARQUEE_VERSION "\n");
    }
}

BOOST_AUTO_TEST_CASE(encode_id_prints_a_token_and_refuses_an_invalid_id)
{
    for (const auto& name : programs)
    {
        for (const auto& id : real_ids)
        {
            const auto printed = run(name, {"--encode-id", id.text});
            BOOST_TEST(printed.code == 0, printable(id.text));
            BOOST_TEST(printed.output == id.token + '\n');
            if (name != "edge")
                break; // the same code in all of them
        }
        BOOST_TEST(run(name, {"--encode-id=--help"}).output == "--help\n");
        for (const auto& bad : bad_ids)
        {
            if (bad.text.find('\0') != std::string::npos)
                continue; // zero ends an argument
            const auto refused = run(name, {"--encode-id", bad.text});
            BOOST_TEST(refused.code == 2, bad.why);
            BOOST_TEST(refused.lines() == 1);
            if (name != "edge")
                break;
        }
    }
}

BOOST_AUTO_TEST_CASE(wrong_usage_is_one_line_and_exit_2)
{
    const temporary_folder folder;
    for (const auto& row : wrong_usage)
    {
        for (const auto& name : programs)
        {
            if (!row.only.empty() && row.only != name)
                continue;
            std::string shown = name;
            for (const auto& word : row.arguments)
                shown += ' ' + word;
            BOOST_TEST_CONTEXT(shown)
            {
                const bool own = !row.only.empty(); // else not on the default port, which may be taken
                const auto refused =
                    run(name, own ? row.arguments : in_folder(name, folder, row.arguments), row.environment);
                BOOST_TEST(refused.code == 2);
                BOOST_TEST(refused.lines() == 1, refused.output);
                BOOST_TEST(holds(refused.output, "marquee-" + name), refused.output);
                BOOST_TEST(!holds(refused.output, "geheim"), refused.output);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_unreachable_broker_is_one_line_per_server_and_exit_1)
{
    const held_port refusing(false);
    const held_port silent(true);
    for (const auto& server :
         {refusing.address(), silent.address(), refusing.address() + ",nats://" + silent.address()})
    {
        temporary_folder folder;
        std::vector<std::unique_ptr<process>> started;
        for (const auto& name : programs)
            started.push_back(start(name, folder, {"--server", server}));
        for (std::size_t i = 0; i < started.size(); ++i)
        {
            const auto code = started[i]->wait(60s); // two seconds a server
            BOOST_TEST_CONTEXT(programs[i] << " --server " << server)
            {
                BOOST_TEST_REQUIRE(code.has_value());
                BOOST_TEST(*code == 1);
                BOOST_TEST(started[i]->wait_for_line("cannot connect to ").has_value());
                const auto output = started[i]->output();
                const auto servers = 1 + std::count(server.begin(), server.end(), ',');
                BOOST_TEST(std::count(output.begin(), output.end(), '\n') == servers, output);
                BOOST_TEST(holds(output, server.substr(0, server.find(','))), output);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_port_that_is_taken_is_named_and_exit_1)
{
    temporary_folder folder;
    nats_server broker;
    auto first = start("edge", folder, {"--server", broker.url()});
    const auto line = serves("edge", *first);
    BOOST_TEST_REQUIRE(line.has_value());
    const held_port other(true);
    for (const auto& taken : {"127.0.0.1:" + std::to_string(port_in(*line)), other.address()})
    {
        const auto refused = run("edge", {"--server", broker.url(), "--listen", taken});
        BOOST_TEST(refused.code == 1);
        BOOST_TEST(refused.lines() == 1, refused.output);
        BOOST_TEST(holds(refused.output, taken + ": the port is taken"), refused.output);
    }
    BOOST_TEST(http(port_in(*line), {"GET", "/services"}).status == 200); // the first edge still serves
}

BOOST_AUTO_TEST_CASE(a_database_that_cannot_be_used_is_named_and_exit_1)
{
    nats_server broker;
    temporary_folder folder;
    auto first = start("reporting", folder, {"--server", broker.url()});
    BOOST_TEST_REQUIRE(serves("reporting", *first).has_value());
    for (const auto& file : {folder.file("reporting.db"), std::string("/nonexistent/reporting.db")})
    {
        const auto refused = run("reporting", {"--server", broker.url(), "--db", file});
        BOOST_TEST(refused.code == 1);
        BOOST_TEST(holds(refused.output, " error marquee-reporting: "), refused.output);
        BOOST_TEST(holds(refused.output, file), refused.output);
    }
}

BOOST_AUTO_TEST_CASE(a_signal_stops_each_program_in_order_with_exit_0)
{
    nats_server broker;
    for (const int number : {SIGTERM, SIGINT})
    {
        temporary_folder folder;
        const auto started = start_all(folder, broker.url());
        for (auto& one : started)
            one->signal(number);
        for (std::size_t i = 0; i < started.size(); ++i)
        {
            BOOST_TEST(started[i]->wait(60s).value_or(-1) == 0, programs[i]);
            BOOST_TEST(started[i]
                           ->wait_for_line(number == SIGINT ? "stopping signal=INT" : "stopping signal=TERM")
                           .has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(sighup_does_not_end_a_program_that_is_connecting)
{
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            held_port silent(true);
            temporary_folder folder;
            auto one = start(name, folder, {"--server", silent.address()});
            BOOST_TEST_REQUIRE(silent.meets_a_client());
            one->signal(SIGHUP);
            BOOST_TEST(one->wait(60s).value_or(-1) == 1); // no broker
            BOOST_TEST(one->wait_for_line("cannot connect to ").has_value());
        }
}

BOOST_AUTO_TEST_CASE(a_program_that_gets_sighup_throughout_its_start_serves)
{
    nats_server broker;
    for (int round = 0; round < 10; ++round)
        for (const auto& name : programs)
            BOOST_TEST_CONTEXT(name << ", round " << round)
            {
                temporary_folder folder;
                auto one = start(name, folder, {"--server", broker.url()}, {{"MARQUEE_LOG", "info"}});
                const auto until = std::chrono::steady_clock::now() + 60s;
                while (!withstands_sighup(*one)) // before main the default action of SIGHUP applies
                    BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < until), "neither blocked nor handled");
                const auto* serving = name == "reporting" ? "caught up" : " ready";
                while (!one->wait_for_line(serving, 1ms) && one->running() && std::chrono::steady_clock::now() < until)
                    one->signal(SIGHUP);
                const auto line = serves(name, *one);
                BOOST_TEST_REQUIRE(line.has_value(), one->output());
                one->signal(SIGHUP);
                if (name == "edge")
                    BOOST_TEST(http(port_in(*line), {"GET", "/healthz"}).status == 200);
                one->signal(SIGTERM);
                BOOST_TEST(one->wait(60s).value_or(-1) == 0, one->output());
            }
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_a_service_that_waits_for_its_broker)
{
    nats_server broker;
    temporary_folder folder;
    for (const std::string name : {"metadata", "cdnurl", "reporting"})
    {
        auto one = start(name, folder, {"--server", broker.url()});
        BOOST_TEST_REQUIRE(serves(name, *one).has_value(), one->output());
        broker.suspend(); // so that the drain has to wait
        one->signal(SIGTERM);
        BOOST_TEST_REQUIRE(one->wait_for_line("stopping").has_value());
        one->signal(SIGTERM);
        BOOST_TEST(one->wait().value_or(-1) == 1, one->output());
        BOOST_TEST(one->wait_for_line("second signal: stopping at once").has_value());
        broker.resume();
    }
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_an_edge_with_a_request_in_flight)
{
    marquee_system::settings with;
    with.start = {"metadata", "edge"};
    with.extra = {{"edge", {"--timeout", "30m", "--drain-timeout", "30m"}}};
    marquee_system marquee(with);
    const wiretap tap(marquee.broker().url());
    marquee.at("metadata").suspend();
    bool answered = false;
    std::thread client(
        [&]
        {
            try
            {
                answered = http(marquee.port(), {"GET", "/content/asset/123"}, 60s).status != 0;
            }
            catch (const boost::system::system_error&) // the connection was closed
            {
            }
        });
    const auto asked = tap.wait_for([](const marquee::message& msg) { return msg.subject == "metadata.get.123"; });
    marquee.at("edge").signal(SIGTERM);
    const auto stopping = marquee.at("edge").wait_for_line("stopping signal=TERM");
    marquee.at("edge").signal(SIGTERM);
    const auto code = marquee.at("edge").wait(); // far less than the drain would take
    if (!code)
        marquee.kill("edge");
    client.join();
    BOOST_TEST(asked.has_value());
    BOOST_TEST(stopping.has_value());
    BOOST_TEST(code.value_or(-1) == 1);
    BOOST_TEST(!answered);
    BOOST_TEST(marquee.at("edge").wait_for_line("second signal: stopping at once").has_value());
}

BOOST_AUTO_TEST_CASE(an_admin_token_file_that_is_missing_or_holds_no_token_is_named_and_exit_2)
{
    temporary_folder folder;
    nats_server broker;
    const auto fifo = folder.file("fifo");
    BOOST_TEST_REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    for (const auto& file :
         {folder.file("missing"), folder.write("empty", ""), folder.write("blank", " \r\n\n"),
          folder.write("short", "x"), folder.write("lines", "one-line-of-a-token\nand-another-line\n"), fifo})
    {
        const auto refused =
            run("edge", {"--listen", "127.0.0.1:0", "--server", broker.url(), "--admin-token-file", file});
        BOOST_TEST(refused.code == 2);
        BOOST_TEST(holds(refused.output, " error marquee-edge: "), refused.output);
        BOOST_TEST(holds(refused.output, file), refused.output);
    }
}

BOOST_AUTO_TEST_CASE(without_an_admin_token_file_changes_are_forbidden)
{
    const admin_edge one({});
    BOOST_TEST(one.put_with("anything") == 403);
    BOOST_TEST(one.put_with("") == 403);
    BOOST_TEST(http(one.port, {"GET", "/content/asset/123"}).status == 200);
}

BOOST_AUTO_TEST_CASE(an_admin_token_is_rotated_while_the_edge_runs)
{
    temporary_folder folder;
    const auto file = folder.write("token", "first-and-long-geheim\n");
    const admin_edge one({"--admin-token-file", file, "--threads", "2"});
    BOOST_TEST(one.put_with("") == 401);
    BOOST_TEST(one.put_with("wrong") == 401);
    BOOST_TEST(one.put_with("first-and-long-geheim") == 200);

    folder.write("token", "second-and-longer-geheim");
    for (int i = 0; i < 8; ++i) // on either thread
    {
        BOOST_TEST(one.put_with("first-and-long-geheim") == 401);
        BOOST_TEST(one.put_with("second-and-longer-geheim") == 200);
    }
    // A file that is removed or emptied changes nothing: the old token stays valid.
    std::filesystem::remove(file);
    BOOST_TEST(one.put_with("second-and-longer-geheim") == 200);
    BOOST_TEST(one.put_with("first-and-long-geheim") == 401);
    folder.write("token", "");
    BOOST_TEST(one.put_with("second-and-longer-geheim") == 200);
    BOOST_TEST(one.put_with("") == 401);
    BOOST_TEST(one.edge->wait_for_line("the previous admin token stays in use").has_value());
    folder.write("token", "third-and-long-geheim");
    BOOST_TEST(one.put_with("second-and-longer-geheim") == 401);
    BOOST_TEST(one.put_with("third-and-long-geheim") == 200);

    BOOST_TEST(!holds(one.edge->output(), "geheim"), one.edge->output());
    BOOST_TEST(!holds(command_line_of(*one.edge), "geheim"));
}

BOOST_AUTO_TEST_SUITE_END()
