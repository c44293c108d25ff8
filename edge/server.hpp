// The HTTP server of one io thread: accepts, keeps count, enforces timeouts, drains.
#pragma once

#include "broker/deadline.hpp"
#include "edge/session.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <unordered_set>

namespace marquee
{

/// How many connections there are in all threads, and how many there may be.
class connection_limit
{
public:
    explicit connection_limit(std::size_t most) noexcept : most_(most) {}

    /// False: there are too many. Thread-safe, as is leave.
    [[nodiscard]] bool enter() noexcept
    {
        if (count_.fetch_add(1) < most_)
            return true;
        count_.fetch_sub(1);
        return false;
    }
    void leave() noexcept { count_.fetch_sub(1); }

private:
    std::size_t most_;
    std::atomic<std::size_t> count_{0};
};

/// All members are called on the io thread. Outlives its sessions if stop() has returned or the io_context runs no more.
class http_server
{
public:
    http_server(asio::io_context& io, asio::ip::tcp::acceptor acceptor, const session_settings& settings, http_handler handler,
                connection_limit& limit);

    void start();

    /// Accepts no more, lets the requests under way be answered, tells keep-alive clients, and closes the rest at `until`.
    [[nodiscard]] asio::awaitable<void> stop(deadline until);

    /// Waits for the last session to end, until `until` at most.
    [[nodiscard]] asio::awaitable<void> wait_until_empty(deadline until);

    [[nodiscard]] std::size_t connections() const noexcept { return sessions_.size(); }

private:
    asio::awaitable<void> accept();
    asio::awaitable<void> watch_timeouts();
    void take_waiting();
    void admit(asio::ip::tcp::socket socket);
    void serve(asio::ip::tcp::socket socket);

    asio::io_context& io_;
    asio::ip::tcp::acceptor acceptor_;
    session_settings settings_;
    http_handler handler_;
    connection_limit& limit_;
    std::unordered_set<std::shared_ptr<http_session>> sessions_;
    asio::steady_timer ticker_;
    asio::steady_timer pause_;    ///< of accepting, when descriptors have run out
    asio::steady_timer all_gone_; ///< cancelled when the last session ends
    bool stopping_ = false;
    bool stopped_ = false;
};

} // namespace marquee
