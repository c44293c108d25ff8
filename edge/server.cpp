#include "edge/server.hpp"

#include "broker/log_quota.hpp"
#include "broker/spawn.hpp"
#include "edge/listen.hpp"
#include "edge/response_text.hpp"
#include "edge/status.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>

namespace marquee
{

using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace
{

constexpr std::size_t accepts_a_turn = 32; ///< requests under way wait for no more than that

/// Whether what has come, if anything has, begins as a HEAD does. Nothing is taken, and nothing
/// waited for.
bool asks_for_head(tcp::socket& socket)
{
    std::array<char, 5> start{};
    error_code none;
    const auto size = socket.receive(asio::buffer(start), tcp::socket::message_peek, none);
    return glance_at({start.data(), size}).head_only;
}

/// One answer without a session, as far as the socket takes it at once. The request is not read:
/// its origin is not known.
void refuse(tcp::socket& socket, const char* why, const cors_policy& cors)
{
    error_code ignored;
    socket.non_blocking(true, ignored);
    auto context = context_of({});
    context.head_only = asks_for_head(socket);
    const auto text = response_text(problem_response(fail(errc::overloaded, why), context.request_id), context, cors);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

} // namespace

connection_limit::entry connection_limit::enter(const client_address& from)
{
    if (count_.fetch_add(1) >= most_)
    {
        count_.fetch_sub(1);
        return entry::too_many;
    }
    if (!counts(from))
        return entry::granted;
    const std::lock_guard lock(mutex_);
    auto& connections = of_address_[from.counted().raw()];
    if (connections < per_address_)
    {
        ++connections;
        return entry::granted;
    }
    count_.fetch_sub(1);
    return entry::too_many_of_address;
}

void connection_limit::leave(const client_address& from)
{
    count_.fetch_sub(1);
    if (!counts(from))
        return;
    const std::lock_guard lock(mutex_);
    const auto found = of_address_.find(from.counted().raw());
    if (--found->second == 0)
        of_address_.erase(found);
}

http_server::http_server(asio::io_context& io, tcp::acceptor acceptor, const session_settings& settings, http_handler handler,
                         connection_limit& limit, const tls_credentials* tls)
    : io_(io), acceptor_(std::move(acceptor)), settings_(settings), handler_(std::move(handler)), limit_(limit), tls_(tls),
      ticker_(io), pause_(io), all_gone_(io)
{
}

void http_server::start()
{
    error_code ignored;
    acceptor_.non_blocking(true, ignored);
    acceptor_.set_option(asio::socket_base::enable_connection_aborted(true), ignored); // else accept() waits for the next one
    spawn("accepting connections", io_.get_executor(), accept());
    spawn("watching timeouts", io_.get_executor(), watch_timeouts());
}

asio::awaitable<void> http_server::accept()
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    while (acceptor_.is_open())
    {
        // More than one a turn: a loop that is busy turns seldom, and the backlog would wait for seconds.
        co_await acceptor_.async_wait(tcp::acceptor::wait_read, token);
        if (!ec)
            ec = take_waiting(accepts_a_turn);
        if (!ec || !acceptor_.is_open())
            continue;
        // Out of descriptors or memory: the connection stays in the backlog until some are free again.
        static limited_log failures(log_level::warning, "cannot accept");
        failures.write({{"reason", ec.message()}});
        pause_.expires_after(std::chrono::milliseconds(100));
        co_await pause_.async_wait(token);
    }
}

void http_server::admit(tcp::socket socket)
try
{
    error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    const auto from = gone ? client_address() : client_address(peer.address());
    const auto entry = limit_.enter(from);
    if (entry == connection_limit::entry::granted)
        return serve(std::move(socket), from);
    if (tls_ == nullptr) // else there is nothing that the client could read yet
        refuse(socket,
               entry == connection_limit::entry::too_many ? "too many connections" : "too many connections from this address",
               settings_.cors);
    if (settings_.on_refused)
        settings_.on_refused(status_of(errc::overloaded));
}
catch (const std::exception&) // the next one may be served
{
    log_exception("refusing a connection", std::current_exception());
}

std::shared_ptr<http_session> http_server::new_session(tcp::socket socket)
{
    if (tls_ == nullptr)
        return http_session::make(std::move(socket), settings_, handler_);
    return http_session::make(tls_stream(std::move(socket), tls_->current()), settings_, handler_);
}

/// Where memory is short this connection alone is given up.
void http_server::serve(tcp::socket socket, const client_address& from)
{
    auto at = sessions_.end();
    try
    {
        const auto session = new_session(std::move(socket));
        at = sessions_.insert(sessions_.end(), session);
        if (stopping_)
            session->drain();
        spawn("a session", io_.get_executor(), session->run(), [this, session, at, from](bool) { end(at, from); });
    }
    catch (const std::exception&)
    {
        log_exception("serving a connection", std::current_exception());
        end(at, from);
    }
}

void http_server::end(session_list::iterator session, const client_address& from)
{
    if (session != sessions_.end())
        sessions_.erase(session);
    limit_.leave(from);
    if (sessions_.empty())
        all_gone_.cancel();
}

asio::awaitable<void> http_server::watch_timeouts()
{
    // A few of them at a time: to look at ten thousand takes milliseconds, and plays would wait.
    constexpr int portions = 20;
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    while (!stopped_)
    {
        ticker_.expires_after(std::chrono::nanoseconds(settings_.tick) / portions);
        co_await ticker_.async_wait(token);
        const auto now = http_session::clock::now();
        for (auto left = std::min(sessions_.size(), sessions_.size() / portions + 1); left > 0; --left)
        {
            sessions_.splice(sessions_.end(), sessions_, sessions_.begin());
            sessions_.back()->enforce_timeouts(now);
        }
    }
}

/// Accepts what waits to be accepted, `most` of it, without waiting. Answers why no more could be; nothing more there is no reason.
error_code http_server::take_waiting(std::size_t most)
{
    for (; most > 0; --most)
    {
        error_code ec;
        tcp::socket socket(io_);
        acceptor_.accept(socket, ec);
        if (ec == asio::error::would_block)
            break;
        if (ec && ec != asio::error::connection_aborted)
            return ec;
        if (!ec)
            admit(std::move(socket));
    }
    return {};
}

asio::awaitable<void> http_server::wait_until_empty(deadline until)
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    while (!sessions_.empty() && !until.passed())
    {
        all_gone_.expires_at(until.at());
        co_await all_gone_.async_wait(token);
    }
}

/// Resets nobody: whoever has been answered by the kernel, and thinks that there is a connection, gets one.
asio::awaitable<void> http_server::stop_listening(deadline until)
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    turn_newcomers_away(acceptor_);
    asio::steady_timer handshakes(io_);
    handshakes.expires_at(std::min(until.at(), deadline::in(settings_.drain_handshakes).at()));
    co_await handshakes.async_wait(token);
    (void)take_waiting(std::numeric_limits<std::size_t>::max()); // those that are complete have been promised an answer
    acceptor_.close(ec);
    pause_.cancel();
}

asio::awaitable<void> http_server::stop(deadline until)
{
    stopping_ = true;
    for (const auto& session : sessions_)
        session->drain();
    co_await stop_listening(until);
    co_await wait_until_empty(until);
    if (!sessions_.empty())
        log(log_level::warning, "closing connections that did not end in time", {{"count", std::to_string(sessions_.size())}});
    for (const auto& session : sessions_)
        session->close();
    stopped_ = true;
    ticker_.cancel();
}

} // namespace marquee
