#include "edge/server/session.hpp"

#include "broker/base/log_quota.hpp"
#include "edge/http/status.hpp"
#include "edge/server/request_reader.hpp"
#include "edge/server/response_text.hpp"
#include "edge/server/session_timeout.hpp"
#include "edge/server/stream_sender.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace marquee
{

using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace
{

tcp::socket& socket_of(tcp::socket& stream) noexcept { return stream; }
tcp::socket& socket_of(tls_stream& stream) noexcept { return stream.socket(); }

/// For input that is discarded. All sessions of a thread share it: its content is never read.
asio::mutable_buffer discard_buffer() noexcept
{
    thread_local std::array<char, 65536> space;
    return asio::buffer(space);
}

/// `Stream` is a tcp::socket or a tls_stream: a connection without TLS does not pay for it.
template <class Stream>
class session_impl final : public http_session
{
    static constexpr bool has_tls = std::is_same_v<Stream, tls_stream>;

public:
    session_impl(Stream stream, const session_settings& settings, const http_handler& handler)
        : stream_(std::move(stream)), settings_(settings), handler_(handler), reader_(stream_, settings_, timeout_)
    {
        error_code gone;
        if (const auto peer = socket().remote_endpoint(gone); !gone)
            peer_ = client_address(peer.address());
    }

    asio::awaitable<void> run() override
    {
        error_code ignored;
        socket().set_option(tcp::no_delay(true), ignored);
        bool more = true;
        if constexpr (has_tls)
            more = co_await handshake();
        timeout_.expire_after(stopping_ ? settings_.drain_idle : settings_.header_timeout);
        while (more && co_await serve_one())
            timeout_.expire_after(stopping_ ? settings_.drain_idle : settings_.idle_timeout);
        if constexpr (has_tls)
            stream_.send_close_notify();
        if (!client_gone_)
            co_await linger();
        socket().close(ignored);
    }

    void enforce_timeouts(clock::time_point now) override
    {
        if (writing_)
            note_progress(now);
        if (!timeout_.check(now))
            return;
        error_code ignored;
        socket().cancel(ignored);
    }

    void drain() override
    {
        stopping_ = true;
        if (streaming_)
            streaming_->drain();
        if (reader_.idle())
            timeout_.expire_by(clock::now() + settings_.drain_idle);
    }

    void close() override
    {
        error_code ignored;
        client_gone_ = true;
        socket().close(ignored);
    }

private:
    [[nodiscard]] tcp::socket& socket() noexcept { return socket_of(stream_); }

    /// False: it failed, and the client has been sent an alert, or it took too long.
    asio::awaitable<bool> handshake()
    {
        timeout_.expire_after(stopping_ ? settings_.drain_idle : settings_.handshake_timeout);
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        co_await stream_.async_handshake(token);
        client_gone_ = client_gone_ || ec == asio::error::operation_aborted;
        co_return !ec;
    }

    /// Serves one request. False: that was the last one.
    asio::awaitable<bool> serve_one()
    {
        answer_context context;
        auto received = co_await reader_.read(context);
        if (received.has_value() && !*received)
        {
            client_gone_ = true;
            co_return false;
        }
        http_response answer;
        if (received.has_value())
        {
            (*received)->peer = peer_;
            answer = co_await handle(std::move(**received), context);
        }
        else
        {
            context.keep_alive = false;
            answer = refusal(received.error(), context);
        }
        const auto stream = context.head_only ? nullptr : answer.stream;
        const bool endless = stream && !stream->size();
        context.keep_alive = context.keep_alive && !stopping_ && !endless && ++served_ != settings_.requests;
        const bool keep_alive = context.keep_alive;
        const bool chunked = context.version == 11;
        const bool overloaded = answer.overloaded;
        if (!co_await write(std::move(answer), std::move(context)))
            co_return false;
        if (endless)
        {
            auto sending = send_stream(stream, chunked);
            co_await std::move(sending);
        }
        else if (stream)
        {
            auto sending = send_whole(stream);
            if (!co_await std::move(sending))
                co_return false;
        }
        if (!keep_alive)
            co_return false;
        if (overloaded && settings_.wait_for_room)
        {
            timeout_.never_expire();
            co_await settings_.wait_for_room();
        }
        co_return true;
    }

    /// The handler's answer; 502 where it throws.
    asio::awaitable<http_response> handle(http_request request, const answer_context& context)
    {
        try
        {
            auto answering = handler_(std::move(request));
            co_return co_await std::move(answering);
        }
        catch (const std::exception& e)
        {
            static limited_log exceptions(log_level::error, "a handler threw");
            exceptions.write({{"request", context.request_id}, {"what", e.what()}});
        }
        co_return refusal(fail(errc::service_failed, "An internal error."), context);
    }

    [[nodiscard]] http_response refusal(const request_failure& why, const answer_context& context) const
    {
        auto answer = problem_response(why, context.request_id);
        if (settings_.on_refused)
            settings_.on_refused({answer.status, context.request_id, &why.what, peer_});
        return answer;
    }

    /// True: the whole answer was sent.
    asio::awaitable<bool> write(http_response answer, answer_context context)
    {
        const auto text = response_text(std::move(answer), context, settings_.cors);
        auto writing = write_text(text, clock::now() + settings_.answer_timeout);
        co_return co_await std::move(writing);
    }

    /// True: the whole text was sent, before `ends`. It outlives the call.
    asio::awaitable<bool> write_text(std::string_view rest, clock::time_point ends)
    {
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        writing_ends_ = ends;
        writing_ = true;
        while (!ec && !rest.empty())
        {
            unacknowledged_ = -1;
            timeout_.expire_after(settings_.write_timeout);
            const auto bytes = asio::buffer(rest);
            rest.remove_prefix(co_await stream_.async_write_some(bytes, token));
        }
        writing_ = false;
        client_gone_ = client_gone_ || ec.failed();
        co_return !ec;
    }

    /// Sends a body while it is made.
    asio::awaitable<void> send_stream(std::shared_ptr<body_stream> body, bool chunked)
    {
        streaming_ = body.get();
        if (stopping_)
            body->drain();
        stream_sender<Stream> sender(stream_, socket(), *body, chunked);
        sender.watch_input(discard_buffer(), settings_.linger_bytes);
        for (;;)
        {
            timeout_.never_expire();
            auto making = sender.next();
            const auto text = co_await std::move(making);
            if (text.empty())
                break;
            auto writing = write_text(text, clock::now() + settings_.answer_timeout);
            if (!co_await std::move(writing))
                break;
        }
        streaming_ = nullptr;
        client_gone_ = client_gone_ || sender.client_gone();
        auto ending = sender.end();
        co_await std::move(ending);
    }

    /// Sends a body of known size. True: all of it was sent, in the time for an answer. A player
    /// that takes longer asks again, for a range.
    asio::awaitable<bool> send_whole(std::shared_ptr<body_stream> body)
    {
        constexpr int most_on_its_way = 256 * 1024;
        error_code ignored;
        socket().set_option(asio::socket_base::send_buffer_size(most_on_its_way), ignored);
        asio::steady_timer changed(socket().get_executor());
        body->on_change([&changed] { changed.cancel(); });
        const auto ends = clock::now() + settings_.answer_timeout;
        auto left = body->size().value_or(0);
        bool sent = true;
        while (sent && !body->ended())
        {
            const auto text = body->next();
            if (text.empty())
            {
                if (body->ended())
                    break;
                timeout_.never_expire();
                changed.expires_at(asio::steady_timer::time_point::max());
                auto waiting = wait(changed);
                co_await std::move(waiting);
                continue;
            }
            auto writing = write_text(text, ends);
            sent = co_await std::move(writing);
            left -= text.size();
        }
        body->on_change({});
        co_return sent&& left == 0;
    }

    /// Extends the timeout where the client takes an answer slowly. The kernel accepts a large part
    /// of an answer at once, and more only when much of that has left: so progress is what the
    /// client's kernel has acknowledged.
    void note_progress(clock::time_point now)
    {
        int left = 0;
        if (::ioctl(socket().native_handle(), SIOCOUTQ, &left) == 0)
        {
            if (left < unacknowledged_)
                timeout_.move_to(now + settings_.write_timeout);
            unacknowledged_ = left;
        }
        timeout_.expire_by(writing_ends_);
    }

    /// Closes our side and discards what the client still sends, within limits: closing with input
    /// unread would reset the connection, and the client might lose the answer. Of TLS this sees
    /// the ciphertext.
    asio::awaitable<void> linger()
    {
        error_code ec;
        socket().shutdown(tcp::socket::shutdown_send, ec);
        const auto end = clock::now() + settings_.linger_time;
        timeout_.expire_after(settings_.linger_timeout);
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        for (std::size_t total = 0; !ec && total < settings_.linger_bytes;)
        {
            const auto space = discard_buffer();
            total += co_await socket().async_read_some(space, token);
            if (!stopping_)
                timeout_.move_to(std::min(end, clock::now() + settings_.linger_timeout));
        }
    }

    Stream stream_;
    client_address peer_;
    std::uint64_t served_ = 0;
    const session_settings& settings_;
    const http_handler& handler_;
    session_timeout timeout_;
    request_reader<Stream> reader_;
    body_stream* streaming_ = nullptr;
    bool stopping_ = false;
    bool client_gone_ = false; ///< it has closed, failed or was idle: there is nothing to linger for
    bool writing_ = false;
    int unacknowledged_ = -1; ///< bytes of answers on their way, as last seen; -1: not seen since more was added
    clock::time_point writing_ends_;
};

} // namespace

std::shared_ptr<http_session> http_session::make(tcp::socket socket, const session_settings& settings,
                                                 const http_handler& handler)
{
    return std::make_shared<session_impl<tcp::socket>>(std::move(socket), settings, handler);
}

std::shared_ptr<http_session> http_session::make(tls_stream stream, const session_settings& settings,
                                                 const http_handler& handler)
{
    return std::make_shared<session_impl<tls_stream>>(std::move(stream), settings, handler);
}

} // namespace marquee
