#include "edge/session.hpp"

#include "broker/log_quota.hpp"
#include "edge/request_body.hpp"
#include "edge/response_text.hpp"
#include "edge/status.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>

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

namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace
{

/// How a step of the session ended when it was not with a failure to answer.
enum class step
{
    go_on,
    ended ///< the client has gone, or has been idle for too long: there is nobody to answer
};

tcp::socket& socket_of(tcp::socket& stream) noexcept { return stream; }
tcp::socket& socket_of(tls_stream& stream) noexcept { return stream.socket(); }

/// Somewhere to put what nobody wants: no session's own, for its content is never looked at.
asio::mutable_buffer waste() noexcept
{
    thread_local std::array<char, 65536> space;
    return asio::buffer(space);
}

/// `Stream` is a tcp::socket or a tls_stream: a connection without TLS pays nothing for those with it.
template <class Stream>
class session_impl final : public http_session
{
    static constexpr bool has_tls = std::is_same_v<Stream, tls_stream>;
    static constexpr std::size_t portion = 2048; ///< of a head

public:
    session_impl(Stream stream, const session_settings& settings, const http_handler& handler)
        : stream_(std::move(stream)), settings_(settings), handler_(handler), buffer_(settings.buffer_bytes)
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
            more = co_await shake_hands();
        expire_after(stopping_ ? settings_.drain_idle : settings_.header_timeout);
        while (more && co_await serve_one())
            expire_after(stopping_ ? settings_.drain_idle : settings_.idle_timeout);
        if constexpr (has_tls)
            stream_.say_goodbye();
        if (!client_gone_)
            co_await linger();
        socket().close(ignored);
    }

    void enforce_timeouts(clock::time_point now) override
    {
        if (writing_)
            note_progress(now);
        if (now < expires_)
            return;
        expired_ = true; // expires_ stays: what completes just now is not cancelled, and what follows it will be
        error_code ignored;
        socket().cancel(ignored);
    }

    void drain() override
    {
        stopping_ = true;
        if (idle_)
            expires_ = std::min(expires_, clock::now() + settings_.drain_idle);
    }

    void close() override
    {
        error_code ignored;
        client_gone_ = true;
        socket().close(ignored);
    }

private:
    [[nodiscard]] tcp::socket& socket() noexcept { return socket_of(stream_); }

    /// False: it failed, and the client has been told why, or it took too long.
    asio::awaitable<bool> shake_hands()
    {
        expire_after(stopping_ ? settings_.drain_idle : settings_.handshake_timeout);
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
        auto received = co_await receive(context);
        if (received.has_value() && !*received)
        {
            client_gone_ = true;
            co_return false;
        }
        http_response answer;
        if (received.has_value())
        {
            answer = co_await have_answered(std::move(**received), context);
        }
        else
        {
            context.keep_alive = false;
            answer = refusal(received.error(), context);
        }
        context.keep_alive = context.keep_alive && !stopping_ && ++served_ != settings_.requests;
        const bool keep_alive = context.keep_alive;
        const bool overloaded = answer.overloaded;
        if (!co_await write(std::move(answer), std::move(context)) || !keep_alive)
            co_return false;
        if (overloaded && settings_.wait_for_room)
        {
            expires_ = clock::time_point::max();
            co_await settings_.wait_for_room();
        }
        co_return true;
    }

    /// A complete request, or nothing when the connection has ended. On failure the answer is the failure, and the connection is closed after it.
    asio::awaitable<result<std::optional<http_request>>> receive(answer_context& context)
    {
        auto head_size = co_await receive_head();
        if (head_size.has_value() && *head_size == 0)
            co_return std::optional<http_request>();
        auto head = head_size.has_value() ? read_head(received().substr(0, *head_size), settings_.head) : head_size.error();
        if (head.has_error())
        {
            context = context_of(glance_at(received().substr(0, head_size.has_value() ? *head_size : searched_)));
            co_return head.error();
        }
        context.request_id = request_id_for(head->fields);
        context.version = head->version;
        context.keep_alive = head->keep_alive;
        context.head_only = head->method == "HEAD";
        context.origin = origin_of(head->fields);
        request_body body(*head, settings_.body);
        const bool wait_for_go = head->expects_continue && buffer_.size() == *head_size;
        buffer_.consume(*head_size);
        skipped_ = false;

        http_request request;
        request.id = context.request_id;
        request.peer = peer_;
        request.method = std::move(head->method);
        request.target = std::move(head->target);
        request.fields = std::move(head->fields);
        if (!body.is_complete())
        {
            expire_after(settings_.body_timeout);
            auto whole = co_await receive_body(body, wait_for_go);
            if (whole.has_error())
                co_return whole.error();
            if (!*whole)
                co_return std::optional<http_request>();
            request.body = std::move(body.text());
        }
        expires_ = clock::time_point::max();
        co_return std::optional<http_request>(std::move(request));
    }

    /// Reads until the buffer holds a head and returns its size; 0: the connection has ended.
    asio::awaitable<result<std::size_t>> receive_head()
    {
        bool in_head = false;
        searched_ = 0;
        for (;;)
        {
            skip_empty_line();
            if (received() != "\r") // else perhaps half of an empty line
                if (auto found = find_head(received(), searched_, settings_.head); found.has_error() || *found > 0)
                {
                    idle_ = false;
                    co_return found;
                }
            idle_ = buffer_.size() == 0;
            if (idle_ && buffer_.capacity() > portion)
                buffer_.shrink_to_fit(); // a connection that waits holds no memory
            if (!idle_ && !std::exchange(in_head, true))
                expire_after(settings_.header_timeout);
            if (co_await read_some(portion) == step::ended)
            {
                if (expired_ && !idle_)
                    co_return fail(errc::request_timeout, "the head did not come in time");
                co_return 0U;
            }
        }
    }

    /// One empty line before a request is forgiven (RFC 9112 section 2.2).
    void skip_empty_line()
    {
        if (!skipped_ && received().starts_with("\r\n"))
        {
            buffer_.consume(2);
            skipped_ = true;
        }
    }

    asio::awaitable<step> read_some(std::size_t most)
    {
        const auto space = buffer_.prepare(std::min(most, buffer_.max_size() - buffer_.size()));
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto size = co_await stream_.async_read_some(space, token);
        buffer_.commit(size);
        if (ec)
            co_return step::ended;
        expired_ = false; // it came after all
        co_return step::go_on;
    }

    /// False: the connection has ended.
    asio::awaitable<result<bool>> receive_body(request_body& body, bool wait_for_go)
    {
        for (;;)
        {
            auto taken = body.take(received());
            if (taken.has_error())
                co_return taken.error();
            buffer_.consume(*taken);
            if (body.is_complete())
                co_return true;
            if (std::exchange(wait_for_go, false) && co_await say_continue())
                co_return false;
            const auto wanted = std::clamp<std::uint64_t>(body.missing(), portion, settings_.buffer_bytes);
            if (co_await read_some(static_cast<std::size_t>(wanted)) == step::ended)
            {
                if (expired_)
                    co_return fail(errc::request_timeout, "the body did not come in time");
                co_return false;
            }
        }
    }

    asio::awaitable<error_code> say_continue()
    {
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto bytes = asio::buffer(go_on);
        co_await asio::async_write(stream_, bytes, token);
        co_return ec;
    }

    asio::awaitable<http_response> have_answered(http_request request, const answer_context& context)
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
        co_return refusal(fail(errc::service_failed, "an internal error"), context);
    }

    [[nodiscard]] http_response refusal(const request_failure& why, const answer_context& context) const
    {
        auto answer = problem_response(why, context.request_id);
        if (settings_.on_refused)
            settings_.on_refused(answer.status);
        return answer;
    }

    /// True: the whole answer went out.
    asio::awaitable<bool> write(http_response answer, answer_context context)
    {
        const auto text = response_text(std::move(answer), context, settings_.cors);
        std::string_view rest = text;
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        writing_ends_ = clock::now() + settings_.answer_timeout;
        writing_ = true;
        while (!ec && !rest.empty())
        {
            unacknowledged_ = -1;
            expire_after(settings_.write_timeout);
            const auto bytes = asio::buffer(rest);
            rest.remove_prefix(co_await stream_.async_write_some(bytes, token));
        }
        writing_ = false;
        client_gone_ = client_gone_ || ec.failed();
        co_return !ec;
    }

    /// The system takes a part of an answer at once, a large one, and more only when much of it has
    /// gone: whether a slow client takes it is seen from what its system has acknowledged.
    void note_progress(clock::time_point now)
    {
        int left = 0;
        if (::ioctl(socket().native_handle(), SIOCOUTQ, &left) == 0)
        {
            if (left < unacknowledged_)
                expires_ = now + settings_.write_timeout;
            unacknowledged_ = left;
        }
        expires_ = std::min(expires_, writing_ends_);
    }

    /// Closes our side and discards what the client still sends, for a while: closing with input unread would reset the connection and
    /// take the answer with it. Of TLS only the ciphertext is seen here.
    asio::awaitable<void> linger()
    {
        error_code ec;
        socket().shutdown(tcp::socket::shutdown_send, ec);
        const auto end = clock::now() + settings_.linger_time;
        expire_after(settings_.linger_timeout);
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        for (std::size_t total = 0; !ec && total < settings_.linger_bytes;)
        {
            const auto space = waste();
            total += co_await socket().async_read_some(space, token);
            if (!stopping_)
                expires_ = std::min(end, clock::now() + settings_.linger_timeout);
        }
    }

    void expire_after(std::chrono::milliseconds time)
    {
        expired_ = false;
        expires_ = clock::now() + time;
    }

    [[nodiscard]] std::string_view received() const
    {
        const auto data = buffer_.cdata();
        return {static_cast<const char*>(data.data()), data.size()};
    }

    Stream stream_;
    client_address peer_;
    std::uint64_t served_ = 0;
    const session_settings& settings_;
    const http_handler& handler_;
    beast::flat_buffer buffer_;
    clock::time_point expires_ = clock::time_point::max();
    bool expired_ = false; ///< the operation under way was ended by enforce_timeouts
    bool idle_ = true;     ///< between requests
    bool stopping_ = false;
    bool client_gone_ = false; ///< there is nobody left to wait for
    bool skipped_ = false;     ///< an empty line before this request
    bool writing_ = false;
    int unacknowledged_ = -1; ///< bytes of answers on their way, as last seen; -1: not seen since more was added
    clock::time_point writing_ends_;
    std::size_t searched_ = 0; ///< of a head that is not whole
};

} // namespace

std::shared_ptr<http_session> http_session::make(tcp::socket socket, const session_settings& settings,
                                                 const http_handler& handler)
{
    return std::make_shared<session_impl<tcp::socket>>(std::move(socket), settings, handler);
}

std::shared_ptr<http_session> http_session::make(tls_stream stream, const session_settings& settings, const http_handler& handler)
{
    return std::make_shared<session_impl<tls_stream>>(std::move(stream), settings, handler);
}

} // namespace marquee
