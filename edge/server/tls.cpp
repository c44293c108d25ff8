#include "edge/server/tls.hpp"

#include "broker/base/freed_by.hpp"
#include "broker/base/log.hpp"
#include "broker/base/watched_file.hpp"
#include "broker/program/program.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <csignal>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace marquee
{

namespace
{

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

error unusable(const std::string& what, const char* option) { return fail(errc::bad_request, what, option); }

/// `what` and OpenSSL's reason, if it gives one.
std::string with_reason(std::string what)
{
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == nullptr ? what : what + ": " + reason;
}

/// Refuses keys that need a password: a program without a terminal cannot ask for one.
int no_password(char*, int, int, void*) noexcept { return -1; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) noexcept
{
    static constexpr std::string_view wanted = "http/1.1";
    for (unsigned at = 0; at < offered_size; at += 1U + offered[at])
    {
        const std::string_view name(reinterpret_cast<const char*>(offered + at + 1),
                                    offered[at]); // OpenSSL has checked the lengths
        if (name != wanted)
            continue;
        *chosen = offered + at + 1;
        *size = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; // no_application_protocol (RFC 7301 section 3.2)
}

/// Mozilla's "intermediate" configuration without DHE.
std::shared_ptr<SSL_CTX> new_context()
{
    const std::shared_ptr<SSL_CTX> made(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    auto* tls = made.get();
    const bool set =
        tls != nullptr && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(
            tls, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                 "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") == 1 &&
        SSL_CTX_set1_groups_list(tls, "X25519:P-256:P-384") == 1;
    if (!set)
        return nullptr;
    SSL_CTX_set_security_level(tls, 2);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    // An idle connection holds no buffers. Without AUTO_RETRY a read returns after a record that is
    // not data: a flood of those cannot occupy the thread.
    SSL_CTX_set_mode(tls,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
    // Sessions are resumed by tickets, which need no memory here and are valid until the
    // certificate is reloaded.
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls, 1);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, nullptr);
    return made;
}

bio_ptr reader_of(const std::string& text)
{
    return bio_ptr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void warn_of_dates(const X509* certificate, const std::string& file)
{
    const bool early = X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0;
    const bool late = X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
    if (early || late)
        log(log_level::warning, late ? "the TLS certificate has expired" : "the TLS certificate is not yet valid",
            {{"file", file}});
}

result<void> use_certificate(SSL_CTX* tls, const std::string& file)
{
    const auto text = watched_file(file).read();
    if (text.has_error())
        return unusable("the TLS certificate: " + text.error().detail, "tls-cert");
    const auto from = reader_of(*text);
    const x509_ptr own(PEM_read_bio_X509_AUX(from.get(), nullptr, no_password, nullptr));
    if (!own)
        return unusable("the TLS certificate " + file + " is no certificate in PEM", "tls-cert");
    if (SSL_CTX_use_certificate(tls, own.get()) != 1)
        return unusable(with_reason("the TLS certificate " + file + " cannot be used"), "tls-cert");
    warn_of_dates(own.get(), file);
    while (X509* next = PEM_read_bio_X509(from.get(), nullptr, no_password, nullptr))
        if (SSL_CTX_add0_chain_cert(tls, next) != 1)
        {
            X509_free(next);
            return unusable(with_reason("the chain in " + file + " cannot be used"), "tls-cert");
        }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) // how the end of the file shows
        return unusable("the chain in " + file + " is not all certificates in PEM", "tls-cert");
    return {};
}

result<void> use_key(SSL_CTX* tls, const tls_files& files)
{
    auto text = watched_file(files.key).read(secrecy::secret);
    if (text.has_error())
        return unusable("the TLS key: " + text.error().detail, "tls-key");
    const key_ptr key(PEM_read_bio_PrivateKey(reader_of(*text).get(), nullptr, no_password, nullptr));
    OPENSSL_cleanse(text->data(), text->size());
    if (!key)
        return unusable("the TLS key " + files.key + " is no private key in PEM without a password", "tls-key");
    if (SSL_CTX_use_PrivateKey(tls, key.get()) != 1 || SSL_CTX_check_private_key(tls) != 1)
        return unusable(with_reason("the TLS key " + files.key + " does not fit the certificate " + files.certificate),
                        "tls-key");
    return {};
}

result<std::shared_ptr<SSL_CTX>> load(const tls_files& files)
{
    ERR_clear_error();
    auto made = new_context();
    if (!made)
        return fail(errc::unavailable, with_reason("OpenSSL cannot do what TLS needs"), "tls-cert");
    if (auto certificate = use_certificate(made.get(), files.certificate); certificate.has_error())
        return certificate.error();
    ERR_clear_error();
    if (auto key = use_key(made.get(), files); key.has_error())
        return key.error();
    return made;
}

} // namespace

result<std::unique_ptr<tls_credentials>> tls_credentials::from(const tls_files& files)
{
    auto loaded = load(files);
    ERR_clear_error();
    if (loaded.has_error())
        return loaded.error();
    return std::unique_ptr<tls_credentials>(new tls_credentials(files, std::move(*loaded)));
}

std::shared_ptr<SSL_CTX> tls_credentials::current() const
{
    const std::lock_guard lock(mutex_);
    return current_;
}

std::optional<std::chrono::system_clock::time_point> tls_credentials::not_after() const
{
    const auto in_use = current();
    const X509* own = SSL_CTX_get0_certificate(in_use.get());
    std::tm ends{};
    if (own == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(own), &ends) != 1)
        return std::nullopt;
    return std::chrono::system_clock::from_time_t(::timegm(&ends));
}

void tls_credentials::reload()
{
    auto loaded = load(files_);
    ERR_clear_error();
    if (loaded.has_error())
        return log(log_level::error, "the previous TLS certificate stays in use", {{"reason", loaded.error().detail}});
    {
        const std::lock_guard lock(mutex_);
        current_.swap(*loaded);
    }
    log(log_level::info, "TLS certificate read again", {{"file", files_.certificate}});
}

tls_reloader::tls_reloader(asio::io_context& io, tls_credentials& credentials)
    : credentials_(credentials), hangup_(io, SIGHUP)
{
    wait();
    unblock_sighup();
}

void tls_reloader::wait()
{
    hangup_.async_wait(
        [this](boost::system::error_code ec, int)
        {
            if (ec)
                return;
            credentials_.reload();
            wait();
        });
}

} // namespace marquee
