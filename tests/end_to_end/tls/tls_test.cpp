// HTTPS through the real processes: what is spoken, what is refused, and how certificates change.
#include "tests/end_to_end/kit.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/tls_client.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

#include <poll.h>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const certificate_authority& authority()
{
    static const certificate_authority made;
    return made;
}

const temporary_folder& folder()
{
    static const temporary_folder made;
    return made;
}

/// The edges that read these files again: `edge` and `edge-rsa`.
void write_pair(const std::string& name, const certified_key& pair)
{
    folder().write(name + ".pem", pair.pem());
    folder().write(name + ".key", pair.key_pem());
}

marquee_system::arguments files(const std::string& name)
{
    return {"--tls-cert", folder().file(name + ".pem"), "--tls-key", folder().file(name + ".key")};
}

marquee_system::settings over_tls()
{
    write_pair("ec", authority().issue());
    write_pair("rsa", authority().issue({.kind = "RSA", .bits = 2048}));
    write_pair("late", authority().issue({.from = -7200, .until = -3600}));
    marquee_system::settings with;
    with.start.insert(with.start.end(), {"edge-rsa", "edge-times", "edge-few", "edge-late"});
    with.extra["edge"] = files("ec");
    with.extra["edge"].insert(with.extra["edge"].end(), {"--threads", "2"});
    with.extra["edge-rsa"] = files("rsa");
    with.extra["edge-late"] = files("late");
    with.extra["edge-times"] = files("ec");
    with.extra["edge-times"].insert(
        with.extra["edge-times"].end(),
        {"--handshake-timeout", "1s", "--header-timeout", "1s", "--idle-timeout", "1s", "--write-timeout", "1s"});
    with.extra["edge-few"] = files("ec");
    with.extra["edge-few"].insert(with.extra["edge-few"].end(), {"--max-connections", "2"});
    return with;
}

using shared = shared_system<over_tls>;

int port(const std::string& edge = "edge") { return shared::system->port(edge); }

tls_settings trusting(tls_settings wanted = {})
{
    wanted.trusted = authority().pem();
    return wanted;
}

const std::string healthz_request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string last = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Everything that comes back until the edge closes, which it does with a goodbye.
std::vector<http_answer> exchange(const std::string& bytes, const std::string& edge = "edge")
{
    tls_connection link(port(edge), trusting());
    BOOST_TEST(link.send(bytes), link.failure());
    BOOST_TEST_REQUIRE(link.wait_for_end());
    BOOST_TEST(link.got_close_notify(), link.failure());
    return answers_in(link.received());
}

void check_works(const std::string& edge = "edge")
{
    const auto answers = exchange(last, edge);
    BOOST_TEST_REQUIRE(answers.size() == 1U);
    BOOST_TEST(answers[0].status == 200);
}

