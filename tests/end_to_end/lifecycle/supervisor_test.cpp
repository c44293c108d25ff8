// Notifications to systemd (Type=notify), and when they are sent.
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

/// Whether a program that reports ready answers the first request.
bool answers(const std::string& name, process& one, const std::string& server)
{
    if (name != "edge")
        return nats_call(server, marquee::subject::of({name, name == "reporting" ? "top" : "list"})).has_value();
    const auto line = one.wait_for_line(" ready");
    return line && http(port_in(*line), {"GET", "/healthz"}).status == 200;
}

/// The next notification other than `passed_over`.
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

/// Whether no notification comes for a second, after earlier ones have been read.
bool is_silent(const notify_socket& told)
{
    while (told.receive(0ms))
        ;
    return !told.receive(1s);
}

/// Checks that it serves, and that SIGTERM stops it; STOPPING=1 is the next notification but for
/// `passed_over`.
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

/// Stops one thread of a process; false where that is not permitted.
bool stop_thread(pid_t thread)
{
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0)
        return false;
    return ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 && ::waitpid(thread, nullptr, __WALL) == thread;
}

void resume_thread(pid_t thread) { BOOST_TEST(::ptrace(PTRACE_DETACH, thread, nullptr, nullptr) == 0); }

} // namespace

BOOST_AUTO_TEST_SUITE(supervisor)

BOOST_AUTO_TEST_CASE(each_program_notifies_when_it_serves_and_when_it_stops)
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

BOOST_AUTO_TEST_CASE(each_program_notifies_its_watchdog_while_its_loops_run)
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

BOOST_AUTO_TEST_CASE(one_stuck_thread_of_an_edge_stops_its_watchdog_messages)
{
    nats_server broker;
    temporary_folder folder;
    const notify_socket told(folder.file("socket"));
    auto edge = start("edge", folder, {"--server", broker.url(), "--threads", "2"},
                      {told.variable(), {"WATCHDOG_USEC", "100000"}});
    BOOST_TEST(next_but(told, "WATCHDOG=1") == "READY=1", edge->output());
    int silenced = 0;
    for (const auto thread : threads_of(*edge))
    {
        if (!stop_thread(thread))
        {
            BOOST_TEST_MESSAGE("not tested: threads may not be traced here");
            return;
        }
        silenced += is_silent(told) ? 1 : 0;
        resume_thread(thread);
        BOOST_TEST(told.receive().value_or("nothing") == "WATCHDOG=1", edge->output());
    }
    BOOST_TEST(silenced >= 3); // two io threads, and the one that waits for signals; others belong to libraries
    BOOST_TEST(answers("edge", *edge, broker.url()));
}

BOOST_AUTO_TEST_CASE(the_watchdog_of_another_process_is_not_notified)
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

BOOST_AUTO_TEST_CASE(a_program_that_fails_to_start_never_notifies_ready)
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

BOOST_AUTO_TEST_CASE(an_unreachable_supervisor_is_only_a_warning)
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
