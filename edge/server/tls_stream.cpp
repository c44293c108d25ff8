#include "edge/server/tls_stream.hpp"

#include <openssl/err.h>

namespace marquee
{

tls_stream::tls_stream(asio::ip::tcp::socket socket, const std::shared_ptr<SSL_CTX>& context) noexcept
    : socket_(std::move(socket)), tls_(SSL_new(context.get()), SSL_free)
{
    error_code ignored;
    socket_.non_blocking(true, ignored);
    if (tls_ && SSL_set_fd(tls_.get(), socket_.native_handle()) != 1)
        tls_.reset();
    if (tls_)
        SSL_set_accept_state(tls_.get());
    ERR_clear_error();
}

tls_stream::progress tls_stream::attempt(const request& wanted) noexcept
{
    if (!socket_.is_open()) // its descriptor may belong to another socket by now
        return {progress::done, asio::error::operation_aborted, 0};
    if (!tls_)
        return {progress::done, asio::error::no_memory, 0};
    if (wanted.what != operation::handshake && wanted.size == 0)
        return {};
    ERR_clear_error();
    std::size_t size = 0;
    const int outcome = wanted.what == operation::handshake ? SSL_do_handshake(tls_.get())
                        : wanted.what == operation::read    ? SSL_read_ex(tls_.get(), wanted.data, wanted.size, &size)
                                                            : SSL_write_ex(tls_.get(), wanted.data, wanted.size, &size);
    if (outcome > 0)
    {
        usable_ = true;
        return {progress::done, {}, size};
    }
    switch (SSL_get_error(tls_.get(), outcome))
    {
    case SSL_ERROR_WANT_READ:
        return {progress::needs_to_read};
    case SSL_ERROR_WANT_WRITE:
        return {progress::needs_to_write};
    case SSL_ERROR_ZERO_RETURN:
        return {progress::done, asio::error::eof, 0};
    default:
        break;
    }
    usable_ = false;
    ERR_clear_error();
    return {progress::done, asio::error::connection_reset, 0};
}

void tls_stream::send_close_notify() noexcept
{
    if (!std::exchange(usable_, false) || !socket_.is_open())
        return;
    ERR_clear_error();
    (void)SSL_shutdown(tls_.get());
    ERR_clear_error();
}

} // namespace marquee
