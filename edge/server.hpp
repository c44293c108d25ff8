// The HTTP server of one io thread: accepts, keeps count, enforces timeouts, drains.
#pragma once

#include "broker/deadline.hpp"
#include "edge/session.hpp"
#include "edge/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace marquee
{

/// How many connections there are in all threads, how many there may be, and how many of one address (of IPv6: of one /64).
class connection_limit
{
public:
    /// `per_address` 0: any number. Proxies stand for many clients: those of `exempt` are not counted by address.
    explicit connection_limit(std::size_t most, std::size_t per_address = 0, network_list exempt = {})
        : most_(most), per_address_(per_address), exempt_(std::move(exempt))
    {
    }

    enum class entry
    {
        granted,
        too_many,
        too_many_of_address,
    };

    /// Whoever was granted entry leaves once. Thread-safe, as is leave.
    [[nodiscard]] entry enter(const client_address& from);
    void leave(const client_address& from);

private:
    [[nodiscard]] bool counts(const client_address& from) const noexcept { return per_address_ > 0 && !exempt_.contains(from); }

    std::size_t most_;
    std::size_t per_address_;
    network_list exempt_;
    std::atomic<std::size_t> count_{0};
    std::mutex mutex_;
    std::map<client_address::bytes, std::size_t> of_address_; ///< no more entries than there are connections
};

/// All members are called on the io thread. Outlives its sessions if stop() has returned or the io_context runs no more.
class http_server
{
public:
    /// With `tls`, which outlives the server, it serves HTTPS and nothing else.
    http_server(asio::io_context& io, asio::ip::tcp::acceptor acceptor, const session_settings& settings, http_handler handler,
                connection_limit& limit, const tls_credentials* tls = nullptr);

    void start();

    /// Accepts no more, lets the requests under way be answered, tells keep-alive clients, and closes the rest at `until`.
    [[nodiscard]] asio::awaitable<void> stop(deadline until);

    /// Waits for the last session to end, until `until` at most.
    [[nodiscard]] asio::awaitable<void> wait_until_empty(deadline until);

    [[nodiscard]] std::size_t connections() const noexcept { return sessions_.size(); }

private:
    using session_list = std::list<std::shared_ptr<http_session>>;

    asio::awaitable<void> accept();
    asio::awaitable<void> watch_timeouts();
    asio::awaitable<void> stop_listening(deadline until);
    boost::system::error_code take_waiting(std::size_t most);
    std::shared_ptr<http_session> new_session(asio::ip::tcp::socket socket);
    void admit(asio::ip::tcp::socket socket);
    void serve(asio::ip::tcp::socket socket, const client_address& from);
    void end(session_list::iterator session, const client_address& from);

    asio::io_context& io_;
    asio::ip::tcp::acceptor acceptor_;
    session_settings settings_;
    http_handler handler_;
    connection_limit& limit_;
    const tls_credentials* tls_;
    session_list sessions_; ///< whose timeouts are due to be looked at first, first
    asio::steady_timer ticker_;
    asio::steady_timer pause_;    ///< of accepting, when descriptors have run out
    asio::steady_timer all_gone_; ///< cancelled when the last session ends
    bool stopping_ = false;
    bool stopped_ = false;
};

} // namespace marquee
