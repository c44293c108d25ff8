// Listening sockets: one per io thread, all on one port by SO_REUSEPORT.
#pragma once

#include "schemas/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

namespace asio = boost::asio;

/// Of the option --listen.
struct listen_address
{
    std::string host = "127.0.0.1"; ///< a name or an address, without brackets
    std::uint16_t port = 8080;      ///< 0: any free one
};

/// Reads `HOST:PORT`, an IPv6 address in brackets. Fails with bad_request; the detail continues the
/// name of the option.
[[nodiscard]] result<listen_address> parse_listen_address(std::string_view text);

/// The endpoint to listen on. Resolves a name; blocks meanwhile. Fails with bad_request.
[[nodiscard]] result<asio::ip::tcp::endpoint> resolve_listen_address(const listen_address& address);

/// Fails with unavailable where another program listens there: because of SO_REUSEPORT, two edges
/// would silently share the port.
[[nodiscard]] result<void> check_port_is_free(const asio::ip::tcp::endpoint& at);

/// A listening socket that shares its port with those of other threads. Fails with unavailable.
[[nodiscard]] result<asio::ip::tcp::acceptor> listen_on(asio::io_context& io, const asio::ip::tcp::endpoint& at);

/// Makes the kernel drop new SYNs, so that no connection is reset when `acceptor` is closed later:
/// clients retry after a second, handshakes that have begun complete, and pending connections can
/// still be accepted. Without the kernel's support for socket filters it does nothing.
void stop_listening_without_reset(asio::ip::tcp::acceptor& acceptor);

/// Writes an endpoint: `127.0.0.1:8080`, `[::1]:8080`.
[[nodiscard]] std::string to_text(const asio::ip::tcp::endpoint& at);

} // namespace marquee
