// A broker that does what a test wants, byte for byte, each connection on a thread of its own.
#pragma once

#include "tests/support/certificates.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

namespace marquee::test
{

/// One client, as the script of its connection sees it. Calls return once the client has gone.
class scripted_client
{
public:
    scripted_client(int fd, SSL_CTX* tls);
    ~scripted_client();
    scripted_client(const scripted_client&) = delete;
    scripted_client& operator=(const scripted_client&) = delete;

    void say(std::string_view text); ///< through TLS, once it is there
    void say_raw(std::string_view bytes);
    void shake_hands();

    /// All that comes up to `end`, or to the end of the connection.
    std::string hear(std::string_view end);

    void wait_for_end(); ///< of the connection, by the client
    void reset();        ///< ends it with RST

    [[nodiscard]] bool ended() const noexcept { return ended_; }
    void cut() const; ///< from any thread

private:
    int fd_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    bool secure_ = false;
    bool ended_ = false;
    std::string heard_;
};

class scripted_broker
{
public:
    using script = std::function<void(scripted_client&)>;

    /// `certified` for scripts that shake hands.
    explicit scripted_broker(script play, const certified_key* certified = nullptr);
    ~scripted_broker(); ///< cuts what is left
    scripted_broker(const scripted_broker&) = delete;
    scripted_broker& operator=(const scripted_broker&) = delete;

    [[nodiscard]] std::string host_port() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string url() const { return "nats://" + host_port(); }
    [[nodiscard]] int clients() const; ///< so far
    void cut() const;                  ///< all of its connections

private:
    void accept();

    struct session
    {
        std::unique_ptr<scripted_client> client;
        std::thread thread;
    };

    script play_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_;
    int listener_ = -1;
    int port_ = 0;
    mutable std::mutex mutex_;
    std::vector<session> sessions_;
    std::thread accepting_;
};

/// What a server says first. `more` is further members, each with a comma before it.
[[nodiscard]] std::string info_line(const std::string& more = {});

/// A broker for one client: PING, and a message to what it has subscribed. Notes its CONNECT in
/// `connect`.
void serve_as_broker(scripted_client& client, std::string* connect = nullptr);

} // namespace marquee::test
