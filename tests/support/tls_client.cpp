#include "tests/support/tls_client.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace marquee::test
{

namespace
{

void require(bool right, const char* what)
{
    if (!right)
        throw std::runtime_error(std::string(what) + " failed");
}

int connected(int port)
{
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0,
            "connecting");
    return fd;
}

void trust(SSL_CTX* context, const std::string& pem)
{
    auto* from = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    auto* root = PEM_read_bio_X509(from, nullptr, nullptr, nullptr);
    require(root != nullptr && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root) == 1, "trusting");
    X509_free(root);
    BIO_free(from);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
}

/// OpenSSL writes to the socket without MSG_NOSIGNAL.
void ignore_broken_pipes()
{
    static const bool done = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    require(done, "signal");
}

} // namespace

tls_connection::tls_connection(int port, const tls_settings& wanted)
    : fd_(connected(port)), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), tls_(nullptr, SSL_free)
{
    ignore_broken_pipes();
    auto* context = context_.get();
    SSL_CTX_set_security_level(context, 0); // so that only the server refuses
    require(SSL_CTX_set_min_proto_version(context, wanted.lowest) == 1 &&
                SSL_CTX_set_max_proto_version(context, wanted.highest) == 1,
            "choosing versions");
    if (!wanted.ciphers.empty())
        require(SSL_CTX_set_cipher_list(context, wanted.ciphers.c_str()) == 1, "choosing ciphers");
    if (!wanted.trusted.empty())
        trust(context, wanted.trusted);
    tls_.reset(SSL_new(context));
    std::string protocols;
    for (const auto& each : wanted.protocols)
        (protocols += static_cast<char>(each.size())) += each;
    if (!protocols.empty())
        require(SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                                    static_cast<unsigned>(protocols.size())) == 0,
                "ALPN");
    require(SSL_set_fd(tls_.get(), fd_) == 1 && SSL_set_tlsext_host_name(tls_.get(), wanted.name.c_str()) == 1 &&
                SSL_set1_host(tls_.get(), "localhost") == 1,
            "preparing");
    if (wanted.session)
        require(SSL_set_session(tls_.get(), wanted.session.get()) == 1, "resuming");
    SSL_set_connect_state(tls_.get());
}

tls_connection::~tls_connection()
{
    SSL_set_shutdown(tls_.get(),
                     SSL_SENT_SHUTDOWN |
                         SSL_RECEIVED_SHUTDOWN); // else OpenSSL invalidates the session for all its owners
    ::close(fd_);
}

/// Waits until the socket is ready for OpenSSL. False: the call has failed, or the time is up.
bool tls_connection::wait(int outcome, clock::time_point until)
{
    const int why = SSL_get_error(tls_.get(), outcome);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
    {
        closed_ = true;
        close_notify_ = why == SSL_ERROR_ZERO_RETURN;
        std::array<char, 256> text{};
        ERR_error_string_n(ERR_peek_error(), text.data(), text.size());
        failure_ = text.data();
        return false;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd ready{fd_, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLIN | POLLOUT), 0};
    return left >= 0 && ::poll(&ready, 1, static_cast<int>(left) + 1) > 0;
}

bool tls_connection::handshake(std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    for (;;)
    {
        ERR_clear_error();
        const int outcome = SSL_do_handshake(tls_.get());
        if (outcome == 1)
            return true;
        if (!wait(outcome, until))
            return false;
    }
}

bool tls_connection::read_some(clock::time_point until)
{
    std::array<char, 16384> chunk; // NOLINT: filled by SSL_read
    ERR_clear_error();
    const int size = SSL_read(tls_.get(), chunk.data(), chunk.size());
    if (size <= 0)
        return wait(size, until);
    received_.append(chunk.data(), static_cast<std::size_t>(size));
    return true;
}

bool tls_connection::send(std::string_view bytes, std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    while (!bytes.empty() && !closed_)
    {
        ERR_clear_error();
        const int size = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
        if (size > 0)
            bytes.remove_prefix(static_cast<std::size_t>(size));
        else if (!wait(size, until))
            break;
        else if (SSL_is_init_finished(tls_.get()) == 1)
            (void)read_some(clock::now());
    }
    return bytes.empty() && !closed_;
}

bool tls_connection::wait_for(std::string_view part, std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    while (!closed_ && received_.find(part) == std::string::npos)
        if (!read_some(until) && !closed_)
            return false;
    return true;
}

bool tls_connection::wait_for_end(std::chrono::milliseconds limit)
{
    const auto until = clock::now() + limit;
    while (!closed_)
        if (!read_some(until) && !closed_)
            return false;
    return true;
}

void tls_connection::send_close_notify() { (void)SSL_shutdown(tls_.get()); }

bool tls_connection::renegotiate() { return SSL_renegotiate(tls_.get()) == 1 && handshake(); }

std::string tls_connection::protocol() const
{
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return name == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(name), size);
}

std::string tls_connection::subject() const
{
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(tls_.get()), X509_free);
    std::array<char, 128> name{};
    if (certificate)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(), name.size());
    return name.data();
}

} // namespace marquee::test
