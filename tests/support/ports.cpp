#include "tests/support/ports.hpp"

#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

namespace
{

constexpr int lowest = 10'000;
constexpr int highest = 20'999; ///< ephemeral ports start at 32768; tests in JavaScript use those between
constexpr int attempts = 100;

bool is_free(int port)
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<in_port_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    ::close(fd);
    return bound;
}

} // namespace

int free_port()
{
    static thread_local std::random_device random;
    std::uniform_int_distribution<int> any(lowest, highest);
    for (int i = 0; i < attempts; ++i)
        if (const int port = any(random); is_free(port))
            return port;
    throw std::runtime_error("no free port");
}

} // namespace marquee::test
