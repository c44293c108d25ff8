#include "tests/integration/nats/scripted_broker.hpp"

#include <array>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

scripted_client::scripted_client(int fd, SSL_CTX* tls)
    : fd_(fd), tls_(tls != nullptr ? SSL_new(tls) : nullptr, SSL_free)
{
    if (tls_)
        SSL_set_fd(tls_.get(), fd_);
}

scripted_client::~scripted_client() { ::close(fd_); }

void scripted_client::say(std::string_view text)
{
    if (!secure_)
        say_raw(text);
    else if (SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) <= 0)
        ended_ = true;
}

void scripted_client::say_raw(std::string_view bytes)
{
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
        ended_ = true;
}

void scripted_client::shake_hands()
{
    secure_ = SSL_accept(tls_.get()) == 1;
    ended_ = ended_ || !secure_;
}

std::string scripted_client::hear(std::string_view end)
{
    std::array<char, 4096> some{};
    while (!ended_ && (end.empty() || heard_.find(end) == std::string::npos))
    {
        const auto got = secure_ ? SSL_read(tls_.get(), some.data(), static_cast<int>(some.size()))
                                 : static_cast<int>(::recv(fd_, some.data(), some.size(), 0));
        if (got > 0)
            heard_.append(some.data(), static_cast<std::size_t>(got));
        else
            ended_ = true;
    }
    const auto at = end.empty() ? std::string::npos : heard_.find(end);
    const auto size = at == std::string::npos ? heard_.size() : at + end.size();
    auto all = heard_.substr(0, size);
    heard_.erase(0, size);
    return all;
}

void scripted_client::wait_for_end() { (void)hear({}); }

void scripted_client::reset()
{
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    const sockaddr nowhere{AF_UNSPEC, {}};
    ::connect(fd_, &nowhere, sizeof nowhere); // which resets, and leaves the number open
    ended_ = true;
}

void scripted_client::cut() const { ::shutdown(fd_, SHUT_RDWR); }

scripted_broker::scripted_broker(script play, const certified_key* certified)
    : play_(std::move(play)), tls_(certified != nullptr ? SSL_CTX_new(TLS_server_method()) : nullptr, SSL_CTX_free)
{
    if (tls_ && (SSL_CTX_use_certificate(tls_.get(), certified->certificate.get()) != 1 ||
                 SSL_CTX_use_PrivateKey(tls_.get(), certified->key.get()) != 1))
        throw std::runtime_error("a certificate that cannot be used");
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error("no port for a scripted broker");
    port_ = ntohs(at.sin_port);
    accepting_ = std::thread([this] { accept(); });
}

scripted_broker::~scripted_broker()
{
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    cut();
    for (auto& each : sessions_)
        each.thread.join();
}

void scripted_broker::accept()
{
    for (;;)
    {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        const std::lock_guard lock(mutex_);
        auto& made = sessions_.emplace_back();
        made.client = std::make_unique<scripted_client>(fd, tls_.get());
        made.thread = std::thread(
            [this, client = made.client.get()]
            {
                play_(*client);
                client->cut();
            });
    }
}

int scripted_broker::clients() const
{
    const std::lock_guard lock(mutex_);
    return static_cast<int>(sessions_.size());
}

void scripted_broker::cut() const
{
    const std::lock_guard lock(mutex_);
    for (const auto& each : sessions_)
        each.client->cut();
}

std::string info_line(const std::string& more)
{
    return R"(INFO {"server_id":"S","version":"2.10.27","proto":1,"max_payload":1048576,"headers":true)" + more +
           "}\r\n";
}

void serve_as_broker(scripted_client& client, std::string* connect)
{
    std::string pattern;
    std::string sid;
    while (!client.ended())
    {
        std::istringstream line(client.hear("\r\n"));
        std::string word;
        line >> word;
        if (word == "CONNECT" && connect != nullptr)
            *connect = line.str();
        else if (word == "PING")
            client.say("PONG\r\n");
        else if (word == "SUB")
            line >> pattern >> sid;
        else if (word == "PUB")
        {
            std::string subject;
            std::string size;
            line >> subject >> size;
            client.say("MSG " + subject + ' ' + sid + ' ' + size + "\r\n" + client.hear("\r\n"));
        }
    }
}

} // namespace marquee::test
