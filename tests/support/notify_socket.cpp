#include "tests/support/notify_socket.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace marquee::test
{

notify_socket::notify_socket(std::string name)
    : name_(std::move(name)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name_.empty() || name_.size() >= sizeof address.sun_path)
        throw std::runtime_error("no name for a socket: " + name_);
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (name_.front() == '@')
        address.sun_path[0] = '\0';
    // An abstract name ends where the length says, a path with its zero.
    const auto size = offsetof(sockaddr_un, sun_path) + name_.size() + (name_.front() == '@' ? 0 : 1);
    if (fd_ < 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)) != 0)
        throw std::runtime_error("cannot bind " + name_ + ": " + std::strerror(errno));
}

notify_socket::~notify_socket() { ::close(fd_); }

std::optional<std::string> notify_socket::receive(std::chrono::milliseconds limit) const
{
    pollfd ready{fd_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(limit.count())) != 1)
        return std::nullopt;
    std::array<char, 4096> text{};
    const auto size = ::recv(fd_, text.data(), text.size(), 0);
    return std::string(text.data(), static_cast<std::size_t>(size < 0 ? 0 : size));
}

} // namespace marquee::test
