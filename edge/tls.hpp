// The certificate and key of the edge, and what TLS it speaks with them.
#pragma once

#include "schemas/error.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <memory>
#include <mutex>
#include <string>

#include <openssl/ssl.h>

namespace marquee
{

namespace asio = boost::asio;

struct tls_files
{
    std::string certificate; ///< PEM: the certificate, then those between it and the root; empty: no TLS
    std::string key;         ///< PEM, without a password
};

/// TLS 1.2 and 1.3 with forward secrecy and authenticated encryption only; no renegotiation, no compression, no early data; ALPN http/1.1.
class tls_credentials
{
public:
    /// Reads the files. Fails with bad_request where they cannot be read, are not PEM, do not belong together, or are too weak. A certificate
    /// that has expired, or is not yet valid, is taken with a warning: clients are to judge it.
    [[nodiscard]] static result<std::unique_ptr<tls_credentials>> from(const tls_files& files);

    /// What new connections use; those there are go on with what they have. Thread-safe.
    [[nodiscard]] std::shared_ptr<SSL_CTX> current() const;

    /// Reads the files again. Where they are of no use the last ones stand, and an error is logged. Thread-safe.
    void reload();

private:
    tls_credentials(tls_files files, std::shared_ptr<SSL_CTX> made) : files_(std::move(files)), current_(std::move(made)) {}

    const tls_files files_;
    mutable std::mutex mutex_;
    std::shared_ptr<SSL_CTX> current_;
};

/// Reloads at every SIGHUP, on the thread that runs `io`.
class tls_reloader
{
public:
    /// `credentials` outlive it. Called on the thread that is to run `io`, and lets a SIGHUP through to it that was held back until now.
    tls_reloader(asio::io_context& io, tls_credentials& credentials);

private:
    void wait();

    tls_credentials& credentials_;
    asio::signal_set hangup_;
};

} // namespace marquee
