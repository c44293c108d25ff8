#include "tests/support/slow_clients.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace
{

constexpr auto byte_interval = 2s; // of one client; the bytes of all are spread over it
constexpr auto round = 10ms;

slowness kind_of(std::size_t n)
{
    const auto of_hundred = n * 37 % 100; // mixed
    if (of_hundred < 20)
        return slowness::silent;
    if (of_hundred < 50)
        return slowness::head;
    if (of_hundred < 75)
        return slowness::body;
    return of_hundred < 99 ? slowness::idle : slowness::reader;
}

std::string first_bytes(slowness kind, const std::string& large)
{
    switch (kind)
    {
    case slowness::silent:
        return {};
    case slowness::head:
        return "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ";
    case slowness::body:
        return "POST /play/asset/123/user/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    case slowness::reader:
    {
        std::string many;
        for (int i = 0; i < 900; ++i)
            many += "GET " + large + " HTTP/1.1\r\nHost: a\r\n\r\n";
        return many;
    }
    case slowness::idle:
        return "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    return {};
}

[[noreturn]] void fail(const char* what) { throw std::runtime_error(std::string(what) + ": " + std::strerror(errno)); }

} // namespace

slow_clients::slow_clients(int port, std::size_t count, const std::string& large)
    : poll_(::epoll_create1(EPOLL_CLOEXEC))
{
    clients_.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        connect(port, kind_of(i), large);
    thread_ = std::thread([this] { run(); });
}

slow_clients::~slow_clients()
{
    ending_ = true;
    if (thread_.joinable())
        thread_.join();
    for (const auto& each : clients_)
        if (each.fd >= 0)
            ::close(each.fd);
    ::close(poll_);
}

void slow_clients::connect(int port, slowness kind, const std::string& large)
{
    auto& one = clients_.emplace_back();
    one.kind = kind;
    one.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int small = 1;
    if (kind == slowness::reader)
        ::setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (one.fd < 0 || ::connect(one.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
        ::fcntl(one.fd, F_SETFL, O_NONBLOCK) != 0)
        fail("a slow client cannot connect");
    const auto bytes = first_bytes(kind, large);
    (void)::send(one.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); // what the socket takes at once
    epoll_event event{};
    event.events = kind == slowness::reader ? 0U : static_cast<unsigned>(EPOLLIN); // errors are reported in any case
    event.data.u64 = clients_.size() - 1;
    if (::epoll_ctl(poll_, EPOLL_CTL_ADD, one.fd, &event) != 0)
        fail("epoll_ctl");
    ++open_;
    ++open_of_[static_cast<std::size_t>(kind)];
}

void slow_clients::run()
{
    auto next = clock::now() + round;
    while (!ending_)
    {
        std::array<epoll_event, 256> ready{};
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now()).count();
        const int count = ::epoll_wait(poll_, ready.data(), ready.size(), std::max(0, static_cast<int>(wait)));
        for (int i = 0; i < count; ++i)
            handle_events(clients_[ready[static_cast<std::size_t>(i)].data.u64],
                          ready[static_cast<std::size_t>(i)].events);
        if (clock::now() < next)
            continue;
        next += round;
        send_bytes();
    }
}

void slow_clients::handle_events(client& one, unsigned events)
{
    std::array<char, 4096> discarded; // NOLINT: filled by recv
    const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
    if (one.fd < 0 || (!broken && ::recv(one.fd, discarded.data(), discarded.size(), 0) > 0))
        return;
    ::close(one.fd);
    one.fd = -1;
    --open_of_[static_cast<std::size_t>(one.kind)];
    --open_;
}

void slow_clients::send_bytes()
{
    constexpr std::size_t rounds = byte_interval / round;
    for (std::size_t i = round_++ % rounds; i < clients_.size(); i += rounds)
        if (const auto& one = clients_[i]; one.fd >= 0 && (one.kind == slowness::head || one.kind == slowness::body))
            (void)::send(one.fd, "x", 1, MSG_NOSIGNAL);
}

bool slow_clients::wait_until_closed(std::chrono::milliseconds limit) const
{
    for (const auto end = clock::now() + limit; open_ > 0; std::this_thread::sleep_for(5ms)) // polling interval
        if (clock::now() > end)
            return false;
    return true;
}

} // namespace marquee::test
