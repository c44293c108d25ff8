// What systemd (Type=notify) is told, and when.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/nats_calls.hpp"
#include "tests/support/notify_socket.hpp"

#include "schemas/subjects.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

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
                BOOST_TEST(answers(name, *one, broker.url()));
                one->signal(SIGTERM);
                BOOST_TEST(told.receive().value_or("nothing") == "STOPPING=1", one->output());
                BOOST_TEST(one->wait(60s).value_or(-1) == 0);
                BOOST_TEST(!told.receive(0ms).has_value());
            }
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
