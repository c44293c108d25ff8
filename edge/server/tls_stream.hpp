// The server's end of a TLS connection, with the interface of Asio's streams.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include <openssl/ssl.h>

namespace marquee
{

namespace asio = boost::asio;

/// OpenSSL reads and writes the socket itself. asio::ssl::stream is not used because its buffers
/// would be most of an idle connection's memory. A read and a write at a time, on the socket's io
/// thread. To cancel or close the socket ends the current operations with operation_aborted; after
/// that only a read may be tried again.
class tls_stream
{
public:
    using executor_type = asio::ip::tcp::socket::executor_type;
    using error_code = boost::system::error_code;

    /// Many streams may share `context`. Where OpenSSL has no memory for this one, every operation
    /// fails with no_memory.
    tls_stream(asio::ip::tcp::socket socket, const std::shared_ptr<SSL_CTX>& context) noexcept;

    [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
    [[nodiscard]] asio::ip::tcp::socket& socket() noexcept { return socket_; }

    /// Completes with void(error_code, std::size_t), as the others do; the size means nothing.
    template <class Token>
    auto async_handshake(Token&& token)
    {
        return start({operation::handshake, nullptr, 0}, std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& into, Token&& token)
    {
        const asio::mutable_buffer first = first_of<asio::mutable_buffer>(into);
        return start({operation::read, first.data(), first.size()}, std::forward<Token>(token));
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& from, Token&& token)
    {
        const asio::const_buffer first = first_of<asio::const_buffer>(from);
        auto* data = const_cast<void*>(first.data()); // only read from
        return start({operation::write, data, first.size()}, std::forward<Token>(token));
    }

    /// Sends close_notify (RFC 8446 section 6.1), once, if the socket takes it at once.
    void send_close_notify() noexcept;

private:
    enum class operation
    {
        handshake,
        read,
        write
    };

    struct request
    {
        operation what;
        void* data;
        std::size_t size;
    };

    struct progress
    {
        enum
        {
            done,
            needs_to_read,
            needs_to_write
        } state = done;
        error_code ec = {};
        std::size_t size = 0;
    };

    /// One call into OpenSSL, which does not wait.
    progress attempt(const request& wanted) noexcept;

    /// Attempts, waits for the socket, attempts again. Never completes within the initiating call.
    struct runner
    {
        tls_stream& stream;
        request wanted;
        progress outcome = {};
        enum
        {
            starting,
            waiting,
            completing
        } state = starting;

        template <class Self>
        void operator()(Self& self, error_code ec = {})
        {
            if (state == completing)
                return self.complete(outcome.ec, outcome.size);
            outcome = ec ? progress{progress::done, ec, 0} : stream.attempt(wanted);
            if (ec && wanted.what == operation::write)
                stream.usable_ = false; // a part of a record may be sent
            auto& socket = stream.socket_;
            if (outcome.state != progress::done)
            {
                state = waiting;
                const auto until = outcome.state == progress::needs_to_read ? asio::socket_base::wait_read
                                                                            : asio::socket_base::wait_write;
                return socket.async_wait(until, std::move(self));
            }
            if (std::exchange(state, completing) == waiting)
                return self.complete(outcome.ec, outcome.size);
            asio::post(socket.get_executor(), std::move(self));
        }
    };

    template <class Token>
    auto start(request wanted, Token&& token)
    {
        return asio::async_compose<Token, void(error_code, std::size_t)>(runner{*this, wanted}, token, socket_);
    }

    /// The first buffer with anything in it, or an empty one.
    template <class Buffer, class Buffers>
    static Buffer first_of(const Buffers& all)
    {
        const auto end = asio::buffer_sequence_end(all);
        for (auto each = asio::buffer_sequence_begin(all); each != end; ++each)
            if (const Buffer one(*each); one.size() > 0)
                return one;
        return {};
    }

    asio::ip::tcp::socket socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    bool usable_ = false; ///< an operation has succeeded, and none has failed since
};

} // namespace marquee
