// Servers that take a connection and never make a link of it, each before a healthy one: bounded,
// and no thread, socket or processor time is left to them.
#include "broker/nats/connect_attempt.hpp"
#include "tests/integration/broker_fixture.hpp"
#include "tests/integration/nats/scripted_broker.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <time.h>

namespace
{

using namespace marquee;
using namespace marquee::test;

/// What is measured is dearer under a sanitizer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int times_dearer = 5;
#else
constexpr int times_dearer = 1;
#endif

/// Of an attempt to connect; a sound server needs much less of it.
constexpr auto attempt = times_dearer > 1 ? 700ms : 400ms;

struct dead_server
{
    const char* name;
    scripted_broker::script play;
    bool secure = false;
    bool floods = false;
};

const std::string tls_info = info_line(R"(,"tls_required":true)");

const std::string ping = "PING\r\n";

/// Says INFO and hears the client's first words, through TLS or not.
void greet(scripted_client& c, bool secure)
{
    c.say(secure ? tls_info : info_line());
    if (secure)
        c.shake_hands();
    (void)c.hear(ping);
}

std::chrono::nanoseconds time_of_thread()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::atomic<std::int64_t> flooding{0}; ///< nanoseconds of the processor that the floods themselves used

void flood(scripted_client& c, const std::string& with)
{
    for (auto before = time_of_thread(); !c.ended();)
    {
        c.say(with);
        const auto now = time_of_thread();
        flooding += (now - before).count();
        before = now;
    }
}

const dead_server dead_servers[] = {
    {"says nothing", [](auto& c) { c.wait_for_end(); }},
    {"ends at once", [](auto&) {}},
    {"resets at once", [](auto& c) { c.reset(); }},
    {"says half an INFO", [](auto& c) { c.say(R"(INFO {"server_id":"S")"), c.wait_for_end(); }},
    {"says half an INFO and ends", [](auto& c) { c.say(R"(INFO {"server_id":"S")"); }},
    {"says an INFO that is no JSON", [](auto& c) { c.say("INFO {\"server_id\":\r\n"), c.wait_for_end(); }},
    {"is no broker", [](auto& c) { c.say("HTTP/1.1 400 Bad Request\r\n\r\n"), c.wait_for_end(); }},
    {"floods without a line", [](auto& c) { flood(c, std::string(1024, 'x')); }, false, true},
    {"says INFO and nothing", [](auto& c) { c.say(info_line()), c.wait_for_end(); }},
    {"says INFO and ends", [](auto& c) { c.say(info_line()); }},
    {"says INFO and resets", [](auto& c) { c.say(info_line()), c.hear(ping), c.reset(); }},
    {"hears PING and says nothing", [](auto& c) { greet(c, false), c.wait_for_end(); }},
    {"hears PING and ends", [](auto& c) { greet(c, false); }},
    {"answers PING with half a PONG", [](auto& c) { greet(c, false), c.say("PO"), c.wait_for_end(); }},
    {"answers PING with a flood without a line", [](auto& c) { greet(c, false), flood(c, "x"); }, false, true},
    {"answers PING with an error", [](auto& c) { greet(c, false), c.say("-ERR 'Maximum Connections Exceeded'\r\n"); }},
    {"answers PING with something else", [](auto& c) { greet(c, false), c.say("PANG\r\n"), c.wait_for_end(); }},
    {"shakes no hands", [](auto& c) { c.say(tls_info), c.wait_for_end(); }, true},
    {"ends instead of shaking hands", [](auto& c) { c.say(tls_info), c.hear("\x16"); }, true},
    {"resets instead of shaking hands", [](auto& c) { c.say(tls_info), c.hear("\x16"), c.reset(); }, true},
    {"answers a handshake with rubbish", [](auto& c) { c.say(tls_info), c.say_raw("rubbish\r\n"), c.wait_for_end(); },
     true},
    {"shakes hands and says nothing", [](auto& c) { greet(c, true), c.wait_for_end(); }, true},
    {"shakes hands and ends", [](auto& c) { c.say(tls_info), c.shake_hands(); }, true},
    {"shakes hands and resets", [](auto& c) { greet(c, true), c.reset(); }, true},
    {"shakes hands and then breaks TLS",
     [](auto& c) { greet(c, true), c.say_raw(std::string(64, '\x17')), c.wait_for_end(); }, true},
    {"shakes hands and floods without a line", [](auto& c) { greet(c, true), flood(c, "x"); }, true, true},
};

/// Without what the floods used.
std::chrono::nanoseconds processor_time()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec) -
           std::chrono::nanoseconds(flooding);
}

