#include "broker/program/program.hpp"

#include "tests/integration/broker_fixture.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace
{

using namespace marquee;
using namespace marquee::test;

/// Redirects the log of this process to a file during its lifetime.
class log_file
{
public:
    log_file()
    {
        std::string name = "/tmp/marquee_log_XXXXXX";
        const int file = ::mkstemp(name.data());
        path_ = name;
        ::dup2(file, STDERR_FILENO);
        ::close(file);
    }
    ~log_file()
    {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
        ::unlink(path_.c_str());
    }
    log_file(const log_file&) = delete;
    log_file& operator=(const log_file&) = delete;

    [[nodiscard]] bool holds(const std::string& part) const
    {
        std::ifstream file(path_);
        return std::string(std::istreambuf_iterator<char>(file), {}).find(part) != std::string::npos;
    }

private:
    int saved_ = ::dup(STDERR_FILENO);
    std::string path_;
};

struct subscribed : component
{
    std::shared_ptr<subscription> sub;
    asio::awaitable<void> stop(deadline) override { co_return; }
};

asio::awaitable<void> pass(std::chrono::milliseconds time, connection& nats)
{
    asio::steady_timer timer(nats.context(), time);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(program_, broker_fixture)

BOOST_AUTO_TEST_CASE(a_program_says_ready_only_when_the_broker_knows_what_it_subscribed)
{
    const log_file logged;
    bool too_early = false;
    bool ready = false;
    std::function<asio::awaitable<void>(connection&)> watch = [&](connection& nats) -> asio::awaitable<void>
    {
        auto longer = pass(200ms, nats); // the broker is stopped and cannot have taken anything
        co_await std::move(longer);
        too_early = logged.holds(" ready");
        server.resume();
        for (int i = 0; i < 1000 && !logged.holds(" ready"); ++i)
        {
            auto moment = pass(10ms, nats);
            co_await std::move(moment);
        }
        ready = logged.holds(" ready");
        std::raise(SIGTERM);
    };
    start_function start = [&](connection& nats,
                               const fatal_handler&) -> asio::awaitable<result<std::unique_ptr<component>>>
    {
        server.suspend();
        auto part = std::make_unique<subscribed>();
        part->sub = nats.subscribe("somewhere", "q", [](const message&) {}).value();
        asio::co_spawn(nats.context(), watch(nats), [](const std::exception_ptr&) {});
        std::unique_ptr<component> made = std::move(part);
        co_return made;
    };
    BOOST_TEST(run_program(options(), 5s, start) == exit_ok);
    BOOST_TEST(!too_early);
    BOOST_TEST(ready);
}

BOOST_AUTO_TEST_SUITE_END()
