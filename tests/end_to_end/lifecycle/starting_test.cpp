// A start logs what it waits for, ends when waiting is useless, and ends at once on SIGTERM.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/stored_headers.hpp"

#include <csignal>
#include <cstdlib>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace marquee::test;

namespace
{

/// A server that accepts connections, as the kernel does by itself, and stays silent.
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

/// A broker without JetStream.
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

/// Before it has logged `unsaid`.
void check_stops(const std::string& name, process& one, std::chrono::seconds limit, const std::string& unsaid)
{
    const auto begin = std::chrono::steady_clock::now();
    one.signal(SIGTERM);
    const auto code = one.wait(std::chrono::seconds(20));
    BOOST_TEST(code.value_or(-1) == 0, name << ":\n" << one.output());
    BOOST_TEST((std::chrono::steady_clock::now() - begin < limit));
    BOOST_TEST(one.wait_for_line("stopping signal=TERM").has_value(), one.output());
    BOOST_TEST(!holds(one.output(), unsaid), one.output());
}

void check_stops_at_once(const std::string& name, process& one)
{
    check_stops(name, one, std::chrono::seconds(2), " ready");
}

template <class Condition>
void require_soon(process& one, Condition holds_now)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds_now())
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < end && one.running()), one.output());
}

/// The number after the first `label` in a JSON text; 0 where there is none.
std::uint64_t read_number(const std::string& json, const std::string& label)
{
    const auto at = json.find(label);
    return at == std::string::npos ? 0 : std::strtoull(json.c_str() + at + label.size(), nullptr, 10);
}

/// Stores message(0) and so on, so many that reading them takes a while; returns how many.
template <class Message>
std::uint64_t store_much(const nats_server& broker, nats_client& client, Message message)
{
    constexpr int messages = 100'000;
    constexpr int at_once = 5'000; // a server drops more than it can buffer
    raw_publisher publisher(broker.port());
    for (int i = 0; i < messages; ++i)
    {
        const auto [to, payload] = message(i);
        if ((i + 1) % at_once != 0)
        {
            publisher.publish(to, "", "", payload);
            continue;
        }
        publisher.flush();
        (void)client.store(to, payload);
    }
    return messages;
}

const std::vector<std::string> services = {"metadata", "cdnurl", "reporting"};

} // namespace

BOOST_AUTO_TEST_SUITE(starting)

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_waits_for_a_silent_server)
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

BOOST_AUTO_TEST_CASE(a_start_skips_a_silent_server_and_logs_it)
{
    const nats_server broker;
    const silent_server silent;
    for (const auto& name : programs)
    {
        // Servers are tried in random order.
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

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_waits_for_a_leader_and_has_logged_it)
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

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_replays_a_long_stream_and_the_next_start_continues_there)
{
    const nats_server broker;
    nats_client client(broker.url());
    (void)client.request("$JS.API.STREAM.CREATE.EVENTS", R"({"name":"EVENTS","subjects":["events"],"discard":"new"})");
    const auto stored = store_much(broker, client, [](int) { return std::pair("events", "a:u"); });
    const auto counted = [&]
    {
        std::uint64_t sequence = 0;
        try
        {
            sequence = read_number(client.request("$SRV.STATS.reporting").data, "\"last_sequence\":");
        }
        catch (const std::exception&) // no reply yet
        {
        }
        return sequence;
    };
    const temporary_folder folder;
    std::uint64_t before = 0;
    {
        const auto one = start("reporting", folder, {"--server", broker.url()});
        require_soon(*one, [&] { return (before = counted()) > 0; });
        // A transaction of 32,768 events is completed first: half a second, more in a debug build.
        check_stops("reporting", *one, std::chrono::seconds(15), "caught up");
    }
    const auto one = start("reporting", folder, {"--server", broker.url()});
    std::uint64_t again = 0;
    require_soon(*one, [&] { return (again = counted()) > 0; });
    BOOST_TEST(again >= before);
    BOOST_TEST_REQUIRE(serves("reporting", *one).has_value(), one->output());
    BOOST_TEST(read_number(client.request("reporting.asset.a").data, "\"views\":") == stored);
}

BOOST_AUTO_TEST_CASE(sigterm_ends_a_start_that_reads_a_long_bucket)
{
    const nats_server broker;
    nats_client client(broker.url());
    (void)client.request(
        "$JS.API.STREAM.CREATE.KV_metadata",
        R"({"name":"KV_metadata","subjects":["$KV.metadata.>"],"discard":"new","max_msgs_per_subject":1,
                         "allow_rollup_hdrs":true,"allow_direct":true})");
    const auto record = [](int number)
    {
        const auto key = "k-" + std::to_string(number);
        return std::pair("$KV.metadata." + key, R"({"id":")" + key + R"(","title":"t","genre":"g","summary":"s"})");
    };
    const auto stored = store_much(broker, client, record);
    const temporary_folder folder;
    {
        const auto one = start("metadata", folder, {"--server", broker.url()});
        require_soon(
            *one,
            [&] { return read_number(client.request("$JS.API.CONSUMER.NAMES.KV_metadata").data, "\"total\":") > 0; });
        check_stops_at_once("metadata", *one);
    }
    const auto one = start("metadata", folder, {"--server", broker.url()});
    BOOST_TEST_REQUIRE(serves("metadata", *one).has_value(), one->output());
    const auto last = "k-" + std::to_string(stored - 1);
    BOOST_TEST(holds(client.request("metadata.get." + last).data, "\"id\":\"" + last + '"'));
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
                BOOST_TEST((holds(one.output, "JetStream, which is not enabled") ||
                            holds(one.output, "etstream not enabled") || holds(one.output, "etStream not enabled")),
                           one.output);
            }
}

BOOST_AUTO_TEST_CASE(a_subscription_that_the_broker_refuses_ends_a_start_and_is_named)
{
    const nats_server broker(R"(authorization { users: [
        { user: inbox, password: x, permissions: { publish: ">", subscribe: ["metadata.>", "cdnurl.>", "reporting.>", "$SRV.>"] } },
        { user: service, password: x, permissions: { publish: ">", subscribe: ["_INBOX.>", "$SRV.>"] } },
        { user: monitoring, password: x, permissions: { publish: ">", subscribe: { deny: ["$SRV.STATS"] } } } ] })");
    const auto as = [&](const std::string& user)
    { return "nats://" + user + ":x@127.0.0.1:" + std::to_string(broker.port()); };
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

BOOST_AUTO_TEST_CASE(a_refused_start_logs_the_reason_of_the_server_or_openssl)
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
        made(new_key + "-subj /CN=" + name + " -keyout " + folder.file(name + ".key") + " -out " +
             folder.file(name + ".csr"));
        made("openssl x509 -req -days 2 -in " + folder.file(name + ".csr") + " -CA " + ca + " -CAkey " +
             folder.file("ca.key") + " -CAcreateserial -extfile " + extensions + " -out " + folder.file(name + ".pem"));
    };
    certify("server", "DNS:elsewhere.example");
    certify("local", "IP:127.0.0.1");
    const auto tls = [&](const std::string& name) {
        return "tls { cert_file: \"" + folder.file(name + ".pem") + "\", key_file: \"" + folder.file(name + ".key") +
               "\"";
    };
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
