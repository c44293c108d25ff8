// SIGTERM: what clients see of an edge that stops, and that every program ends in order.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/full_size.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/wiretap.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::string ask_readyz = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string ask_healthz = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string metadata_request = "GET /content/asset/123 HTTP/1.1\r\nHost: a\r\n\r\n";

/// Requests without a deadline in practice.
marquee_system::settings edge_without_deadlines(marquee_system::arguments more = {})
{
    marquee_system::settings with;
    more.insert(more.end(), {"--timeout", "10m", "--header-timeout", "10m"});
    with.extra["edge"] = std::move(more);
    return with;
}

bool refuses_connections(int port)
{
    try
    {
        raw_connection late(port);
        return false;
    }
    catch (const std::runtime_error&)
    {
        return true;
    }
}

/// Outcomes of connections with one request each.
struct newcomers
{
    std::atomic<bool> over = false;
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0; ///< by the kernel: no socket was listening
};

/// Connections that failed in any other way.
std::vector<std::string> connect_again_and_again(newcomers& all, int port)
{
    std::vector<std::string> failed;
    while (!all.over)
        try
        {
            raw_connection link(port);
            link.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            if (link.wait_for_end() && link.received().starts_with("HTTP/1.1 200"))
                ++all.answered;
            else
                failed.push_back("accepted and not answered: " + link.received());
        }
        catch (const std::runtime_error& e)
        {
            if (std::string(e.what()) == std::string("cannot connect: ") + std::strerror(ECONNREFUSED))
                ++all.refused;
            else
                failed.emplace_back(e.what());
        }
    return failed;
}

/// A request that a suspended metadata has received and does not answer.
raw_connection begin_waiting(marquee_system& system)
{
    const wiretap tap(system.broker().url());
    system.at("metadata").suspend();
    raw_connection waiting(system.port());
    waiting.send(metadata_request);
    BOOST_TEST_REQUIRE(
        tap.wait_for([](const marquee::message& msg) { return msg.subject.starts_with("metadata.get"); }, 0, 60s)
            .has_value());
    return waiting;
}

/// Checks that there is one answer, and then the end.
http_answer only_answer(raw_connection& link)
{
    BOOST_TEST_REQUIRE(link.wait_for_end());
    const auto answers = answers_in(link.received());
    BOOST_TEST_REQUIRE(answers.size() == 1U);
    return answers[0];
}

/// And that it says so.
http_answer last_answer(raw_connection& link)
{
    auto answer = only_answer(link);
    BOOST_TEST(answer.header("Connection") == "close");
    return answer;
}

} // namespace

BOOST_AUTO_TEST_SUITE(stopping)

BOOST_AUTO_TEST_CASE(a_stopping_edge_is_unready_at_once_accepts_no_connections_and_answers_requests_in_flight)
{
    for (const char* threads : {"1", "3"})
    {
        marquee_system system(edge_without_deadlines({"--drain-timeout", "10m", "--threads", threads}));
        auto waiting = begin_waiting(system);
        // Half a head each: connections that are open, whatever thread they are with, and stay so.
        std::deque<raw_connection> open;
        for (int i = 0; i < 12; ++i)
            BOOST_TEST(open.emplace_back(system.port())
                           .send(i % 2 == 0 ? ask_readyz.substr(0, 20) : ask_healthz.substr(0, 20)));
        raw_connection idle(system.port());
        idle.send(ask_healthz);
        BOOST_TEST(idle.wait_for("200 OK"));

        system.at("edge").signal(SIGTERM);
        BOOST_TEST_REQUIRE(system.at("edge").wait_for_line("stopping signal=TERM").has_value());
        BOOST_TEST(idle.wait_for_end()); // the edge closes it: all threads are stopping by then
        BOOST_TEST(answers_in(idle.received()).size() == 1U);
        BOOST_TEST(refuses_connections(system.port()));
        for (std::size_t i = 0; i < open.size(); ++i)
        {
            open[i].send((i % 2 == 0 ? ask_readyz : ask_healthz).substr(20));
            const auto answer = last_answer(open[i]);
            if (i % 2 == 0)
                check_problem(answer, 503, "stopping");
            else
                BOOST_TEST(answer.status == 200);
        }
        BOOST_TEST(waiting.received() == "");
        BOOST_TEST(system.at("edge").running());

        system.at("metadata").signal(SIGCONT);
        BOOST_TEST(last_answer(waiting).status == 200);
        BOOST_TEST(system.at("edge").wait(60s).value_or(-1) == 0);
        BOOST_TEST(system.at("edge").wait_for_line("stopped").has_value());
        system.start("edge");
        check_that_plays_are_counted(system);
    }
}

