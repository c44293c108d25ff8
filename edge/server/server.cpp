#include "edge/server/server.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/log_quota.hpp"
#include "edge/http/status.hpp"
#include "edge/server/listen.hpp"
#include "edge/server/response_text.hpp"

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

constexpr std::size_t accepts_per_turn = 32; ///< of the loop: what bounds the delay of current requests

/// Whether what was received so far begins as a HEAD request. Peeks: consumes nothing, does not
/// wait.
bool starts_with_head(tcp::socket& socket)
{
    std::array<char, 5> start{};
    error_code none;
    const auto size = socket.receive(asio::buffer(start), tcp::socket::message_peek, none);
    return glance_at({start.data(), size}).head_only;
}

/// Answers 503 without a session, as much as the socket takes at once. The request is not read, so
/// its Origin is unknown. Returns the id that the answer has.
std::string refuse(tcp::socket& socket, const error& why, const cors_policy& cors)
{
    error_code ignored;
    socket.non_blocking(true, ignored);
    auto context = context_of(head_glance{});
    context.head_only = starts_with_head(socket);
    const auto text = response_text(problem_response(why, context.request_id), context, cors);
    socket.write_some(asio::buffer(text), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    return context.request_id;
}

} // namespace

void connection_limit::change(std::size_t most, std::size_t per_address, network_list exempt)
{
    const std::lock_guard lock(mutex_);
    most_ = most;
    per_address_ = per_address;
    exempt_ = std::move(exempt);
}

connection_limit::entry connection_limit::enter(const client_address& from)
{
    const std::lock_guard lock(mutex_);
    if (count_ >= most_)
        return entry::too_many;
    auto& connections = of_address_[from.counted().raw()]; // of all: limits may change while they are there
    if (per_address_ > 0 && connections >= per_address_ && !exempt_.contains(from))
        return entry::too_many_of_address;
    ++connections;
    ++count_;
    return entry::granted;
}

void connection_limit::leave(const client_address& from)
{
    const std::lock_guard lock(mutex_);
    --count_;
    const auto found = of_address_.find(from.counted().raw());
    if (--found->second == 0)
        of_address_.erase(found);
}

http_server::http_server(asio::io_context& io, tcp::acceptor acceptor, const session_settings& settings,
                         http_handler handler, connection_limit& limit, const tls_credentials* tls)
    : io_(io), acceptor_(std::move(acceptor)), settings_(settings), handler_(std::move(handler)), limit_(limit),
      tls_(tls), ticker_(io), pause_(io), all_gone_(io)
{
}

void http_server::change(const session_settings& settings)
{
    auto next = settings;
    next.wait_for_room = settings_.wait_for_room;
    next.on_refused = settings_.on_refused;
    settings_ = std::move(next);
}

void http_server::start()
{
    error_code ignored;
    acceptor_.non_blocking(true, ignored);
    acceptor_.set_option(asio::socket_base::enable_connection_aborted(true),
                         ignored); // else accept() waits for the next one
    co_spawn_logged("accepting connections", io_.get_executor(), accept());
    co_spawn_logged("watching timeouts", io_.get_executor(), watch_timeouts());
}

asio::awaitable<void> http_server::accept()
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    while (acceptor_.is_open())
    {
        // More than one per turn of the loop: turns of a busy loop take milliseconds, and a long
        // backlog would wait for seconds.
        co_await acceptor_.async_wait(tcp::acceptor::wait_read, token);
        if (!ec)
            ec = accept_pending(accepts_per_turn);
        if (!ec || !acceptor_.is_open())
            continue;
        // Out of descriptors or memory: the connection stays in the backlog until there are some.
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
    const error why =
        fail(errc::overloaded, entry == connection_limit::entry::too_many ? "Too many connections."
                                                                          : "Too many connections from this address.");
    std::string id;
    if (tls_ == nullptr) // a TLS client can read nothing before the handshake
        id = refuse(socket, why, settings_.cors);
    if (settings_.on_refused)
        settings_.on_refused({status_of(why.code), id, &why, from});
}
catch (const std::exception&) // concerns this connection only
{
    log_exception("refusing a connection", std::current_exception());
}

std::shared_ptr<http_session> http_server::new_session(tcp::socket socket)
{
    if (tls_ == nullptr)
        return http_session::make(std::move(socket), settings_, handler_);
    return http_session::make(tls_stream(std::move(socket), tls_->current()), settings_, handler_);
}

/// Where memory is short, closes this connection only.
void http_server::serve(tcp::socket socket, const client_address& from)
{
    auto at = sessions_.end();
    try
    {
        const auto session = new_session(std::move(socket));
        at = sessions_.insert(sessions_.end(), session);
        if (stopping_)
            session->drain();
        co_spawn_logged("a session", io_.get_executor(), session->run(),
                        [this, session, at, from](bool) { end(at, from); });
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
    // A portion at a time: to look at ten thousand sessions takes milliseconds, in which no request
    // is served.
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

/// Accepts up to `most` pending connections without waiting. Returns why it stopped; no error where
/// none was left.
error_code http_server::accept_pending(std::size_t most)
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

/// Stops listening without resetting a connection whose handshake the kernel has completed.
asio::awaitable<void> http_server::stop_listening(deadline until)
{
    error_code ec;
    auto token = asio::redirect_error(asio::use_awaitable, ec);
    stop_listening_without_reset(acceptor_);
    asio::steady_timer handshakes(io_);
    handshakes.expires_at(std::min(until.at(), deadline::in(settings_.drain_handshakes).at()));
    co_await handshakes.async_wait(token);
    (void)accept_pending(std::numeric_limits<std::size_t>::max());
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
        log(log_level::warning, "closing connections that did not end in time",
            {{"count", std::to_string(sessions_.size())}});
    for (const auto& session : sessions_)
        session->close();
    stopped_ = true;
    ticker_.cancel();
}

} // namespace marquee
