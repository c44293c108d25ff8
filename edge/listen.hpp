// Listening sockets, one a thread, all on one port.
#pragma once

#include "edge/config.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace marquee
{

/// The address to listen on. A name is looked up. Blocks. Fails with bad_request.
[[nodiscard]] result<asio::ip::tcp::endpoint> resolve_listen_address(const listen_address& address);

/// Fails with unavailable where somebody else listens there: with SO_REUSEPORT alone, two edges would silently share the port.
[[nodiscard]] result<void> check_port_is_free(const asio::ip::tcp::endpoint& at);

/// A listening socket that shares its port with those of the other threads. Fails with unavailable.
[[nodiscard]] result<asio::ip::tcp::acceptor> listen_on(asio::io_context& io, const asio::ip::tcp::endpoint& at);

/// From now on who asks `acceptor` for a connection gets no answer, and asks again in a second. Handshakes under way come to their end, and
/// connections that wait to be accepted stay. Closing it without this would reset what completes meanwhile.
void turn_newcomers_away(asio::ip::tcp::acceptor& acceptor);

/// `127.0.0.1:8080`, `[::1]:8080`.
[[nodiscard]] std::string to_text(const asio::ip::tcp::endpoint& at);

} // namespace marquee