std::string play_by(const std::string& user, const std::string& more = {})
{
    return "POST /play/asset/123/user/" + user + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_play_is_answered_over_tls_1_3_and_1_2_with_ec_and_rsa_keys)
{
    int views = 0;
    for (const std::string edge : {"edge", "edge-rsa"})
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
        {
            tls_connection link(port(edge), trusting({.lowest = version, .highest = version}));
            BOOST_TEST_REQUIRE(link.handshake(), link.failure());
            BOOST_TEST(link.version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
            BOOST_TEST(link.protocol() == "http/1.1");
            link.send(play_by("tls", "Connection: close\r\n"));
            BOOST_TEST(link.wait_for_end());
            BOOST_TEST(link.got_close_notify());
            const auto answers = answers_in(link.received());
            BOOST_TEST_REQUIRE(answers.size() == 1U);
            BOOST_TEST(answers[0].status == 200);
            BOOST_TEST(answers[0].number("userviews") == ++views);
        }
}

BOOST_AUTO_TEST_CASE(old_versions_weak_ciphers_and_other_protocols_are_refused)
{
    const std::pair<const char*, tls_settings> table[] = {
        {"TLS 1.1", {.highest = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}},
        {"TLS 1.0", {.highest = TLS1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}},
        {"no forward secrecy",
         {.highest = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA"}},
        {"no authenticated encryption",
         {.highest = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA"}},
        {"no authentication", {.highest = TLS1_2_VERSION, .ciphers = "aNULL:@SECLEVEL=0"}},
        {"no encryption", {.highest = TLS1_2_VERSION, .ciphers = "eNULL:@SECLEVEL=0"}},
        {"DHE", {.highest = TLS1_2_VERSION, .ciphers = "DHE"}},
        {"HTTP/2 alone", {.protocols = {"h2"}}},
        {"SPDY alone", {.protocols = {"spdy/3.1", "http/1.0"}}},
    };
    for (const std::string edge : {"edge", "edge-rsa"})
        for (const auto& [name, wanted] : table)
            BOOST_TEST_CONTEXT(name << " at " << edge)
            {
                tls_connection link(port(edge), trusting(wanted));
                BOOST_TEST(!link.handshake());
                BOOST_TEST(link.failure().find("alert") != std::string::npos, link.failure());
            }
    for (const std::vector<std::string>& offered : {std::vector<std::string>{}, {"h2", "http/1.1"}})
    {
        tls_connection link(port(), trusting({.protocols = offered}));
        BOOST_TEST(link.handshake(), link.failure());
        BOOST_TEST(link.protocol() == (offered.empty() ? "" : "http/1.1"));
    }
}

BOOST_AUTO_TEST_CASE(a_client_may_not_renegotiate_and_may_resume_on_any_thread)
{
    {
        tls_connection link(port(), trusting({.highest = TLS1_2_VERSION}));
        BOOST_TEST(link.handshake());
        BOOST_TEST(!link.renegotiate());
    }
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    {
        tls_connection first(port(), trusting({.lowest = version, .highest = version}));
        first.send(last);
        BOOST_TEST(first.wait_for_end());
        for (int i = 0; i < 8; ++i) // the kernel chooses the thread
        {
            tls_connection again(port(), trusting({.lowest = version, .highest = version, .session = first.session()}));
            BOOST_TEST(again.handshake());
            BOOST_TEST(again.resumed());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_and_pipelined_requests_are_answered_in_order)
{
    tls_connection link(port(), trusting());
    for (int i = 1; i <= 3; ++i)
    {
        link.send(play_by("kept"));
        BOOST_TEST(link.wait_for("\"userviews\":" + std::to_string(i)));
    }
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "GET /content/asset/123 HTTP/1.1\r\nHost: a\r\nX-Request-ID: " + std::to_string(i) + "\r\n\r\n";
    const auto answers = exchange(many + last);
    BOOST_TEST_REQUIRE(answers.size() == 101U);
    for (std::size_t i = 0; i < 100; ++i)
        BOOST_TEST(answers[i].header("X-Request-ID") == std::to_string(i));
}

BOOST_AUTO_TEST_CASE(large_bodies_arrive_whole_in_both_directions)
{
    const std::string summary(16'000, 's');
    const auto body = R"({"title":"T","genre":"g","summary":")" + summary + "\"}";
    const auto authorization = "Authorization: Bearer " + shared::system->admin_token() + "\r\n";
    const std::string post = "POST /content/asset/large HTTP/1.1\r\nHost: a\r\n" + authorization;
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += 1000)
    {
        const auto part = body.substr(at, 1000);
        char size[16];
        (void)std::snprintf(size, sizeof size, "%zx\r\n", part.size());
        chunks += size + part + "\r\n";
    }
    const auto answers = exchange(post + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body + post +
                                  "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n" +
                                  "GET /content/asset/large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    BOOST_TEST_REQUIRE(answers.size() == 3U);
    BOOST_TEST(answers[0].status == 200);
    BOOST_TEST(answers[1].status == 200);
    BOOST_TEST(answers[2].text("summary") == summary);

    const auto over = exchange(post + "Content-Length: 9999999\r\n\r\n" + std::string(200'000, 'x'));
    BOOST_TEST_REQUIRE(over.size() == 1U);
    check_problem(over[0], 413, "payload_too_large");
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_handshake_is_closed)
{
    std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
    const std::pair<const char*, std::string> table[] = {
        {"plain HTTP", last},
        {"a play", play_by("nobody")},
        {"SSH", "SSH-2.0-OpenSSH_9.2\r\n"},
        {"zeros", std::string(1000, '\0')},
        {"ones", std::string(1000, '\xff')},
        {"SSL 2", std::string("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 11) + std::string(40, 'x')},
        {"a record too long", std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x')},
        {"a hello of nonsense", hello + std::string(600, 'x')},
        {"an alert", std::string("\x15\x03\x03\x00\x02\x02\x28", 7)},
        {"data before the handshake", std::string("\x17\x03\x03\x00\x05hello", 10)},
    };
    for (const auto& [name, bytes] : table)
        BOOST_TEST_CONTEXT(name)
        {
            raw_connection link(port("edge-times"));
            link.send(bytes);
            BOOST_TEST(link.wait_for_end());
            BOOST_TEST(link.received().find("HTTP/1.1 200") == std::string::npos);
            BOOST_TEST(link.received().size() < 100U); // an alert at most
        }
    for (std::size_t size = 0; size <= hello.size(); ++size) // half a handshake, and gone
    {
        raw_connection link(port("edge-times"));
        link.send(hello.substr(0, size));
        link.shut_down();
        BOOST_TEST(link.wait_for_end());
    }
    BOOST_TEST(exchange("GET /events/user/nobody HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[0].status == 404);
    check_works("edge-times");
}

BOOST_AUTO_TEST_CASE(a_slow_handshake_or_an_idle_connection_is_closed)
{
    raw_connection silent(port("edge-times"));
    raw_connection half(port("edge-times"));
    half.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
    raw_connection drip(port("edge-times"));
    std::size_t sent = 0;
    const auto hello = std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11);
    for (; drip.send(sent < hello.size() ? hello.substr(sent, 1) : "x") && sent < 600; ++sent)
        if (drip.wait_for("nothing comes", 50ms))
            break; // closed
    BOOST_TEST(sent < 600U);
    for (auto* each : {&silent, &half, &drip})
    {
        BOOST_TEST(each->wait_for_end());
        BOOST_TEST(each->received() == "");
    }

    tls_connection slow(port("edge-times"), trusting());
    slow.send("GET /healthz HTTP/1.1\r\nHo");
    BOOST_TEST(slow.wait_for_end());
    BOOST_TEST(slow.got_close_notify());
    const auto answers = answers_in(slow.received());
    BOOST_TEST_REQUIRE(answers.size() == 1U);
    check_problem(answers[0], 408, "request_timeout");

    tls_connection idle(port("edge-times"), trusting());
    idle.send(healthz_request);
    BOOST_TEST(idle.wait_for_end());
    BOOST_TEST(idle.got_close_notify());
    BOOST_TEST(answers_in(idle.received()).size() == 1U);
    check_works("edge-times");
}

BOOST_AUTO_TEST_CASE(a_client_that_never_reads_is_disconnected)
{
    const auto body = R"({"title":"T","genre":"g","summary":")" + std::string(16'000, 's') + "\"}";
    const auto made = exchange(
        "POST /content/asset/long HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + shared::system->admin_token() +
            "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body,
        "edge-times");
    BOOST_TEST_REQUIRE(made.size() == 1U);
    BOOST_TEST(made[0].status == 200);
    std::string many;
    for (int i = 0; i < 900; ++i) // 14 MB of answers, far more than sockets hold
        many += "GET /content/asset/long HTTP/1.1\r\nHost: a\r\n\r\n";
    tls_connection deaf(port("edge-times"), trusting());
    deaf.send(many);
    BOOST_TEST(deaf.wait_for("HTTP/1.1 200 OK")); // and no more
    pollfd gone{deaf.descriptor(), 0, 0};         // the edge has closed with requests unread
    BOOST_TEST(::poll(&gone, 1, 60'000) == 1);
    BOOST_TEST((gone.revents & (POLLHUP | POLLERR)) != 0);
    check_works("edge-times");
}

BOOST_AUTO_TEST_CASE(connections_over_the_limit_are_closed_and_handshakes_count_as_connections)
{
    auto first = std::make_unique<tls_connection>(port("edge-few"), trusting());
    BOOST_TEST(first->handshake());
    auto silent = std::make_unique<raw_connection>(port("edge-few"));
    {
        tls_connection third(port("edge-few"), trusting());
        BOOST_TEST(!third.handshake());
        BOOST_TEST(third.received() == "");
    }
    silent.reset();
    const auto until = std::chrono::steady_clock::now() + 30s;
    for (bool let_in = false; !let_in;) // as soon as the edge has noticed
    {
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < until));
        tls_connection again(port("edge-few"), trusting());
        let_in = again.handshake();
    }
    first->send(last);
    BOOST_TEST(first->wait_for("200 OK"));
}

BOOST_AUTO_TEST_CASE(sighup_reloads_the_certificate_and_connections_stay_open)
{
    auto& edge = shared::system->at("edge");
    tls_connection before(port(), trusting());
    before.send(healthz_request);
    BOOST_TEST(before.wait_for("200 OK"));
    BOOST_TEST(before.subject() == "localhost");

    write_pair("ec", authority().issue({.name = "second"}));
    edge.signal(SIGHUP);
    BOOST_TEST(edge.wait_for_line("TLS certificate read again").has_value());
    for (int i = 0; i < 8; ++i) // on every thread
    {
        tls_connection after(port(), trusting());
        BOOST_TEST(after.handshake(), after.failure());
        BOOST_TEST(after.subject() == "second");
    }
    before.send(last);
    BOOST_TEST(before.wait_for_end());
    BOOST_TEST(answers_in(before.received()).size() == 2U);
    BOOST_TEST(before.got_close_notify());
}

BOOST_AUTO_TEST_CASE(a_sighup_between_the_first_reading_and_ready_is_handled_afterwards)
{
    nats_server broker;
    const temporary_folder own;
    const auto first = authority().issue({.name = "first"});
    const auto second = authority().issue({.name = "second"});
    const auto certificate = own.write("cert.pem", first.pem());
    const auto key = own.write("key.pem", first.key_pem());
    std::filesystem::permissions(key, std::filesystem::perms(0644)); // it is warned of once it is open
    broker.suspend();                                                // so the edge waits for it
    auto edge = start("edge", own, {"--server", broker.url(), "--tls-cert", certificate, "--tls-key", key},
                      {{"MARQUEE_LOG", "info"}});
    BOOST_TEST_REQUIRE(edge->wait_for_line("a file with a secret").has_value(), edge->output());
    own.write("cert.pem", second.pem());
    own.write("key.pem", second.key_pem());
    edge->signal(SIGHUP);
    broker.resume();
    const auto line = serves("edge", *edge);
    BOOST_TEST_REQUIRE(line.has_value(), edge->output());
    BOOST_TEST(edge->wait_for_line("TLS certificate read again").has_value(), edge->output());
    tls_connection link(port_in(*line), trusting());
    BOOST_TEST(link.handshake(), link.failure());
    BOOST_TEST(link.subject() == "second");
}

BOOST_AUTO_TEST_CASE(new_files_that_cannot_be_used_leave_the_previous_certificate_in_use)
{
    auto& edge = shared::system->at("edge-rsa");
    const auto pair = authority().issue({.name = "broken"});
    const auto other = authority().issue();
    const std::tuple<const char*, std::string, std::string> table[] = {
        {"does not fit the certificate", pair.pem(), other.key_pem()},
        {"is no certificate in PEM", "nothing", pair.key_pem()},
        {"is not all certificates in PEM",
         pair.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", pair.key_pem()},
        {"is no private key in PEM without a password", pair.pem(), pair.encrypted_key_pem()},
    };
    for (const auto& [why, certificate, key] : table)
        BOOST_TEST_CONTEXT(why)
        {
            folder().write("rsa.pem", certificate);
            folder().write("rsa.key", key);
            edge.signal(SIGHUP);
            const auto line = edge.wait_for_line(why);
            BOOST_TEST_REQUIRE(line.has_value(), edge.output());
            BOOST_TEST(holds(*line, " error marquee-edge: the previous TLS certificate stays in use"));
            tls_connection link(port("edge-rsa"), trusting());
            BOOST_TEST(link.handshake());
            BOOST_TEST(link.subject() == "localhost");
        }
    write_pair("rsa", authority().issue({.name = "mended"}));
    edge.signal(SIGHUP);
    BOOST_TEST(edge.wait_for_line("read again").has_value());
    tls_connection link(port("edge-rsa"), trusting());
    BOOST_TEST(link.handshake());
    BOOST_TEST(link.subject() == "mended");
}

BOOST_AUTO_TEST_CASE(an_expired_certificate_is_served_with_a_warning)
{
    BOOST_TEST(shared::system->at("edge-late")
                   .wait_for_line("warning marquee-edge: the TLS certificate has expired")
                   .has_value());
    tls_connection strict(port("edge-late"), trusting());
    BOOST_TEST(!strict.handshake());
    tls_connection lenient(port("edge-late"));
    BOOST_TEST(lenient.handshake());
}

BOOST_AUTO_TEST_CASE(an_edge_that_stops_answers_over_tls_what_it_accepted)
{
    auto& system = *shared::system;
    tls_connection idle(port("edge-late"));
    idle.send(healthz_request);
    BOOST_TEST(idle.wait_for("200 OK"));
    tls_connection busy(port("edge-late"));
    busy.send(
        "POST /play/asset/123/user/9 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{"); // its end is still to come
    raw_connection shaking(port("edge-late"));
    shaking.send(std::string("\x16\x03\x01", 3));
    BOOST_TEST(busy.handshake());
    system.at("edge-late").signal(SIGTERM);
    BOOST_TEST(system.at("edge-late").wait_for_line(": stopping").has_value());
    busy.send("}");
    BOOST_TEST(busy.wait_for_end());
    const auto answers = answers_in(busy.received());
    BOOST_TEST_REQUIRE(answers.size() == 1U);
    BOOST_TEST(answers[0].status == 200);
    BOOST_TEST(answers[0].header("Connection") == "close");
    BOOST_TEST(idle.wait_for_end());
    BOOST_TEST(idle.got_close_notify());
    BOOST_TEST(shaking.wait_for_end());
    BOOST_TEST(system.at("edge-late").wait(30s).value_or(-1) == 0);
    check_works();
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used_at_the_start_are_wrong_usage)
{
    const auto pair = authority().issue();
    const auto weak = authority().issue({.kind = "RSA", .bits = 1024});
    const auto& own = folder();
    const auto certificate = own.write("good.pem", pair.pem());
    const auto key = own.write("good.key", pair.key_pem());
    const std::pair<words, const char*> table[] = {
        {{"--tls-cert", certificate}, "--tls-cert and --tls-key are needed together"},
        {{"--tls-key", key}, "--tls-cert and --tls-key are needed together"},
        {{"--tls-cert", own.file("none"), "--tls-key", key}, "the TLS certificate: cannot read the file"},
        {{"--tls-cert", certificate, "--tls-key", own.file("none")}, "the TLS key: cannot read the file"},
        {{"--tls-cert", key, "--tls-key", key}, "is no certificate in PEM"},
        {{"--tls-cert", certificate, "--tls-key", certificate}, "is no private key in PEM"},
        {{"--tls-cert", certificate, "--tls-key", own.write("other.key", weak.key_pem())},
         "does not fit the certificate"},
        {{"--tls-cert", own.write("weak.pem", weak.pem()), "--tls-key", own.file("other.key")}, "key too small"},
        {{"--tls-cert", certificate, "--tls-key", own.write("locked.key", pair.encrypted_key_pem())},
         "without a password"},
    };
    for (const auto& [arguments, why] : table)
        BOOST_TEST_CONTEXT(why)
        {
            const auto outcome = run("edge", in_folder("edge", own, arguments));
            BOOST_TEST(outcome.code == 2);
            BOOST_TEST(holds(outcome.output, why), outcome.output);
            BOOST_TEST(outcome.lines() == 1);
        }
}

BOOST_AUTO_TEST_SUITE_END()
