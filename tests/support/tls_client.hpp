// Sends bytes to an HTTPS server and reads its answers.
#pragma once

#include "tests/support/http_client.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

namespace marquee::test
{

struct tls_settings
{
    std::string trusted = {}; ///< PEM of the authority that the server's certificate must be of; empty: any
    int lowest = 0;           ///< TLS1_2_VERSION and the like; 0: whatever there is
    int highest = 0;
    std::string ciphers = {};                          ///< of TLS 1.2, in OpenSSL's words
    std::vector<std::string> protocols = {"http/1.1"}; ///< ALPN; none: the extension is not sent
    std::string name = "localhost";                    ///< SNI
    std::shared_ptr<SSL_SESSION> session = {};         ///< to resume
};

/// A connection to 127.0.0.1:`port`, as raw_connection is one. One thread. Throws
/// std::runtime_error when it cannot connect at all.
class tls_connection
{
public:
    explicit tls_connection(int port, const tls_settings& wanted = {});
    ~tls_connection();
    tls_connection(const tls_connection&) = delete;
    tls_connection& operator=(const tls_connection&) = delete;

    /// False: it failed, and failure() says why, or `limit` has passed. The other members do the
    /// handshake by themselves.
    bool handshake(std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Sends all, and reads answers meanwhile. False: the server has closed, or
    /// `limit` has passed.
    bool send(std::string_view bytes, std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Reads until what has been received holds `part`, or until the server has closed. False:
    /// neither within `limit`.
    bool wait_for(std::string_view part, std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Reads until the server has closed. False: not within `limit`.
    bool wait_for_end(std::chrono::milliseconds limit = std::chrono::seconds(60));

    /// Sends close_notify.
    void send_close_notify();

    /// Renegotiates (TLS 1.2). False: it failed.
    bool renegotiate();

    [[nodiscard]] bool closed() const noexcept { return closed_; }
    [[nodiscard]] bool got_close_notify() const noexcept { return close_notify_; } ///< the server has sent it
    [[nodiscard]] const std::string& received() const noexcept { return received_; }
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    [[nodiscard]] std::string version() const { return SSL_get_version(tls_.get()); }
    [[nodiscard]] std::string cipher() const { return SSL_get_cipher_name(tls_.get()); }
    [[nodiscard]] std::string protocol() const; ///< what ALPN chose
    [[nodiscard]] std::string subject() const;  ///< the common name in the server's certificate
    [[nodiscard]] bool resumed() const { return SSL_session_reused(tls_.get()) == 1; }
    [[nodiscard]] std::shared_ptr<SSL_SESSION> session() const
    {
        return {SSL_get1_session(tls_.get()), SSL_SESSION_free};
    }
    [[nodiscard]] int descriptor() const noexcept { return fd_; }

private:
    using clock = std::chrono::steady_clock;

    bool wait(int outcome, clock::time_point until);
    bool read_some(clock::time_point until);

    int fd_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    bool closed_ = false;
    bool close_notify_ = false;
    std::string received_;
    std::string failure_;
};

} // namespace marquee::test
