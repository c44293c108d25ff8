#include "tests/bench/http_load.hpp"

#include "tests/support/http_answer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace marquee::bench
{

using clock = std::chrono::steady_clock;

namespace
{

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

/// A connection and when its request left.
struct client
{
    http_connection link;
    clock::time_point sent;
};

class running_load
{
public:
    explicit running_load(const http_load& what) : what_(what), poll_(::epoll_create1(0))
    {
        outcome_.microseconds.reserve(1 << 20);
        for (int i = 0; i < what.connections; ++i)
        {
            clients_.push_back({http_connection(what.port), {}});
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u32 = static_cast<std::uint32_t>(i);
            if (::epoll_ctl(poll_, EPOLL_CTL_ADD, clients_.back().link.descriptor(), &event) != 0)
                fail("epoll_ctl");
        }
    }
    ~running_load() { ::close(poll_); }
    running_load(const running_load&) = delete;
    running_load& operator=(const running_load&) = delete;

    http_outcome run()
    {
        const auto began = clock::now();
        end_ = began + std::chrono::duration_cast<clock::duration>(what_.time);
        for (auto& each : clients_)
            send(each, began);
        while (under_way_ > 0)
            receive_some();
        outcome_.rate = static_cast<double>(outcome_.microseconds.size()) / what_.time.count();
        return std::move(outcome_);
    }

private:
    void send(client& by, clock::time_point now)
    {
        request_.clear();
        what_.append_request(request_);
        by.sent = now;
        by.link.send(request_);
        ++outcome_.sent;
        ++under_way_;
    }

    void receive_some()
    {
        std::array<epoll_event, 256> ready{};
        const int count = ::epoll_wait(poll_, ready.data(), ready.size(), 10'000);
        if (count == 0)
            throw std::runtime_error("no answer for 10 s");
        for (int i = 0; i < count; ++i)
        {
            auto& from = clients_[ready[static_cast<std::size_t>(i)].data.u32];
            if (const auto answer = from.link.receive(); !answer.empty())
                answered(from, answer);
        }
    }

    void answered(client& from, std::string_view answer)
    {
        const auto now = clock::now();
        --under_way_;
        if (is_wrong(answer) && ++outcome_.wrong == 1)
            outcome_.first_wrong = answer;
        if (now >= end_)
            return;
        outcome_.microseconds.push_back(std::chrono::duration<float, std::micro>(now - from.sent).count());
        send(from, now);
    }

    const http_load& what_;
    int poll_;
    std::vector<client> clients_;
    std::string request_;
    clock::time_point end_;
    std::uint64_t under_way_ = 0;
    http_outcome outcome_;
};

} // namespace

http_connection::http_connection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        fail("cannot connect to the edge");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

http_connection::http_connection(http_connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)), taken_(other.taken_)
{
}

http_connection::~http_connection()
{
    if (fd_ >= 0)
        ::close(fd_);
}

void http_connection::send(const std::string& request) const
{
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        fail("cannot send a request");
}

std::string_view http_connection::receive()
{
    std::array<char, 16384> chunk; // NOLINT: filled by recv
    in_.erase(0, std::exchange(taken_, 0));
    const auto size = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (size <= 0)
        fail("the edge has closed a connection");
    in_.append(chunk.data(), static_cast<std::size_t>(size));
    const auto size_of_answer = test::answer_size(in_);
    if (!size_of_answer)
        throw std::runtime_error("an answer without a length: " + in_.substr(0, in_.find("\r\n\r\n")));
    taken_ = *size_of_answer;
    return std::string_view(in_).substr(0, taken_);
}

bool is_wrong(std::string_view answer)
{
    return !answer.starts_with("HTTP/1.1 200 ") || answer.find("\"degraded\"") != std::string_view::npos;
}

http_outcome run_http_load(const http_load& load) { return running_load(load).run(); }

} // namespace marquee::bench