struct link_fixture
{
    link_fixture()
    {
        std::ofstream(ca_file) << authority.pem();
        ::setenv("SSL_CERT_FILE", ca_file.c_str(), 1); // else each attempt reads all authorities of the system first
    }
    ~link_fixture()
    {
        ::unsetenv("SSL_CERT_FILE");
        std::filesystem::remove(ca_file);
    }

    connection_options to(const std::vector<const scripted_broker*>& servers, bool secure) const
    {
        connection_options o;
        o.servers.clear();
        for (const auto* each : servers)
            o.servers.push_back(each->url());
        o.connect_timeout = attempt;
        o.reconnect_wait = o.reconnect_jitter = 10ms;
        o.ping_interval = 10s;
        if (secure)
            o.tls_ca_file = ca_file;
        return o;
    }

    const certificate_authority authority;
    const certified_key certified = authority.issue();
    const std::string ca_file = std::filesystem::temp_directory_path() / ("marquee_ca_" + std::to_string(::getpid()));
    std::string connect; ///< what the healthy server was told last

    scripted_broker::script healthy(bool secure, const std::string& more = {})
    {
        return [this, secure, more](scripted_client& c)
        {
            c.say(info_line((secure ? R"(,"tls_required":true)" : "") + more));
            if (secure)
                c.shake_hands();
            serve_as_broker(c, &connect);
        };
    }
};

