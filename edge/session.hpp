// One HTTP/1 connection: reads a request, has it answered, writes the answer, in order, until one side is done.
#pragma once

#include "edge/cors.hpp"
#include "edge/framing.hpp"
#include "edge/http.hpp"
#include "edge/request_body.hpp"
#include "edge/tls_stream.hpp"

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

struct session_settings
{
    head_limits head;
    cors_policy cors;
    body_limits body;
    std::size_t buffer_bytes = 32 * 1024;               ///< unread input; no less than a head
    std::size_t linger_bytes = 64 * 1024 * 1024;        ///< of what comes after the last answer; then the connection is reset
    std::uint64_t requests = 1000;                      ///< of a connection; 0: any number
    std::chrono::milliseconds handshake_timeout{10000}; ///< where there is TLS
    std::chrono::milliseconds header_timeout{
        10000}; ///< from the first byte of a head (of a new connection: from its start, or the end of the handshake) to its last
    std::chrono::milliseconds idle_timeout{
        75000}; ///< between requests; longer than balancers keep connections, so that they are the first
    std::chrono::milliseconds body_timeout{10000};    ///< for a whole body
    std::chrono::milliseconds write_timeout{10000};   ///< for a client to take any part of an answer; anew with each
    std::chrono::milliseconds answer_timeout{600000}; ///< for a whole answer
    std::chrono::milliseconds linger_timeout{
        1000}; ///< for the client to take the last answer and stop sending; anew with what it sends
    std::chrono::milliseconds linger_time{10000}; ///< for all of that
    std::chrono::milliseconds drain_idle{500};    ///< when stopping: for a request that may be on its way on an idle connection
    std::chrono::milliseconds drain_handshakes{
        100};                            ///< when stopping: for connections whose handshake is under way, as TCP has it
    std::chrono::milliseconds tick{200}; ///< how precisely the timeouts are kept
    std::function<asio::awaitable<void>()> wait_for_room; ///< after an `overloaded` answer, before the next request is read
    std::function<void(int status)> on_refused;           ///< told of every answer that the handler did not make
};

using http_handler = std::function<asio::awaitable<http_response>(http_request)>;

/// All members are called on the socket's io thread.
class http_session
{
public:
    using clock = std::chrono::steady_clock;

    virtual ~http_session() = default;

    /// `settings` and `handler` must outlive the session.
    [[nodiscard]] static std::shared_ptr<http_session> make(asio::ip::tcp::socket socket, const session_settings& settings,
                                                            const http_handler& handler);
    [[nodiscard]] static std::shared_ptr<http_session> make(tls_stream stream, const session_settings& settings,
                                                            const http_handler& handler);

    /// Serves the connection to its end; then the socket is closed. Call once, and keep the session alive meanwhile. Throws nothing but bugs.
    virtual asio::awaitable<void> run() = 0;

    /// Ends what has taken too long; whoever owns the session calls it every `tick`.
    virtual void enforce_timeouts(clock::time_point now) = 0;

    /// The request under way, or one that comes within `drain_idle`, is the last one: its answer says so.
    virtual void drain() = 0;

    /// Closes the socket at once.
    virtual void close() = 0;
};

} // namespace marquee
