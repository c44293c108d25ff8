// The certificate and key of the edge, and its TLS configuration.
#pragma once

#include "edge/server/tls_files.hpp"
#include "schemas/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <openssl/ssl.h>

namespace marquee
{

namespace asio = boost::asio;

/// TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only; no renegotiation, no
/// compression, no early data; ALPN http/1.1. One object for all threads.
class tls_credentials
{
public:
    /// Reads the files. Fails with bad_request where they cannot be read, are not PEM, do not
    /// belong together, or are too weak. A certificate that has expired, or is not valid yet, is
    /// accepted with a warning: clients judge it.
    [[nodiscard]] static result<std::unique_ptr<tls_credentials>> from(const tls_files& files);

    /// The context for new connections; existing ones keep theirs. Thread-safe.
    [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;

    /// When the certificate ends; nothing where its date cannot be read. Thread-safe.
    [[nodiscard]] std::optional<std::chrono::system_clock::time_point> not_after() const;

    /// Reads the files again. Where they cannot be used, an error is logged and the previous
    /// certificate stays in use. Thread-safe.
    void reload();

private:
    tls_credentials(tls_files files, std::shared_ptr<SSL_CTX> made)
        : files_(std::move(files)), current_(std::move(made))
    {
    }

    const tls_files files_;
    mutable std::mutex mutex_;
    std::shared_ptr<SSL_CTX> current_;
};

/// Reloads the credentials at every SIGHUP, on the thread that runs `io`.
class tls_reloader
{
public:
    /// Construct it on the thread that runs `io`: unblocks SIGHUP there (block_sighup() blocked
    /// it), and a pending one is delivered. `credentials` outlive it.
    tls_reloader(asio::io_context& io, tls_credentials& credentials);

private:
    void wait();

    tls_credentials& credentials_;
    asio::signal_set hangup_;
};

} // namespace marquee
