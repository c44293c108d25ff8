// The HTTP server of one io thread: accepts connections, limits them, enforces timeouts, drains.
#pragma once

#include "broker/base/deadline.hpp"
#include "edge/server/session.hpp"
#include "edge/server/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace marquee
{

/// Limits the connections of the whole process, and those of one address (of IPv6: of one /64).
/// Thread-safe.
class connection_limit
{
public:
    /// `most` in all, `per_address` of one address (0: any number). Addresses in `exempt` are not
    /// limited by address: a proxy has the connections of many clients.
    explicit connection_limit(std::size_t most, std::size_t per_address = 0, network_list exempt = {})
        : most_(most), per_address_(per_address), exempt_(std::move(exempt))
    {
    }

    /// Sets other limits. Connections that are there stay, and count.
    void change(std::size_t most, std::size_t per_address, network_list exempt);

    enum class entry
    {
        granted,
        too_many,
        too_many_of_address,
    };

    /// Counts a connection where there is room for it; then the caller calls leave() exactly once.
    /// Throws std::bad_alloc and has counted nothing.
    [[nodiscard]] entry enter(const client_address& from);
    void leave(const client_address& from);

private:
    std::mutex mutex_;
    std::size_t most_;
    std::size_t per_address_;
    network_list exempt_;
    std::size_t count_ = 0;
    std::map<client_address::bytes, std::size_t> of_address_; ///< no more entries than there are connections
};

/// All members are called on the io thread. Its sessions refer to it: it is destroyed after
/// wait_until_empty() has seen the last one end, or when the io_context has stopped for good.
class http_server
{
public:
    /// With `tls` it serves HTTPS only. `limit` and `tls` outlive the server.
    http_server(asio::io_context& io, asio::ip::tcp::acceptor acceptor, const session_settings& settings,
                http_handler handler, connection_limit& limit, const tls_credentials* tls = nullptr);

    /// Starts to accept connections. Call once.
    void start();

    /// Drains. Accepts what arrives within `drain_handshakes`, then stops listening. Each
    /// connection ends with the answer to its current request, which says `Connection: close`; an
    /// idle one may send one more request within `drain_idle`. Returns when all have ended, or at
    /// `until`: then the sockets of the rest are closed, and their handlers may still run
    /// (wait_until_empty).
    [[nodiscard]] asio::awaitable<void> stop(deadline until);

    /// Waits until the last session has ended, or until `until`.
    [[nodiscard]] asio::awaitable<void> wait_until_empty(deadline until);

    /// Sets other limits, times and origins, of open connections too. What a connection reserves
    /// stays as it was when it began: the limits of a head, and the size of its buffer. The
    /// functions in `settings` are ignored.
    void change(const session_settings& settings);

    [[nodiscard]] std::size_t connections() const noexcept { return sessions_.size(); }

private:
    using session_list = std::list<std::shared_ptr<http_session>>;

    asio::awaitable<void> accept();
    asio::awaitable<void> watch_timeouts();
    asio::awaitable<void> stop_listening(deadline until);
    boost::system::error_code accept_pending(std::size_t most);
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
    session_list sessions_;       ///< in the order in which watch_timeouts() looks at them
    asio::steady_timer ticker_;   ///< of watch_timeouts()
    asio::steady_timer pause_;    ///< of accept(), while there are no descriptors
    asio::steady_timer all_gone_; ///< cancelled when the last session ends
    bool stopping_ = false;       ///< stop() was called
    bool stopped_ = false;        ///< stop() has done its work
};

} // namespace marquee
