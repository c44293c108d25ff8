// marquee-http-probe: one GET, for health checks in an image that has no shell and no curl.
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace
{

constexpr const char* usage = "Usage: marquee-http-probe http://HOST:PORT/PATH\n"
                              "\n"
                              "Exit code 0 where the answer is 200, 1 where it is another one or there is none within\n"
                              "two seconds, 2 for wrong usage.\n";
constexpr int seconds = 2;

struct target
{
    std::string host, port, path;
};

/// Of `http://HOST:PORT/PATH`; false where it is none. An IPv6 address has its brackets.
bool parse(std::string_view url, target& to)
{
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme) || url.find_first_of(" \r\n") != std::string_view::npos)
        return false;
    url.remove_prefix(scheme.size());
    const auto slash = url.find('/');
    if (slash == std::string_view::npos)
        return false;
    to.path = url.substr(slash);
    const auto authority = url.substr(0, slash);
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == authority.size())
        return false;
    to.port = authority.substr(colon + 1);
    to.host = authority.substr(0, colon);
    if (to.host.front() == '[' && to.host.back() == ']')
        to.host = to.host.substr(1, to.host.size() - 2);
    return !to.host.empty();
}

/// A connected socket, or -1.
int connect_to(const target& to)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found) != 0)
        return -1;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{found, &::freeaddrinfo};
    for (const auto* each = all.get(); each != nullptr; each = each->ai_next)
    {
        const int fd = ::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (fd < 0)
            continue;
        const timeval limit{seconds, 0}; // of connect(), too
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (::connect(fd, each->ai_addr, each->ai_addrlen) == 0)
            return fd;
        ::close(fd);
    }
    return -1;
}

/// The status of the answer as text; empty where none came.
std::string status_of(int fd, const target& to)
{
    const auto request = "GET " + to.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        return {};
    std::string answer;
    constexpr std::size_t wanted = 12; // "HTTP/1.1 200"
    while (answer.size() < wanted)
    {
        char part[wanted];
        const auto got = ::recv(fd, part, wanted - answer.size(), 0);
        if (got <= 0)
            return {};
        answer.append(part, static_cast<std::size_t>(got));
    }
    return answer.starts_with("HTTP/1.") ? answer.substr(9) : std::string();
}

} // namespace

int main(int argc, char** argv)
{
    target to;
    if (argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h"))
    {
        std::fputs(usage, stdout);
        return 0;
    }
    if (argc != 2 || !parse(argv[1], to))
    {
        std::fputs(usage, stderr);
        return 2;
    }
    const int fd = connect_to(to);
    const auto status = fd < 0 ? std::string() : status_of(fd, to);
    if (fd >= 0)
        ::close(fd);
    if (status == "200")
        return 0;
    std::fprintf(stderr, "%s: %s\n", argv[1], status.empty() ? "no answer" : status.c_str());
    return 1;
}
