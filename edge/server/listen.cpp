#include "edge/server/listen.hpp"

#include "schemas/parse_number.hpp"

#include <array>

#include <linux/filter.h>
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

/// An acceptor that is bound and does not listen yet.
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
        return acceptor;
    return cannot_listen(at, ec);
}

} // namespace

result<listen_address> parse_listen_address(std::string_view text)
{
    const auto wrong = fail(errc::bad_request, "an address is HOST:PORT, an IPv6 address in brackets");
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return wrong;
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    else if (host.find_first_of(":[]") != std::string_view::npos)
        return wrong;
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    if (host.empty() || !port)
        return wrong;
    return listen_address{std::string(host), *port};
}

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
    auto probe = bind_to(io, at, false); // and does not listen: a client that connects would be reset
    if (probe.has_error())
        return probe.error();
    return {};
}

result<tcp::acceptor> listen_on(asio::io_context& io, const tcp::endpoint& at)
{
    auto acceptor = bind_to(io, at, true);
    if (acceptor.has_error())
        return acceptor;
    error_code ec;
    acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
        return cannot_listen(at, ec);
    return acceptor;
}

void stop_listening_without_reset(tcp::acceptor& acceptor)
{
    constexpr unsigned flags_offset = 13; // in a TCP header
    constexpr unsigned syn = 0x02;
    std::array<sock_filter, 4> program{{
        {BPF_LD | BPF_B | BPF_ABS, 0, 0, flags_offset},
        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, syn},
        {BPF_RET | BPF_K, 0, 0, 0},
        {BPF_RET | BPF_K, 0, 0, ~0U},
    }};
    const sock_fprog drop_syn{program.size(), program.data()};
    // Where this fails, some connections may be reset.
    (void)::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &drop_syn, sizeof drop_syn);
}

std::string to_text(const tcp::endpoint& at)
{
    const auto host = at.address().to_string();
    return (at.address().is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(at.port());
}

} // namespace marquee
