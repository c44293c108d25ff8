// What a start waits for is said, what is in vain ends it, and SIGTERM ends it at once.
#include "tests/end_to_end/programs.hpp"

#include <csignal>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace marquee::test;

namespace
{

/// Takes connections, as the kernel does by itself, and says nothing.
class silent_server
{
public:
    silent_server()
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        BOOST_TEST_REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&at), size) == 0);
        BOOST_TEST_REQUIRE(::listen(socket_, 64) == 0);
        BOOST_TEST_REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
        port_ = ntohs(at.sin_port);
    }
    ~silent_server() { ::close(socket_); }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;

    /// Waits for a client; it is kept until the process ends.
    void await_client() const { BOOST_TEST_REQUIRE(::accept(socket_, nullptr, nullptr) >= 0); }

    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port_ = 0;
};

/// A broker that was never told of JetStream.
class plain_server
{
public:
    plain_server() : process_(nats_server_path(), {"--addr", "127.0.0.1", "--port", "-1"})
    {
        const auto line = process_.wait_for_line("Listening for client connections on ");
        BOOST_TEST_REQUIRE(line.has_value(), process_.output());
        port_ = line->substr(line->rfind(':') + 1);
        BOOST_TEST_REQUIRE(process_.wait_for_line("Server is ready").has_value());
    }
    [[nodiscard]] std::string url() const { return "nats://127.0.0.1:" + port_; }

private:
    process process_;
    std::string port_;
};

void check_stops_at_once(const std::string& name, process& one)
{
    const auto begin = std::chrono::steady_clock::now();
    one.signal(SIGTERM);
    const auto code = one.wait(std::chrono::seconds(20));
    BOOST_TEST(code.value_or(-1) == 0, name << ":\n" << one.output());
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
    BOOST_TEST(one.wait_for_line("stopping signal=TERM").has_value(), one.output());
    BOOST_TEST(!holds(one.output(), " ready"));
}

const std::vector<std::string> services = {"metadata", "cdnurl", "reporting"};

} // namespace

BOOST_AUTO_TEST_SUITE(starting)

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_waits_for_a_server_that_says_nothing)
{
    for (const auto& name : programs)
    {
        const temporary_folder folder;
        const silent_server silent;
        const auto one = start(name, folder, {"--server", silent.url()});
        silent.await_client();
        check_stops_at_once(name, *one);
    }
}

