// Sends a body that is made while it is sent (edge/http/body_stream.hpp). Private to session.cpp.
#pragma once

#include "broker/base/wait.hpp"
#include "edge/http/body_stream.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <utility>

namespace marquee
{

/// Waits for a body and for the end of its connection at the same time. What the client sends
/// meanwhile is discarded. `Stream` is a tcp::socket or a tls_stream; all arguments outlive the
/// sender, which lives until end() has returned.
template <class Stream>
class stream_sender
{
public:
    stream_sender(Stream& stream, asio::ip::tcp::socket& socket, body_stream& body, bool chunked)
        : stream_(stream), socket_(socket), body_(body), chunked_(chunked), changed_(socket.get_executor())
    {
        // What a slow client has not taken is to be noticed, and not to fill the kernel's memory.
        constexpr int most_on_its_way = 64 * 1024;
        boost::system::error_code ignored;
        socket_.set_option(asio::socket_base::send_buffer_size(most_on_its_way), ignored);
        body_.on_change([this] { changed_.cancel(); });
    }
    ~stream_sender() { body_.on_change({}); }
    stream_sender(const stream_sender&) = delete;
    stream_sender& operator=(const stream_sender&) = delete;

    /// Reads and discards input, `most` bytes of it: so the end of the connection is noticed.
    void watch_input(asio::mutable_buffer into, std::size_t most)
    {
        reading_ = true;
        stream_.async_read_some(into,
                                [this, into, most](boost::system::error_code ec, std::size_t size)
                                {
                                    reading_ = false;
                                    gone_ = gone_ || ec.failed();
                                    if (!ec && size < most)
                                        return watch_input(into, most - size);
                                    changed_.cancel();
                                });
    }

    /// The next part of the body as it is sent; empty: it was the last one, or the client has gone.
    asio::awaitable<std::string> next()
    {
        while (!gone_ && !complete_)
        {
            auto text = body_.next();
            if (!text.empty())
                co_return framed(std::move(text));
            if (body_.ended())
            {
                complete_ = true;
                co_return chunked_ ? "0\r\n\r\n" : "";
            }
            changed_.expires_at(asio::steady_timer::time_point::max());
            co_await wait(changed_);
        }
        co_return std::string();
    }

    [[nodiscard]] bool client_gone() const noexcept { return gone_; }

    /// Stops reading.
    asio::awaitable<void> end()
    {
        boost::system::error_code ignored;
        if (reading_)
            socket_.cancel(ignored);
        while (reading_)
        {
            changed_.expires_at(asio::steady_timer::time_point::max());
            co_await wait(changed_);
        }
    }

private:
    /// As a chunk (RFC 9112 section 7.1) where the body is chunked.
    [[nodiscard]] std::string framed(std::string text) const
    {
        if (!chunked_)
            return text;
        std::array<char, 20> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), text.size(), 16).ptr;
        std::string chunk(size.data(), end);
        chunk.reserve(chunk.size() + text.size() + 4);
        return ((chunk += "\r\n") += text) += "\r\n";
    }

    Stream& stream_;
    asio::ip::tcp::socket& socket_;
    body_stream& body_;
    bool chunked_;
    bool reading_ = false;
    bool gone_ = false;
    bool complete_ = false;
    asio::steady_timer changed_; ///< cancelled where next() or end() has to look again
};

} // namespace marquee
