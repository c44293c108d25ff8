// A real server, an io_context, and connections on it.
#pragma once

#include "broker/nats/connection.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace marquee::test
{

using namespace std::chrono_literals;

/// Lets coroutines of a test wait for something that handlers bring about.
class signal
{
public:
    explicit signal(asio::io_context& io) : timer_(io) {}

    void notify() { timer_.cancel(); }

    /// Waits until `condition` holds; it is looked at after each notify(). False after `limit`.
    asio::awaitable<bool> until(std::function<bool()> condition, std::chrono::milliseconds limit = 10s)
    {
        const auto end = deadline::in(limit);
        while (!condition())
        {
            if (end.passed())
                co_return false;
            timer_.expires_at(end.at());
            boost::system::error_code ignored;
            auto token = asio::redirect_error(asio::use_awaitable, ignored);
            co_await timer_.async_wait(token);
        }
        co_return true;
    }

private:
    asio::steady_timer timer_;
};

struct broker_fixture
{
    nats_server server;
    asio::io_context io{1};

    connection_options options() const
    {
        connection_options o;
        o.name = "test";
        o.servers = {server.url()};
        o.reconnect_wait = 20ms;
        o.reconnect_jitter = 10ms;
        return o;
    }

    std::unique_ptr<connection> connect(const connection_options& o)
    {
        auto opened = connection::open(io, o);
        BOOST_REQUIRE_MESSAGE(opened.has_value(), (opened.has_error() ? opened.error().detail : ""));
        return std::move(*opened);
    }
    std::unique_ptr<connection> connect() { return connect(options()); }

    void run(std::function<asio::awaitable<void>()> body, std::chrono::milliseconds limit = 30s,
             const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        run_coro(io, std::move(body), limit, where);
    }
};

/// Waits for the link to be as wanted.
inline asio::awaitable<bool> link_is(connection& nats, bool up, std::chrono::milliseconds limit = 10s)
{
    auto changed = std::make_shared<signal>(nats.context());
    const auto told = nats.on_link_change([changed](bool) { changed->notify(); });
    std::function<bool()> reached = [&nats, up] { return nats.connected() == up; };
    auto waiting = changed->until(reached, limit);
    co_return co_await std::move(waiting);
}

} // namespace marquee::test