BOOST_AUTO_TEST_CASE(a_start_passes_a_server_that_says_nothing_and_says_so)
{
    const nats_server broker;
    const silent_server silent;
    for (const auto& name : programs)
    {
        // The order of servers is one of chance.
        for (int left = 20;; --left)
        {
            const temporary_folder folder;
            const auto one = start(name, folder, {"--server", silent.url() + ',' + broker.url()});
            BOOST_TEST_REQUIRE(serves(name, *one).has_value(), one->output());
            if (name == "edge" || left == 0 || holds(one->output(), "trying the next"))
            {
                BOOST_TEST(left > 0);
                break;
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_waits_for_a_leader_and_has_said_so)
{
    const nats_server broker(
        "server_name: alone\ncluster { name: c, listen: \"127.0.0.1:-1\", routes: [\"nats://127.0.0.1:1\"] }");
    for (const auto& name : services)
    {
        const temporary_folder folder;
        const auto one = start(name, folder, {"--server", broker.url()});
        const auto line = one->wait_for_line("waiting for JetStream");
        BOOST_TEST_REQUIRE(line.has_value(), one->output());
        BOOST_TEST(holds(*line, name == "reporting" ? "stream EVENTS" : "bucket " + name), *line);
        check_stops_at_once(name, *one);
    }
}

BOOST_AUTO_TEST_CASE(a_broker_or_an_account_without_jetstream_ends_a_start_at_once_with_that_reason)
{
    const plain_server plain;
    const nats_server accounts(
        "accounts { A { users: [ { user: a, password: a } ] }, J { jetstream: enabled, users: [ { user: j, "
        "password: j } ] } }");
    const std::string urls[] = {plain.url(), "nats://a:a@127.0.0.1:" + std::to_string(accounts.port())};
    for (const auto& url : urls)
        for (const auto& name : services)
            BOOST_TEST_CONTEXT(name << ' ' << url)
            {
                const temporary_folder folder;
                const auto begin = std::chrono::steady_clock::now();
                const auto one = run(name, in_folder(name, folder, {"--server", url}));
                BOOST_TEST(one.code == 1);
                BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
                BOOST_TEST((holds(one.output, "JetStream, which is not enabled") || holds(one.output, "etstream not enabled") ||
                            holds(one.output, "etStream not enabled")),
                           one.output);
            }
}

BOOST_AUTO_TEST_CASE(a_subscription_that_the_broker_refuses_ends_a_start_and_is_named)
{
    const nats_server broker(R"(authorization { users: [
        { user: inbox, password: x, permissions: { publish: ">", subscribe: ["metadata.>", "cdnurl.>", "reporting.>", "$SRV.>"] } },
        { user: service, password: x, permissions: { publish: ">", subscribe: ["_INBOX.>", "$SRV.>"] } },
        { user: monitoring, password: x, permissions: { publish: ">", subscribe: { deny: ["$SRV.STATS"] } } } ] })");
    const auto as = [&](const std::string& user) { return "nats://" + user + ":x@127.0.0.1:" + std::to_string(broker.port()); };
    struct row
    {
        std::string program;
        std::string user;
        std::string subject;
    };
    const row rows[] = {
        {"edge", "inbox", "_INBOX."},           {"metadata", "inbox", "_INBOX."},
        {"reporting", "inbox", "_INBOX."},      {"metadata", "service", "metadata."},
        {"cdnurl", "service", "cdnurl."},       {"metadata", "monitoring", "$SRV.STATS"},
        {"cdnurl", "monitoring", "$SRV.STATS"}, {"reporting", "monitoring", "$SRV.STATS"},
    };
    for (const auto& r : rows)
        BOOST_TEST_CONTEXT(r.program << " as " << r.user)
        {
            const temporary_folder folder;
            const auto one = run(r.program, in_folder(r.program, folder, {"--server", as(r.user)}));
            BOOST_TEST(one.code == 1);
            BOOST_TEST(holds(one.output, "the broker refuses the subscription to \\\"" + r.subject), one.output);
            BOOST_TEST(!holds(one.output, " ready"), one.output);
        }
}

BOOST_AUTO_TEST_CASE(a_start_that_is_turned_away_says_what_the_server_or_openssl_said)
{
    const temporary_folder folder;
    const auto ca = folder.file("ca.pem");
    const std::string new_key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    const auto made = [&](const std::string& command)
    { BOOST_TEST_REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0, command); };
    const auto authority = [&](const std::string& name)
    {
        made(new_key + "-x509 -days 2 -subj /CN=" + name + " -keyout " + folder.file(name + ".key") + " -out " +
             folder.file(name + ".pem"));
    };
    authority("ca");
    authority("stranger");
    const auto certify = [&](const std::string& name, const std::string& names)
    {
        const auto extensions = folder.write("ext", "subjectAltName=" + names + "\n");
        made(new_key + "-subj /CN=" + name + " -keyout " + folder.file(name + ".key") + " -out " + folder.file(name + ".csr"));
        made("openssl x509 -req -days 2 -in " + folder.file(name + ".csr") + " -CA " + ca + " -CAkey " + folder.file("ca.key") +
             " -CAcreateserial -extfile " + extensions + " -out " + folder.file(name + ".pem"));
    };
    certify("server", "DNS:elsewhere.example");
    certify("local", "IP:127.0.0.1");
    const auto tls = [&](const std::string& name)
    { return "tls { cert_file: \"" + folder.file(name + ".pem") + "\", key_file: \"" + folder.file(name + ".key") + "\""; };
    const nats_server wrong_name(tls("server") + " }");
    const nats_server wants_certificate(tls("local") + ", ca_file: \"" + ca + "\", verify: true }");
    const nats_server password("authorization { user: joe, password: geheim }");
    const auto empty_creds = folder.write("user.creds", "nothing of the kind\n");

    struct row
    {
        const char* what;
        words arguments;
        std::string said;
    };
    const row rows[] = {
        {"password", {"--server", password.url(), "--user", "joe", "--password", "x"}, "Authorization Violation"},
        {"no tls", {"--server", password.url(), "--tlsca", ca}, "the server offers no TLS"},
        {"authority",
         {"--server", wants_certificate.url(), "--tlsca", folder.file("stranger.pem")},
         "unable to get local issuer certificate"},
        {"name", {"--server", wrong_name.url(), "--tlsca", ca}, "mismatch"},
        {"client certificate", {"--server", wants_certificate.url(), "--tlsca", ca}, "certificate required"},
        {"credentials", {"--server", password.url(), "--creds", empty_creds}, "no nkey user seed found"},
        {"refused", {"--server", "nats://127.0.0.1:1"}, "Connection refused"},
        {"unknown name", {"--server", "nats://nowhere.invalid"}, "its name cannot be resolved"},
    };
    for (const auto& r : rows)
        BOOST_TEST_CONTEXT(r.what)
        {
            const temporary_folder own;
            const auto one = run("metadata", in_folder("metadata", own, r.arguments));
            BOOST_TEST(one.code == 1);
            BOOST_TEST(one.lines() == 1, one.output);
            BOOST_TEST(holds(one.output, r.said), one.output);
        }
}

BOOST_AUTO_TEST_SUITE_END()
