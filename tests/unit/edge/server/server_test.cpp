#include "tests/unit/edge/client.hpp"
#include "tests/unit/edge/server/failing_new.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <list>
#include <new>
#include <tuple>

#include <sys/resource.h>
#include <unistd.h>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::string get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

/// Answers nothing until it is opened.
struct gate
{
    asio::steady_timer timer;
    int waiting = 0;

    explicit gate(asio::io_context& io) : timer(io, asio::steady_timer::time_point::max()) {}

    asio::awaitable<http_response> pass(http_request)
    {
        ++waiting;
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        co_await timer.async_wait(token);
        http_response answer;
        answer.body = "passed";
        co_return answer;
    }
};

/// As long as it lives, no descriptor can be opened: those in use are all there are.
class no_descriptors
{
public:
    no_descriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(STDERR_FILENO);
        ::close(next);
        const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

private:
    rlimit before_{};
};

asio::awaitable<void> until(asio::io_context& io, std::function<bool()> met)
{
    asio::steady_timer poll(io);
    while (!met()) // run_coro bounds this
    {
        poll.expires_after(1ms);
        co_await poll.async_wait(asio::use_awaitable);
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(server_, server_kit)

BOOST_AUTO_TEST_CASE(stopping_the_server_answers_current_requests_with_connection_close)
{
    gate closed(io);
    handler = [&](http_request request) { return closed.pass(std::move(request)); };
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 co_await client.send(get);
                 auto one_waits = [&] { return closed.waiting == 1; };
                 co_await until(io, one_waits);
                 bool stopped = false;
                 auto on_stopped = [&](const std::exception_ptr&) { stopped = true; };
                 asio::co_spawn(io, server->stop(deadline::in(10s)), on_stopped);
                 asio::steady_timer turn(io, 20ms);
                 co_await turn.async_wait(asio::use_awaitable);
                 BOOST_TEST(!stopped);
                 closed.timer.cancel();
                 const auto answer = co_await client.receive_all();
                 BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
                 BOOST_TEST(has(answer, "Connection: close"));
                 BOOST_TEST(answer.ends_with("passed"));
                 auto is_stopped = [&] { return stopped; };
                 co_await until(io, is_stopped);
                 BOOST_TEST(server->connections() == 0U);
                 boost::system::error_code refused;
                 asio::ip::tcp::socket late(io);
                 late.connect(at, refused);
                 BOOST_TEST(refused.failed());
             });
}

// A turn of a busy loop takes milliseconds: one connection a turn, and thousands would wait for
// many seconds.
BOOST_AUTO_TEST_CASE(many_connections_are_accepted_in_a_few_turns_of_the_loop)
{
    constexpr std::size_t many = 64;
    start();
    std::list<raw_client> clients;
    while (clients.size() < many)
        clients.emplace_back(io, at); // complete in the kernel; the loop has not run yet
    int turns = 0;
    std::function<void()> turn = [&]
    {
        ++turns;
        if (server->connections() < many && turns < 1000)
            asio::post(io, turn);
    };
    asio::post(io, turn);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto all_are_there = [&] { return server->connections() == many; };
                 co_await until(io, all_are_there);
                 co_await clients.back().send(get);
                 const auto answer = co_await clients.back().receive_one();
                 BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
             });
    BOOST_TEST(turns < 20, turns);
}

BOOST_AUTO_TEST_CASE(without_descriptors_connections_wait_until_there_are_some)
{
    start();
    raw_client client(io, at);
    {
        const no_descriptors for_now;
        for (int i = 0; i < 3; ++i)
            io.poll(); // the connection is ready to be accepted
        BOOST_TEST(server->connections() == 0U);
    }
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 co_await client.send(get);
                 const auto answer = co_await client.receive_one();
                 BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
             });
}

BOOST_AUTO_TEST_CASE(an_idle_connection_may_send_one_more_request_and_is_then_closed)
{
    settings.drain_idle = 100ms;
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client busy(io, at);
                 raw_client idle(io, at);
                 co_await busy.send(get);
                 co_await busy.receive_one();
                 co_await idle.send(get);
                 co_await idle.receive_one();
                 bool stopped = false;
                 auto on_stopped = [&](const std::exception_ptr&) { stopped = true; };
                 asio::co_spawn(io, server->stop(deadline::in(10s)), on_stopped);
                 co_await busy.send(get);
                 const auto answer = co_await busy.receive_all();
                 BOOST_TEST(has(answer, "Connection: close"));
                 BOOST_TEST((co_await idle.receive_all()) == "");
                 auto is_stopped = [&] { return stopped; };
                 co_await until(io, is_stopped);
             });
}

