#include "tests/support/raw_http.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

using clock = std::chrono::steady_clock;

namespace
{

sockaddr_in loopback(int last, int port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(0x7f000000U + static_cast<unsigned>(last));
    return address;
}

} // namespace

raw_connection::raw_connection(int port, int last) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    const auto from = loopback(last, 0);
    const auto to = loopback(1, port);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
        ::fcntl(fd_, F_SETFL, O_NONBLOCK) != 0)
        throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
}

raw_connection::~raw_connection()
{
    if (fd_ >= 0)
        ::close(fd_);
}

raw_connection::raw_connection(raw_connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), closed_(other.closed_), received_(std::move(other.received_))
{
}

void raw_connection::read_some()
{
    std::array<char, 65536> chunk; // NOLINT: filled by recv
    const auto size = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (size > 0)
        received_.append(chunk.data(), static_cast<std::size_t>(size));
    else if (size == 0 || errno != EAGAIN)
        closed_ = true;
}

/// Waits for the socket and reads what is available. False: the time is up.
bool raw_connection::turn(short wanted, clock::time_point until)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd ready{fd_, wanted, 0};
    if (left < 0 || ::poll(&ready, 1, static_cast<int>(left) + 1) == 0)
        return false;
    if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        read_some();
    return true;
}

bool raw_connection::send(std::string_view bytes, std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    while (!bytes.empty() && !closed_)
    {
        const auto size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (size > 0)
            bytes.remove_prefix(static_cast<std::size_t>(size));
        else if (errno != EAGAIN)
            closed_ = true;
        else if (!turn(POLLIN | POLLOUT, until))
            return false;
    }
    return !closed_;
}

void raw_connection::shut_down() const { ::shutdown(fd_, SHUT_WR); }

bool raw_connection::wait_for(std::string_view part, std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    while (!closed_ && received_.find(part) == std::string::npos)
        if (!turn(POLLIN, until))
            return false;
    return true;
}

bool raw_connection::wait_for_end(std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    while (!closed_)
        if (!turn(POLLIN, until))
            return false;
    return true;
}

std::vector<http_answer> answers_in(std::string_view received, const std::vector<std::size_t>& bodiless)
{
    std::vector<http_answer> all;
    while (!received.empty())
    {
        const auto end = received.find("\r\n\r\n");
        if (!received.starts_with("HTTP/1.") || end == std::string_view::npos)
            throw std::runtime_error("no answer: " + std::string(received.substr(0, 200)));
        http_answer one;
        one.status = std::stoi(std::string(received.substr(9, 3)));
        auto head = received.substr(0, end + 2);
        received.remove_prefix(end + 4);
        for (head.remove_prefix(head.find("\r\n") + 2); !head.empty(); head.remove_prefix(head.find("\r\n") + 2))
        {
            const auto line = head.substr(0, head.find("\r\n"));
            const auto colon = line.find(": ");
            one.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        }
        const auto length = one.header("Content-Length");
        const bool has_body = std::find(bodiless.begin(), bodiless.end(), all.size()) == bodiless.end();
        const auto size = length.empty() || !has_body ? 0 : std::stoul(length);
        if (received.size() < size)
            throw std::runtime_error("half an answer: " + std::string(received.substr(0, 200)));
        one.body = received.substr(0, size);
        received.remove_prefix(size);
        all.push_back(std::move(one));
    }
    return all;
}

} // namespace marquee::test
