#include "edge/session.hpp"

#include "broker/log_quota.hpp"
#include "edge/status.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <type_traits>
#include <utility>

namespace marquee
{

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace
{

using body_parser = http::request_parser<http::string_body>;

/// The time as RFC 9110 writes it, made once a second.
const std::string& http_date()
{
    thread_local std::time_t made_for = 0;
    thread_local std::string text;
    const auto now = std::time(nullptr);
    if (now != made_for)
    {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        std::array<char, 40> buffer{};
        const auto size = std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer.data(), size);
        made_for = now;
    }
    return text;
}

bool is_printable(char c) noexcept { return (c >= 0x20 && c < 0x7f) || c == '\t'; }

/// How a step of the session ended when it was not with a failure to answer.
enum class step
{
    go_on,
    ended ///< the client has gone, or has been idle for too long: there is nobody to answer
};

/// What of a request is known when it is answered.
struct answer_context
{
    std::string request_id;
    int version = 11;
    bool keep_alive = false;
    bool head_only = false;
    std::optional<std::string> origin; ///< of the page that asks
};

tcp::socket& socket_of(tcp::socket& stream) noexcept { return stream; }
tcp::socket& socket_of(tls_stream& stream) noexcept { return stream.socket(); }

/// `Stream` is a tcp::socket or a tls_stream: a connection without TLS pays nothing for those with it.
template <class Stream>
class session_impl final : public http_session
{
    static constexpr bool has_tls = std::is_same_v<Stream, tls_stream>;

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
            context.request_id = request_id_for({});
            co_return head.error();
        }
        context.request_id = request_id_for(head->fields);
        context.version = head->version;
        context.keep_alive = head->keep_alive;
        context.head_only = head->method == "HEAD";
        context.origin = origin_of(head->fields);
        if (head->content_length.value_or(0) > settings_.body_bytes)
            co_return too_large();