BOOST_AUTO_TEST_CASE(timeouts_are_enforced_however_many_other_connections_there_are)
{
    gate closed(io);
    handler = [&](http_request request) { return closed.pass(std::move(request)); };
    settings.header_timeout = 50ms;
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 std::list<raw_client> lasting;
                 for (int i = 0; i < 40; ++i)
                     co_await lasting.emplace_back(io, at).send(get);
                 auto all_wait = [&] { return closed.waiting == 40; };
                 co_await until(io, all_wait);
                 std::list<raw_client> silent;
                 for (int i = 0; i < 20; ++i)
                     silent.emplace_back(io, at);
                 for (auto& each : silent)
                     BOOST_TEST((co_await each.receive_all()) == "");
                 silent.clear();
                 auto the_others_are_there = [&] { return server->connections() == lasting.size(); };
                 co_await until(io, the_others_are_there);
                 closed.timer.cancel();
                 for (auto& each : lasting)
                     BOOST_TEST(status_line(co_await each.receive_one()) == "HTTP/1.1 200 OK");
             });
}

BOOST_AUTO_TEST_CASE(a_connection_refused_because_of_overload_delays_its_next_request)
{
    gate room(io);
    settings.wait_for_room = [&room]() -> asio::awaitable<void>
    {
        auto passing = room.pass({});
        (void)co_await std::move(passing);
    };
    settings.idle_timeout = 30s;
    handler = [this](http_request) -> asio::awaitable<http_response>
    {
        http_response answer;
        answer.status = ++handled == 1 ? 503 : 200;
        answer.overloaded = answer.status == 503;
        co_return answer;
    };
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 co_await client.send(get + get);
                 BOOST_TEST(status_line(co_await client.receive_one()) == "HTTP/1.1 503 Service Unavailable");
                 auto one_waits = [&] { return room.waiting == 1; };
                 co_await until(io, one_waits);
                 BOOST_TEST(handled == 1);
                 raw_client other(io, at);
                 co_await other.send(get);
                 BOOST_TEST(status_line(co_await other.receive_one()) == "HTTP/1.1 200 OK");
                 BOOST_TEST(handled == 2);
                 room.timer.cancel();
                 BOOST_TEST(status_line(co_await client.receive_one()) == "HTTP/1.1 200 OK");
             });
}

BOOST_AUTO_TEST_CASE(connections_that_do_not_end_in_time_are_closed)
{
    gate closed(io);
    handler = [&](http_request request) { return closed.pass(std::move(request)); };
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 co_await client.send(get);
                 auto one_waits = [&] { return closed.waiting == 1; };
                 co_await until(io, one_waits);
                 co_await server->stop(deadline::in(50ms));
                 BOOST_TEST((co_await client.receive_all()) == "");
                 closed.timer.cancel();
                 co_await server->wait_until_empty(deadline::in(10s));
                 BOOST_TEST(server->connections() == 0U);
             });
}

BOOST_AUTO_TEST_CASE(connections_are_counted_by_address)
{
    using entry = connection_limit::entry;
    const auto address = [](const char* text) { return client_address::parse(text).value(); };
    network_list proxies;
    BOOST_TEST(proxies.add("10.0.0.0/8").has_value());
    connection_limit two(6, 2, proxies);
    BOOST_TEST((two.enter(address("192.0.2.1")) == entry::granted));
    BOOST_TEST((two.enter(address("192.0.2.1")) == entry::granted));
    BOOST_TEST((two.enter(address("192.0.2.1")) == entry::too_many_of_address));
    BOOST_TEST((two.enter(address("2001:db8::1")) == entry::granted));
    BOOST_TEST((two.enter(address("2001:db8::2")) == entry::granted));
    BOOST_TEST((two.enter(address("2001:db8::3")) == entry::too_many_of_address)); // one household
    two.leave(address("2001:db8::1"));
    BOOST_TEST((two.enter(address("2001:db8::3")) == entry::granted));
    two.leave(address("192.0.2.1"));
    two.leave(address("192.0.2.1"));
    for (int i = 0; i < 4; ++i)
        BOOST_TEST((two.enter(address("10.0.0.1")) == entry::granted)); // a proxy is not counted by address
    BOOST_TEST((two.enter(address("10.0.0.1")) == entry::too_many));
    BOOST_TEST((two.enter(address("192.0.2.1")) == entry::too_many));
}

BOOST_AUTO_TEST_CASE(a_connection_that_could_not_be_counted_for_lack_of_memory_is_not_counted)
{
    using entry = connection_limit::entry;
    connection_limit one(1, 1);
    const auto address = client_address::parse("192.0.2.1").value();
    bool failed = false;
    try
    {
        const no_memory while_entering;
        (void)one.enter(address);
    }
    catch (const std::bad_alloc&)
    {
        failed = true;
    }
    BOOST_TEST(failed);
    BOOST_TEST((one.enter(address) == entry::granted));
    one.leave(address);
}

