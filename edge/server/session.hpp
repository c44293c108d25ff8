// One HTTP/1 connection: reads a request, calls the handler, writes the answer, and so on in order
// until one side ends it.
#pragma once

#include "edge/http/http.hpp"
#include "edge/http/session_settings.hpp"
#include "edge/server/tls_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace marquee
{

namespace asio = boost::asio;

/// Answers one request. What it throws is logged and answered with 502.
using http_handler = std::function<asio::awaitable<http_response>(http_request)>;

/// All members are called on the socket's io thread. Owned by a shared_ptr until run() has ended.
class http_session
{
public:
    using clock = std::chrono::steady_clock;

    virtual ~http_session() = default;

    /// `settings` and `handler` must outlive the session.
    [[nodiscard]] static std::shared_ptr<http_session>
    make(asio::ip::tcp::socket socket, const session_settings& settings, const http_handler& handler);
    [[nodiscard]] static std::shared_ptr<http_session> make(tls_stream stream, const session_settings& settings,
                                                            const http_handler& handler);

    /// Serves the connection to its end and closes the socket. Call once. Throws only for bugs and
    /// where there is no memory.
    virtual asio::awaitable<void> run() = 0;

    /// Cancels an operation that has taken too long. The owner calls it every `tick`.
    virtual void enforce_timeouts(clock::time_point now) = 0;

    /// Makes the current request the last one, or one that an idle connection sends within
    /// `drain_idle`. Its answer says `Connection: close`.
    virtual void drain() = 0;

    /// Closes the socket at once; run() ends when its handler has returned.
    virtual void close() = 0;
};

} // namespace marquee
