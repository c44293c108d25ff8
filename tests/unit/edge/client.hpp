// A raw HTTP client for tests, and a server for it.
#pragma once

#include "edge/server/server.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace marquee::test
{

/// Connects to a listener on loopback. Everything runs on the test's own io_context.
class raw_client
{
public:
    raw_client(asio::io_context& io, const asio::ip::tcp::endpoint& to) : socket_(io) { socket_.connect(to); }

    /// With a small receive window: what it does not read soon stays in the server's send buffer.
    raw_client(asio::io_context& io, const asio::ip::tcp::endpoint& to, int receive_buffer) : socket_(io)
    {
        socket_.open(to.protocol());
        socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
        socket_.connect(to);
    }

    /// Sends what the kernel takes at once.
    void send_now(const std::string& bytes) { socket_.send(asio::buffer(bytes)); }

    /// False: the server has closed; it may have answered before.
    asio::awaitable<bool> send(std::string bytes)
    {
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        co_await asio::async_write(socket_, asio::buffer(bytes), token);
        co_return !ec;
    }

    /// Reads up to `most` bytes and returns how many; 0: the server has closed.
    asio::awaitable<std::size_t> read_some(std::size_t most)
    {
        std::string into(most, '\0');
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        co_return co_await socket_.async_read_some(asio::buffer(into), token);
    }

    /// Everything until the server closes.
    asio::awaitable<std::string> receive_all()
    {
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        auto into = asio::dynamic_buffer(received_);
        co_await asio::async_read(socket_, into, token);
        closed_in_order_ = ec == asio::error::eof;
        co_return std::exchange(received_, {});
    }

    /// One response, whose body is as long as Content-Length says; without a body where
    /// `head_only`.
    asio::awaitable<std::string> receive_one(bool head_only = false)
    {
        auto into = asio::dynamic_buffer(received_);
        auto size = co_await asio::async_read_until(socket_, into, "\r\n\r\n", asio::use_awaitable);
        const auto at = received_.find("Content-Length: ");
        if (!head_only && at < size)
            size += std::stoul(received_.substr(at + 16));
        if (received_.size() < size)
            co_await asio::async_read(socket_, into, asio::transfer_exactly(size - received_.size()),
                                      asio::use_awaitable);
        auto one = received_.substr(0, size);
        received_.erase(0, size);
        co_return one;
    }

    void shutdown() { socket_.shutdown(asio::ip::tcp::socket::shutdown_send); }
    [[nodiscard]] bool closed_in_order() const { return closed_in_order_; }

private:
    asio::ip::tcp::socket socket_;
    std::string received_;
    bool closed_in_order_ = false;
};

[[nodiscard]] inline std::string status_line(const std::string& response)
{
    return response.substr(0, response.find("\r\n"));
}

[[nodiscard]] inline bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

/// A server on a free port of loopback with short timeouts. Its handler answers `METHOD target
/// body`.
class server_kit
{
public:
    asio::io_context io{1};
    session_settings settings;
    connection_limit limit{100};
    int handled = 0;
    http_handler handler = [this](http_request request) { return echo(std::move(request)); };
    std::unique_ptr<http_server> server;
    asio::ip::tcp::endpoint at;

    server_kit()
    {
        settings.tick = std::chrono::milliseconds(5);
        settings.linger_timeout = std::chrono::milliseconds(200);
    }

    void start()
    {
        asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        at = acceptor.local_endpoint();
        server = std::make_unique<http_server>(io, std::move(acceptor), settings, handler, limit);
        server->start();
    }

    /// Sends `bytes` on a new connection and returns everything that comes back until the server
    /// closes.
    std::string exchange(const std::string& bytes, const boost::source_location& where = BOOST_CURRENT_LOCATION)
    {
        std::string all;
        run_coro(
            io,
            [&]() -> asio::awaitable<void>
            {
                raw_client client(io, at);
                co_await client.send(bytes);
                all = co_await client.receive_all();
                closed_in_order = client.closed_in_order();
            },
            std::chrono::seconds(20), where);
        return all;
    }

    bool closed_in_order = false;

private:
    asio::awaitable<http_response> echo(http_request request)
    {
        ++handled;
        http_response answer;
        answer.fields.add("Content-Type", "text/plain");
        answer.body = request.method + ' ' + request.target + ' ' + request.body;
        co_return answer;
    }
};

} // namespace marquee::test
