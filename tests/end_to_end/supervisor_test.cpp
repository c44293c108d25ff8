// What systemd (Type=notify) is told, and when.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_calls.hpp"
#include "tests/support/notify_socket.hpp"

#include "schemas/subjects.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <vector>

#include <sys/ptrace.h>
#include <sys/wait.h>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

/// Whether a program that says it is ready answers at the first attempt.
bool answers(const std::string& name, process& one, const std::string& server)
{
    if (name != "edge")
        return nats_call(server, marquee::subject::of({name, name == "reporting" ? "top" : "list"})).has_value();
    const auto line = one.wait_for_line(" ready");
    return line && http(port_in(*line), {"GET", "/healthz"}).status == 200;
}

/// A minute long everything that is told, but for this.
std::string next_but(const notify_socket& told, const std::string& passed_over)
{
    for (;;)
    {
        const auto state = told.receive();
        if (!state)
            return "nothing";
        if (*state != passed_over)
            return *state;
    }
}

/// Whether it tells nothing for long, once what it has told before has been read.
bool is_silent(const notify_socket& told)
{
    while (told.receive(0ms))
        ;
    return !told.receive(1s);
}

/// It works, and stops at a signal, which is the next that it tells but for `passed_over`.
void check_work_and_end(const std::string& name, process& one, const std::string& server, const notify_socket& told,
                        const std::string& passed_over = {})
{
    BOOST_TEST(answers(name, one, server));
    one.signal(SIGTERM);
    BOOST_TEST(next_but(told, passed_over) == "STOPPING=1", one.output());
    BOOST_TEST(one.wait(60s).value_or(-1) == 0);
}

std::vector<pid_t> threads_of(const process& one)
{
    std::vector<pid_t> all;
    for (const auto& each : std::filesystem::directory_iterator("/proc/" + std::to_string(one.pid()) + "/task"))
        all.push_back(std::stoi(each.path().filename()));
    return all;
}

/// Holds one thread of a process; false where that is not permitted.
bool hold(pid_t thread)
{
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0)
        return false;
    return ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && ::waitpid(thread, nullptr, __WALL) == thread;
}

void let_go(pid_t thread) { BOOST_TEST(::ptrace(PTRACE_DETACH, thread, nullptr, nullptr) == 0); }

} // namespace

BOOST_AUTO_TEST_SUITE(supervisor)

BOOST_AUTO_TEST_CASE(each_program_tells_when_it_serves_and_when_it_stops)
{
    nats_server broker;
    for (const bool abstract : {false, true})
    {
        temporary_folder folder;
        for (const auto& name : programs)
            BOOST_TEST_CONTEXT(name << (abstract ? ", abstract" : ", path"))
            {
                const notify_socket told((abstract ? "@" : "") + folder.file(name + ".socket"));
                auto one = start(name, folder, {"--server", broker.url()}, {told.variable()});
                BOOST_TEST(told.receive().value_or("nothing") == "READY=1", one->output());
                check_work_and_end(name, *one, broker.url(), told);
                BOOST_TEST(!told.receive(0ms).has_value());
            }
    }
}

BOOST_AUTO_TEST_CASE(a_watchdog_hears_of_each_program_as_long_as_its_loops_turn)
{
    nats_server broker;
    temporary_folder folder;
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const notify_socket told(folder.file(name + ".socket"));
            auto one = start(name, folder, {"--server", broker.url()}, {told.variable(), {"WATCHDOG_USEC", "100000"}});
            BOOST_TEST(next_but(told, "WATCHDOG=1") == "READY=1", one->output());
            for (int i = 0; i < 5; ++i)
                BOOST_TEST(told.receive().value_or("nothing") == "WATCHDOG=1", one->output());
            one->suspend();
            BOOST_TEST(is_silent(told));
            one->signal(SIGCONT);
            for (int i = 0; i < 2; ++i)
                BOOST_TEST(told.receive().value_or("nothing") == "WATCHDOG=1", one->output());
            check_work_and_end(name, *one, broker.url(), told, "WATCHDOG=1");
        }
}

BOOST_AUTO_TEST_CASE(one_thread_of_an_edge_that_is_stuck_silences_it)
{
    nats_server broker;
    temporary_folder folder;
    const notify_socket told(folder.file("socket"));
    auto edge =
        start("edge", folder, {"--server", broker.url(), "--threads", "2"}, {told.variable(), {"WATCHDOG_USEC", "100000"}});
    BOOST_TEST(next_but(told, "WATCHDOG=1") == "READY=1", edge->output());
    int silenced = 0;
    for (const auto thread : threads_of(*edge))
    {
        if (!hold(thread))
        {
            BOOST_TEST_MESSAGE("not tested: threads may not be held here");
            return;
        }
        silenced += is_silent(told) ? 1 : 0;
        let_go(thread);
        BOOST_TEST(told.receive().value_or("nothing") == "WATCHDOG=1", edge->output());
    }
    BOOST_TEST(silenced >= 3); // the two that serve, and the one that waits for signals; others belong to libraries
    BOOST_TEST(answers("edge", *edge, broker.url()));
}

BOOST_AUTO_TEST_CASE(a_watchdog_of_another_process_hears_nothing)
{
    nats_server broker;
    temporary_folder folder;
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const notify_socket told(folder.file(name + ".socket"));
            auto one = start(name, folder, {"--server", broker.url()},
                             {told.variable(), {"WATCHDOG_USEC", "2000"}, {"WATCHDOG_PID", "1"}});
            BOOST_TEST(told.receive().value_or("nothing") == "READY=1", one->output());
            check_work_and_end(name, *one, broker.url(), told);
        }
}

BOOST_AUTO_TEST_CASE(a_program_that_cannot_start_never_says_that_it_is_ready)
{
    temporary_folder folder;
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            const notify_socket told(folder.file(name + ".socket"));
            auto one = start(name, folder, {"--server", "nats://127.0.0.1:1"}, {told.variable()});
            BOOST_TEST(one->wait(60s).value_or(-1) == 1);
            while (const auto state = told.receive(0ms))
                BOOST_TEST(*state == "STOPPING=1");
        }
}

BOOST_AUTO_TEST_CASE(a_supervisor_that_cannot_be_reached_is_a_warning_and_nothing_else)
{
    nats_server broker;
    temporary_folder folder;
    for (const auto& name : programs)
        BOOST_TEST_CONTEXT(name)
        {
            auto one = start(name, folder, {"--server", broker.url()}, {{"NOTIFY_SOCKET", folder.file("nobody")}});
            BOOST_TEST_REQUIRE(serves(name, *one).has_value(), one->output());
            BOOST_TEST(one->wait_for_line("the supervisor cannot be told state=").has_value());
            BOOST_TEST(answers(name, *one, broker.url()));
            one->signal(SIGTERM);
            BOOST_TEST(one->wait(60s).value_or(-1) == 0);
        }
}

BOOST_AUTO_TEST_SUITE_END()