/// Nothing of an attempt that was given up is left after a moment, and it has used next to nothing
/// of the processor: one that spins takes its whole time. What floods is read for as long as the
/// attempt lasts, and no longer.
void check_nothing_is_left(const dead_server& met, std::chrono::nanoseconds used)
{
    BOOST_TEST(detail::connect_attempt::wait_for_all(5s));
    const std::chrono::nanoseconds most =
        times_dearer * (met.floods ? attempt + 150ms : std::chrono::milliseconds(150));
    const auto took = processor_time() - used;
    BOOST_TEST((took < most), std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(dead_servers_, link_fixture)

BOOST_AUTO_TEST_CASE(a_start_tries_past_every_dead_server_to_a_healthy_one)
{
    for (const auto& row : dead_servers)
        BOOST_TEST_CONTEXT("a server that " << row.name << (row.secure ? " (TLS)" : ""))
        {
            scripted_broker dead(row.play, &certified);
            const scripted_broker good(healthy(row.secure), &certified);
            const auto used = processor_time();
            const auto begin = std::chrono::steady_clock::now();
            for (int i = 0; i < 30 && dead.clients() == 0; ++i) // the order is one of chance
            {
                asio::io_context io(1);
                const auto opened = connection::open(io, to({&dead, &good}, row.secure));
                BOOST_TEST_REQUIRE(opened.has_value(), (opened.has_error() ? opened.error().detail : ""));
                BOOST_TEST((*opened)->connected());
            }
            BOOST_TEST(dead.clients() == 1);
            BOOST_TEST((std::chrono::steady_clock::now() - begin < attempt + 4s));
            dead.cut(); // floods end
            check_nothing_is_left(row, used);
        }
}

BOOST_AUTO_TEST_CASE(a_lost_link_tries_past_every_dead_server_to_a_healthy_one)
{
    for (const auto& row : dead_servers)
        BOOST_TEST_CONTEXT("a server that " << row.name << (row.secure ? " (TLS)" : ""))
        {
            scripted_broker dead(row.play, &certified);
            const scripted_broker good(healthy(row.secure), &certified);
            asio::io_context io(1);
            auto options = to({&good, &dead}, row.secure);
            options.wait_for_server = true;
            auto nats = connection::open(io, options).value();
            run_coro(io,
                     [&]() -> asio::awaitable<void>
                     {
                         auto first = link_is(*nats, true);
                         BOOST_TEST_REQUIRE(co_await std::move(first));
                         const auto met = dead.clients();
                         const auto used = processor_time();
                         good.cut();
                         auto down = link_is(*nats, false);
                         BOOST_TEST_REQUIRE(co_await std::move(down));
                         auto up = link_is(*nats, true);
                         BOOST_TEST_REQUIRE(co_await std::move(up));
                         BOOST_TEST(dead.clients() == met + 1); // the one that was lost is tried last
                         dead.cut();
                         check_nothing_is_left(row, used);
                     });
        }
}

BOOST_AUTO_TEST_CASE(an_attempt_at_dead_servers_only_names_each_with_its_reason)
{
    const scripted_broker silent([](auto& c) { c.say(info_line()), c.wait_for_end(); });
    const scripted_broker full([](auto& c) { greet(c, false), c.say("-ERR 'Maximum Connections Exceeded'\r\n"); });
    asio::io_context io(1);
    auto options = to({&silent, &full}, false);
    options.servers.emplace_back("nats://127.0.0.1:1");
    const auto opened = connection::open(io, options);
    BOOST_TEST_REQUIRE(opened.has_error());
    BOOST_TEST((opened.error() == errc::disconnected));
    for (const auto& part :
         {silent.url() + ": not connected within " + std::to_string(attempt.count()) + " ms",
          full.url() + ": Maximum Connections Exceeded", std::string("nats://127.0.0.1:1: Connection refused")})
        BOOST_TEST(opened.error().detail.find(part) != std::string::npos, opened.error().detail);
}

BOOST_AUTO_TEST_CASE(a_connection_is_closed_at_once_during_an_attempt)
{
    for (const auto& row : dead_servers)
        BOOST_TEST_CONTEXT("a server that " << row.name)
        {
            scripted_broker dead(row.play, &certified);
            asio::io_context io(1);
            auto options = to({&dead}, row.secure);
            options.connect_timeout = 20s;
            options.wait_for_server = true;
            auto nats = connection::open(io, options).value();
            const auto end = deadline::in(5s);
            while (dead.clients() == 0 && !end.passed())
                io.run_one_for(5ms);
            const auto begin = std::chrono::steady_clock::now();
            nats.reset();
            BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
            dead.cut();
            BOOST_TEST(detail::connect_attempt::wait_for_all(5s));
        }
}

BOOST_AUTO_TEST_CASE(members_that_one_server_names_are_tried_when_it_fails_at_the_start)
{
    for (const bool secure : {false, true})
    {
        const scripted_broker member(healthy(secure), &certified);
        const auto named =
            R"(,"connect_urls":[")" + member.host_port() + R"("])" + (secure ? R"(,"tls_required":true)" : "");
        const scripted_broker seed([&](auto& c) { c.say(info_line(named)), c.wait_for_end(); }, &certified);
        asio::io_context io(1);
        auto options = to({&seed}, secure);
        options.servers = {"nats://joe:p%40ss%3A@localhost:" + seed.url().substr(seed.url().rfind(':') + 1)};
        const auto opened = connection::open(io, options);
        BOOST_TEST_REQUIRE(opened.has_value(), (opened.has_error() ? opened.error().detail : ""));
        BOOST_TEST(member.clients() == 1);
        BOOST_TEST(connect.find(R"("user":"joe","pass":"p@ss:")") != std::string::npos, connect);
    }
}

BOOST_AUTO_TEST_CASE(members_that_one_server_names_are_tried_when_the_link_to_it_is_lost)
{
    const scripted_broker member(healthy(false));
    auto seed =
        std::make_unique<scripted_broker>(healthy(false, R"(,"connect_urls":[")" + member.host_port() + R"("])"));
    asio::io_context io(1);
    auto nats = connection::open(io, to({seed.get()}, false)).value();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 BOOST_TEST(member.clients() == 0);
                 seed.reset();
                 auto down = link_is(*nats, false);
                 BOOST_TEST_REQUIRE(co_await std::move(down));
                 auto up = link_is(*nats, true);
                 BOOST_TEST_REQUIRE(co_await std::move(up));
                 BOOST_TEST(member.clients() == 1);
             });
}

BOOST_AUTO_TEST_SUITE_END()