        http_request request;
        request.id = context.request_id;
        request.peer = peer_;
        request.method = std::move(head->method);
        request.target = std::move(head->target);
        request.fields = std::move(head->fields);
        if (!head->chunked && head->content_length.value_or(0) == 0)
        {
            buffer_.consume(*head_size);
            skipped_ = false;
            expires_ = clock::time_point::max();
            co_return std::optional<http_request>(std::move(request));
        }
        const bool wait_for_go = head->expects_continue && buffer_.size() == *head_size;
        auto body = co_await receive_body(*head_size, wait_for_go, request.fields);
        if (body.has_error())
            co_return body.error();
        if (!*body)
            co_return std::optional<http_request>();
        request.body = std::move(**body);
        co_return std::optional<http_request>(std::move(request));
    }

    /// Reads until the buffer holds a head and returns its size; 0: the connection has ended.
    asio::awaitable<result<std::size_t>> receive_head()
    {
        bool in_head = false;
        std::size_t searched = 0;
        for (;;)
        {
            skip_empty_line();
            if (received() != "\r") // else perhaps half of an empty line
                if (auto found = find_head(received(), searched, settings_.head); found.has_error() || *found > 0)
                {
                    idle_ = false;
                    co_return found;
                }
            idle_ = buffer_.size() == 0;
            if (!idle_ && !std::exchange(in_head, true))
                expire_after(settings_.header_timeout);
            if (co_await read_some() == step::ended)
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

    asio::awaitable<step> read_some()
    {
        constexpr std::size_t portion = 2048;
        const auto space = buffer_.prepare(std::min(portion, buffer_.max_size() - buffer_.size()));
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto size = co_await stream_.async_read_some(space, token);
        buffer_.commit(size);
        if (ec)
            co_return step::ended;
        expired_ = false; // it came after all
        co_return step::go_on;
    }

    /// Feeds the head, which has been checked, to the parser and lets it read the body. Nothing: the connection has ended.
    asio::awaitable<result<std::optional<std::string>>> receive_body(std::size_t head_size, bool wait_for_go,
                                                                     const http_fields& fields)
    {
        body_parser parser;
        parser.body_limit(settings_.body_bytes);
        parser.header_limit(static_cast<std::uint32_t>(settings_.buffer_bytes));
        std::size_t extensions = 0;
        auto on_chunk =
            [&extensions, most = settings_.chunk_extension_bytes](std::uint64_t, beast::string_view text, error_code& refused)
        {
            extensions += text.size();
            if (extensions > most || !std::all_of(text.begin(), text.end(), is_printable))
                refused = http::error::bad_chunk_extension;
        };
        parser.on_chunk_header(on_chunk);

        error_code ec;
        const auto head = buffer_.data();
        const auto used = parser.put(asio::const_buffer(head.data(), head_size), ec);
        if (ec || used != head_size || !parser.is_header_done())
            co_return fail(errc::bad_request, "the head is not well-formed", "head");
        buffer_.consume(head_size);
        skipped_ = false;
        if (!parser.is_done())
        {
            expire_after(settings_.body_timeout);
            if (wait_for_go)
                ec = co_await say_continue();
            if (!ec)
                ec = co_await read_rest(parser);
        }
        expires_ = clock::time_point::max();
        if (ec)
            co_return body_failure(ec);
        if (auto trailers = check_trailers(parser, fields); trailers.has_error())
            co_return trailers.error();
        co_return std::optional<std::string>(std::move(parser.get().body()));
    }

    /// The parser puts trailers among the header fields; the request itself keeps the fields of its head only.
    static result<void> check_trailers(const body_parser& parser, const http_fields& head)
    {
        if (!parser.chunked())
            return {};
        for (const auto& field : parser.get())
        {
            const std::string name(field.name_string());
            if (is_forbidden_trailer(name) && parser.get().count(name) != head.count(name))
                return fail(errc::bad_request, "a field that must not follow the body", name);
        }
        return {};
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

    asio::awaitable<error_code> read_rest(body_parser& parser)
    {
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        co_await http::async_read(stream_, buffer_, parser, token); // the parser, not its message: that would lose the limit
        co_return ec;
    }

    result<std::optional<std::string>> body_failure(error_code ec) const
    {
        if (ec == http::error::body_limit)
            return too_large();
        if (ec == asio::error::operation_aborted && expired_)
            return fail(errc::request_timeout, "the body did not come in time");
        if (ec == http::error::buffer_overflow)
            return fail(errc::bad_request, "chunk extensions or trailers are too long", "body");
        if (ec == http::error::partial_message || ec == http::error::end_of_stream ||
            ec.category() != make_error_code(http::error::bad_chunk).category())
            return std::optional<std::string>();
        return fail(errc::bad_request, "the body is not framed as the head says", "body");
    }

    error too_large() const
    {
        return fail(errc::payload_too_large, "the body is longer than " + std::to_string(settings_.body_bytes) + " bytes");
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
        settings_.cors.grant(context.origin, answer.fields);
        const auto text = response_text(answer, context);
        expire_after(settings_.write_timeout);
        error_code ec;
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto bytes = asio::buffer(text);
        co_await asio::async_write(stream_, bytes, token);
        client_gone_ = client_gone_ || ec.failed();
        co_return !ec;
    }

    /// RFC 9112, as one piece to write. Without a body where the request was HEAD or the status has none.
    static std::string response_text(const http_response& answer, const answer_context& context)
    {
        std::string text;
        text.reserve(512 + answer.body.size());
        text += context.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
        text += std::to_string(answer.status);
        text += ' ';
        text += http::obsolete_reason(static_cast<http::status>(answer.status));
        text += "\r\n";
        const auto add = [&text](std::string_view name, std::string_view value)
        { (((text += name) += ": ") += value) += "\r\n"; };
        for (const auto& [name, value] : answer.fields)
            add(name, value);
        add("Date", http_date());
        add("X-Request-ID", context.request_id);
        if (context.keep_alive != (context.version == 11)) // what the version does not say by itself
            add("Connection", context.keep_alive ? "keep-alive" : "close");
        const bool has_body = answer.status != 304 && answer.status != 204;
        if (has_body)
            add("Content-Length", std::to_string(answer.body.size()));
        text += "\r\n";
        if (has_body && !context.head_only)
            text += answer.body;
        return text;
    }

    /// Closes our side and discards what the client still sends, for a while: closing with input unread would reset the connection and
    /// take the answer with it. Of TLS only the ciphertext is seen here.
    asio::awaitable<void> linger()
    {
        constexpr std::size_t most = 1024 * 1024;
        std::array<char, 4096> discarded{};
        error_code ec;
        socket().shutdown(tcp::socket::shutdown_send, ec);
        expire_after(settings_.linger_timeout);
        auto token = asio::redirect_error(asio::use_awaitable, ec);
        const auto space = asio::buffer(discarded);
        for (std::size_t total = 0; !ec && total < most;)
            total += co_await socket().async_read_some(space, token);
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
