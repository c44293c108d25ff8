#include "edge/listen.hpp"

#include <sys/socket.h>

namespace marquee
{

using boost::system::error_code;
using tcp = asio::ip::tcp;
using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

namespace
{

error cannot_listen(const tcp::endpoint& at, const error_code& why)
{
    if (why == asio::error::address_in_use)
        return fail(errc::unavailable, "cannot listen on " + to_text(at) + ": the port is taken", "listen");
    return fail(errc::unavailable, "cannot listen on " + to_text(at) + ": " + why.message(), "listen");
}

result<tcp::acceptor> bind_to(asio::io_context& io, const tcp::endpoint& at, bool shared)
{
    error_code ec;
    tcp::acceptor acceptor(io);
    acceptor.open(at.protocol(), ec);
    if (!ec)
        acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec)
        acceptor.set_option(reuse_port(shared), ec);
    if (!ec)
        acceptor.bind(at, ec);
    if (!ec)
        acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec)
        return acceptor;
    return cannot_listen(at, ec);
}

} // namespace

result<tcp::endpoint> resolve_listen_address(const listen_address& address)
{
    error_code ec;
    if (const auto literal = asio::ip::make_address(address.host, ec); !ec)
        return tcp::endpoint(literal, address.port);
    asio::io_context io(1);
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, ec);
    if (ec || found.empty())
        return fail(errc::bad_request, "cannot listen on " + address.host + ": " + ec.message(), "listen");
    return found.begin()->endpoint();
}

result<void> check_port_is_free(const tcp::endpoint& at)
{
    if (at.port() == 0)
        return {};
    asio::io_context io(1);
    auto probe = bind_to(io, at, false);
    if (probe.has_error())
        return probe.error();
    return {};
}

result<tcp::acceptor> listen_on(asio::io_context& io, const tcp::endpoint& at) { return bind_to(io, at, true); }

std::string to_text(const tcp::endpoint& at)
{
    const auto host = at.address().to_string();
    return (at.address().is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(at.port());
}

} // namespace marquee
