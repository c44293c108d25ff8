// Reads requests from a connection: a head, then its body. Private to session.cpp.
//
// Nothing of Beast parses here. edge/http/framing decides on every byte of a head and
// edge/http/request_body on every byte of a body, each once; of Beast there is the buffer alone.
#pragma once

#include "edge/http/framing.hpp"
#include "edge/http/http.hpp"
#include "edge/http/request_body.hpp"
#include "edge/http/session_settings.hpp"
#include "edge/server/response_text.hpp"
#include "edge/server/session_timeout.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace marquee
{

/// `Stream` is a tcp::socket or a tls_stream. One request at a time, on the connection's io thread;
/// `stream`, `settings` and `timeout` outlive the reader.
template <class Stream>
class request_reader
{
public:
    request_reader(Stream& stream, const session_settings& settings, session_timeout& timeout)
        : stream_(stream), settings_(settings), head_limits_(settings.head), timeout_(timeout),
          buffer_(settings.buffer_bytes)
    {
    }

    /// Reads one request, complete but for its peer; nothing where the connection has ended, or was
    /// idle for too long. `context` is how to answer it, also on failure; after a failure the
    /// connection must be closed. The timeout of waiting for the head's first byte is the caller's.
    asio::awaitable<result<std::optional<http_request>>> read(answer_context& context)
    {
        auto head_size = co_await receive_head();
        if (head_size.has_value() && *head_size == 0)
            co_return std::optional<http_request>();
        auto head =
            head_size.has_value() ? read_head(received().substr(0, *head_size), head_limits_) : head_size.error();
        if (head.has_error())
        {
            context = context_of(glance_at(received().substr(0, head_size.has_value() ? *head_size : searched_)));
            co_return head.error();
        }
        context = context_of(*head);
        request_body body(*head, settings_.body);
        const bool continue_expected = head->expects_continue && buffer_.size() == *head_size;
        buffer_.consume(*head_size);
        empty_line_skipped_ = false;

        http_request request;
        request.id = context.request_id;
        request.method = std::move(head->method);
        request.target = std::move(head->target);
        request.fields = std::move(head->fields);
        if (!body.is_complete())
        {
            auto complete = co_await receive_body(body, continue_expected);
            if (complete.has_error())
                co_return complete.error();
            if (!*complete)
                co_return std::optional<http_request>();
            request.body = std::move(body.text());
        }
        timeout_.never_expire();
        co_return std::optional<http_request>(std::move(request));
    }

    /// True between requests: no byte of the next one was received.
    [[nodiscard]] bool idle() const noexcept { return idle_; }

private:
    static constexpr std::size_t portion = 2048; ///< bytes that one read asks for, at least

    /// Reads until the buffer holds a head and returns its size; 0: the connection has ended.
    asio::awaitable<result<std::size_t>> receive_head()
    {
        bool begun = false;
        searched_ = 0;
        for (;;)
        {
            skip_empty_line();
            if (received() != "\r") // perhaps half of an empty line
                if (auto found = find_head(received(), searched_, head_limits_); found.has_error() || *found > 0)
                {
                    idle_ = false;
                    co_return found;
                }
            idle_ = buffer_.size() == 0;
            if (idle_ && buffer_.capacity() > portion)
                buffer_.shrink_to_fit(); // an idle connection holds no memory
            if (!idle_ && !std::exchange(begun, true))
                timeout_.expire_after(settings_.header_timeout);
            if (!co_await receive_some(portion))
            {
                if (timeout_.expired() && !idle_)
                    co_return fail(errc::request_timeout, "The head did not come in time.");
                co_return 0U;
            }
        }
    }

    /// Skips one empty line in front of a request (RFC 9112 section 2.2).
    void skip_empty_line()
    {
        if (!empty_line_skipped_ && received().starts_with("\r\n"))
        {
            buffer_.consume(2);
            empty_line_skipped_ = true;
        }
    }

    /// Reads until `body` is complete. False: the connection has ended.
    asio::awaitable<result<bool>> receive_body(request_body& body, bool continue_expected)
    {
        timeout_.expire_after(settings_.body_timeout);
        for (;;)
        {
            auto taken = body.take(received());
            if (taken.has_error())
                co_return taken.error();
            buffer_.consume(*taken);
            if (body.is_complete())
                co_return true;
            if (std::exchange(continue_expected, false) && !co_await send_continue())
                co_return false;
            const auto wanted = std::clamp<std::uint64_t>(body.missing(), portion, buffer_.max_size());
            if (!co_await receive_some(static_cast<std::size_t>(wanted)))
            {
                if (timeout_.expired())
                    co_return fail(errc::request_timeout, "The body did not come in time.");
                co_return false;
            }
        }
    }

    /// False: the client has closed, the connection failed, or the timeout expired.
    asio::awaitable<bool> receive_some(std::size_t most)
    {
        const auto space = buffer_.prepare(std::min(most, buffer_.max_size() - buffer_.size()));
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto size = co_await stream_.async_read_some(space, token);
        buffer_.commit(size);
        if (ec)
            co_return false;
        timeout_.forgive();
        co_return true;
    }

    /// False: the connection failed.
    asio::awaitable<bool> send_continue()
    {
        static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
        boost::system::error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto bytes = asio::buffer(text);
        co_await asio::async_write(stream_, bytes, token);
        co_return !ec;
    }

    [[nodiscard]] std::string_view received() const
    {
        const auto data = buffer_.cdata();
        return {static_cast<const char*>(data.data()), data.size()};
    }

    Stream& stream_;
    const session_settings& settings_; ///< may change between two requests
    const head_limits head_limits_;    ///< do not, for a head must have room in the buffer
    session_timeout& timeout_;
    boost::beast::flat_buffer buffer_;
    std::size_t searched_ = 0; ///< bytes of an incomplete head that were looked at
    bool idle_ = true;
    bool empty_line_skipped_ = false; ///< before this request
};

} // namespace marquee