BOOST_AUTO_TEST_CASE(connections_in_the_backlog_at_sigterm_are_answered)
{
    for (const char* threads : {"1", "3"})
    {
        marquee_system system(edge_without_deadlines({"--threads", threads}));
        system.at("edge").suspend(); // so that it accepts no connection
        std::deque<raw_connection> waiting;
        for (int i = 0; i < 100; ++i)
            BOOST_TEST(
                waiting.emplace_back(system.port()).send(i % 2 == 0 ? metadata_request : ask_healthz.substr(0, 20)));
        system.at("edge").signal(SIGTERM);
        system.at("edge").signal(SIGCONT);
        BOOST_TEST_REQUIRE(system.at("edge").wait_for_line("stopping signal=TERM").has_value());
        for (std::size_t i = 0; i < waiting.size(); ++i)
            BOOST_TEST_CONTEXT("connection " << i << " of " << threads << " threads")
            {
                if (i % 2 != 0)
                    BOOST_TEST(waiting[i].send(ask_healthz.substr(20)));
                // A thread may answer before it hears of the signal.
                BOOST_TEST(only_answer(waiting[i]).status == 200);
            }
        BOOST_TEST(system.at("edge").wait(60s).value_or(-1) == 0);
        system.start("edge");
        check_that_plays_are_counted(system);
    }
}

BOOST_AUTO_TEST_CASE(no_connection_is_reset_while_an_edge_restarts_repeatedly)
{
    marquee_system system({.start = {"edge"}});
    newcomers all;
    std::vector<std::future<std::vector<std::string>>> clients;
    for (int i = 0; i < 4; ++i)
        clients.push_back(std::async(std::launch::async, [&] { return connect_again_and_again(all, system.port()); }));
    for (int round = 0; round < (is_full() ? 50 : 6); ++round)
    {
        const auto end = std::chrono::steady_clock::now() + 60s;
        for (const int wanted = all.answered + 200; all.answered < wanted;)
        {
            BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < end));
            std::this_thread::yield();
        }
        BOOST_TEST(system.stop("edge") == 0);
        system.start("edge");
    }
    all.over = true;
    for (auto& each : clients)
        for (const auto& failure : each.get())
            BOOST_ERROR(failure);
    BOOST_TEST_MESSAGE(all.answered << " connections were answered, " << all.refused << " refused");
}

BOOST_AUTO_TEST_CASE(requests_beyond_the_drain_timeout_are_cut_off_and_the_exit_code_is_0)
{
    marquee_system system(edge_without_deadlines({"--drain-timeout", "1s"}));
    auto waiting = begin_waiting(system);
    raw_connection half(system.port());
    half.send(ask_healthz.substr(0, 20));
    system.at("edge").signal(SIGTERM);
    BOOST_TEST(waiting.wait_for_end());
    BOOST_TEST(half.wait_for_end());
    BOOST_TEST(waiting.received() == "");
    BOOST_TEST(half.received() == "");
    BOOST_TEST(system.at("edge").wait(60s).value_or(-1) == 0); // the request itself has ten minutes
    BOOST_TEST(system.at("edge").wait_for_line("closing connections that did not end in time count=2").has_value());
    system.at("metadata").signal(SIGCONT);
    system.start("edge");
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(a_play_in_flight_is_stored_and_counted_by_a_stopping_edge)
{
    marquee_system system(edge_without_deadlines({"--drain-timeout", "10m"}));
    const wiretap tap(system.broker().url());
    system.at("metadata").suspend();
    raw_connection viewer(system.port());
    viewer.send("POST /play/asset/123/user/last HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST_REQUIRE(
        tap.wait_for([](const marquee::message& msg) { return msg.subject.starts_with("metadata.get"); }, 0, 60s)
            .has_value());
    system.at("edge").signal(SIGTERM);
    BOOST_TEST_REQUIRE(system.at("edge").wait_for_line("stopping signal=TERM").has_value());
    system.at("metadata").signal(SIGCONT); // only now is there a view to store
    BOOST_TEST(last_answer(viewer).status == 200);
    BOOST_TEST(system.at("edge").wait(60s).value_or(-1) == 0);
    system.start("edge");
    const auto views = system.call_until(200, {"GET", "/events/user/last"}, 60s);
    BOOST_TEST_REQUIRE(views.status == 200, views.body);
    BOOST_TEST(views.number("views") == 1);
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_CASE(each_program_stops_without_a_broker)
{
    for (const bool frozen : {false, true})
    {
        nats_server broker;
        temporary_folder folder;
        const auto started = start_all(folder, broker.url());
        if (frozen)
            broker.suspend();
        else
        {
            broker.kill();
            for (auto& one : started)
                BOOST_TEST(one->wait_for_line("broker link down", 60s).has_value());
        }
        for (auto& one : started)
            one->signal(SIGTERM);
        for (std::size_t i = 0; i < started.size(); ++i)
            BOOST_TEST(started[i]->wait(60s).value_or(-1) == 0, programs[i] << (frozen ? ", frozen" : ", gone"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