BOOST_AUTO_TEST_CASE(a_connection_over_the_limit_is_refused_and_a_closed_one_makes_room)
{
    connection_limit one(1);
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    at = acceptor.local_endpoint();
    server = std::make_unique<http_server>(io, std::move(acceptor), settings, handler, one);
    server->start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto first = std::make_unique<raw_client>(io, at);
                 co_await first->send(get);
                 co_await first->receive_one();
                 raw_client second(io, at);
                 const auto refused = co_await second.receive_all();
                 BOOST_TEST(status_line(refused) == "HTTP/1.1 503 Service Unavailable");
                 BOOST_TEST(has(refused, "Retry-After: 1\r\n"));
                 BOOST_TEST(has(refused, "overloaded"));
                 first.reset();
                 auto is_free = [&] { return server->connections() == 0; };
                 co_await until(io, is_free);
                 raw_client third(io, at);
                 co_await third.send(get);
                 BOOST_TEST(status_line(co_await third.receive_one()) == "HTTP/1.1 200 OK");
             });
}

BOOST_AUTO_TEST_CASE(the_refusal_of_a_connection_has_the_fields_of_every_answer_and_reads_nothing)
{
    const std::tuple<std::vector<std::string>, std::string, std::string> table[] = {
        {{}, "", ""},
        {{"*"}, "*", ""},
        {{"https://shop.example"}, "https://shop.example", "Origin"},
        {{"https://shop.example", "https://b.example"}, "", "Origin"},
    };
    for (const auto& [origins, granted, vary] : table)
    {
        connection_limit none(0);
        server_kit kit;
        for (const auto& each : origins)
            BOOST_TEST(kit.settings.cors.add(each).has_value());
        asio::ip::tcp::acceptor acceptor(kit.io, {asio::ip::address_v4::loopback(), 0});
        kit.at = acceptor.local_endpoint();
        kit.server = std::make_unique<http_server>(kit.io, std::move(acceptor), kit.settings, kit.handler, none);
        kit.server->start();
        for (const std::string method : {"", "GET", "HEAD"})
        {
            std::string answer;
            run_coro(kit.io,
                     [&]() -> asio::awaitable<void>
                     {
                         raw_client client(kit.io, kit.at); // complete in the kernel; the loop has not accepted it yet
                         client.send_now(method.empty() ? "" : method + " / HTTP/1.1\r\nHost: a\r\n\r\n");
                         answer = co_await client.receive_all();
                     });
            BOOST_TEST(status_line(answer) == "HTTP/1.1 503 Service Unavailable");
            BOOST_TEST(has(answer, "\r\nDate: "));
            BOOST_TEST(has(answer, "\r\nConnection: close\r\n"));
            BOOST_TEST(has(answer, "\r\nAccess-Control-Allow-Origin: " + granted + "\r\n") == !granted.empty());
            BOOST_TEST(has(answer, "\r\nVary: " + vary + "\r\n") == !vary.empty());
            BOOST_TEST(answer.ends_with("\r\n\r\n") == (method == "HEAD"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_tls_connection_without_memory_fails_alone)
{
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(io);
    client.connect(acceptor.local_endpoint());
    tls_stream without(acceptor.accept(), nullptr); // OpenSSL makes nothing of it
    boost::system::error_code failure;
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto token = asio::redirect_error(asio::use_awaitable, failure);
                 co_await without.async_handshake(token);
             });
    BOOST_TEST((failure == asio::error::no_memory));
    without.send_close_notify();
}

BOOST_AUTO_TEST_CASE(a_failure_of_one_connection_does_not_stop_accepting)
{
    connection_limit none(0);
    asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    at = acceptor.local_endpoint();
    settings.on_refused = [](const refused_input&) { throw std::bad_alloc(); };
    server = std::make_unique<http_server>(io, std::move(acceptor), settings, handler, none);
    server->start();
    for (int i = 0; i < 2; ++i)
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     raw_client client(io, at);
                     BOOST_TEST(status_line(co_await client.receive_all()) == "HTTP/1.1 503 Service Unavailable");
                 });
}

BOOST_AUTO_TEST_CASE(a_refused_connection_is_told_which_limit_it_met)
{
    for (const bool of_address : {false, true})
    {
        connection_limit one(of_address ? 100 : 1, of_address ? 1 : 0, {});
        server_kit kit;
        std::vector<int> told;
        kit.settings.on_refused = [&told](const refused_input& input) { told.push_back(input.status); };
        asio::ip::tcp::acceptor acceptor(kit.io, {asio::ip::address_v4::loopback(), 0});
        kit.at = acceptor.local_endpoint();
        kit.server = std::make_unique<http_server>(kit.io, std::move(acceptor), kit.settings, kit.handler, one);
        kit.server->start();
        run_coro(kit.io,
                 [&]() -> asio::awaitable<void>
                 {
                     raw_client first(kit.io, kit.at);
                     co_await first.send(get);
                     co_await first.receive_one();
                     raw_client second(kit.io, kit.at);
                     const auto refused = co_await second.receive_all();
                     BOOST_TEST(has(refused, "from this address") == of_address);
                 });
        BOOST_TEST(told == std::vector<int>{503}, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()
