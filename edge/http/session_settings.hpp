// The limits of an HTTP connection: sizes, numbers, times.
#pragma once

#include "edge/http/client_address.hpp"
#include "edge/http/cors.hpp"
#include "edge/http/framing.hpp"
#include "edge/http/request_body.hpp"
#include "schemas/error.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace marquee
{

namespace asio = boost::asio;

/// Input that was answered without the handler.
struct refused_input
{
    int status = 0;
    std::string_view request_id; ///< that the answer has; empty: there was no answer
    const error* why = nullptr;
    client_address peer;
};

/// Of one connection, unless a member says otherwise. Sizes are bytes.
struct session_settings
{
    head_limits head;
    cors_policy cors;
    body_limits body;
    std::size_t buffer_bytes = 32 * 1024; ///< of input that is not read yet; no less than a head
    std::uint64_t requests = 1000;        ///< then the connection is closed; 0: any number

    std::chrono::milliseconds handshake_timeout{10000}; ///< for a TLS handshake

    /// From the first byte of a head to its last; on a new connection from its start, or from the
    /// end of its handshake.
    std::chrono::milliseconds header_timeout{10000};

    std::chrono::milliseconds body_timeout{10000}; ///< for a whole body

    /// Between requests. Longer than load balancers keep connections, so that they close first.
    std::chrono::milliseconds idle_timeout{75000};

    std::chrono::milliseconds write_timeout{10000};   ///< for a client that takes nothing of an answer
    std::chrono::milliseconds answer_timeout{600000}; ///< for a client to take a whole answer

    /// After the last answer the client's input is discarded until it closes: this long since its
    /// last byte, this long in all, and this much; then the connection is reset.
    std::chrono::milliseconds linger_timeout{1000};
    std::chrono::milliseconds linger_time{10000};
    std::size_t linger_bytes = 64 * 1024 * 1024;

    /// While draining: how long an idle connection may still send a request, and how long the
    /// server accepts connections whose TCP handshake has begun.
    std::chrono::milliseconds drain_idle{500};
    std::chrono::milliseconds drain_handshakes{100};

    std::chrono::milliseconds tick{200}; ///< how often timeouts are checked

    /// Awaited after an `overloaded` answer, before the next request is read. May be empty.
    std::function<asio::awaitable<void>()> wait_for_room;

    /// Called for every answer that the handler did not make. May be empty.
    std::function<void(const refused_input&)> on_refused;
};

} // namespace marquee
