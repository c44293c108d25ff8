#include "edge/worker.hpp"

#include "broker/spawn.hpp"
#include "edge/gateway.hpp"
#include "edge/listen.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace marquee
{

edge_worker::edge_worker(const edge_config& config, connection_limit& limit, rate_limits& rates,
                         std::shared_ptr<metrics_board> board, const tls_credentials* tls)
    : config_(config), limit_(limit), rates_(rates), board_(std::move(board)), tls_(tls)
{
}

edge_worker::~edge_worker() { join(); }

result<void> edge_worker::open(const connection_options& options, asio::ip::tcp::endpoint& at)
{
    auto players = player_token::from(config_.jwt);
    if (players.has_error())
        return players.error();
    auto acceptor = listen_on(io_, at);
    if (acceptor.has_error())
        return acceptor.error();
    at = acceptor->local_endpoint();

    auto nats = connection::open(io_, options);
    if (nats.has_error())
        return nats.error();
    nats_ = std::move(*nats);

    lookups_ = std::make_unique<bundling_requester>(io_, nats_->requests());
    waiting_ = std::make_unique<waiting_questions>(io_);
    context_.emplace(nats_->requests(), *lookups_);
    context_->waiting = waiting_.get();
    if (!config_.admin_token_file.empty())
    {
        auto token = admin_token::from_file(config_.admin_token_file);
        if (token.has_error())
            return token.error();
        context_->admin = std::move(*token);
    }
    context_->players = std::move(*players);
    context_->link_up = [this] { return nats_->connected(); };
    context_->read_broker = [this] { nats_->read_now(); };
    context_->timeout = config_.timeout;
    context_->max_in_flight = config_.max_in_flight;
    context_->limits = &rates_;
    context_->cors = config_.session.cors;
    context_->fleet.look_through(nats_->surveys());
    context_->board = board_;
    board_->add(io_.get_executor(), context_->metrics, [this] { return sample(); });

    auto handler = [this](http_request request) { return handle_request(*context_, std::move(request)); };
    auto settings = config_.session;
    settings.on_refused = [counted = context_->metrics](int status) { counted->refused(status); };
    settings.wait_for_room = [this] { return context_->room.wait(); };
    server_ = std::make_unique<http_server>(io_, std::move(*acceptor), settings, handler, limit_, tls_);
    return {};
}

void edge_worker::start()
{
    server_->start();
    thread_ = std::thread([this] { io_.run(); });
}

void edge_worker::stop(std::function<void()> done)
{
    asio::post(io_,
               [this, done = std::move(done)]
               {
                   spawn("stopping", io_.get_executor(), stop_in_order(),
                         [this, done](bool)
                         {
                             done();
                             io_.stop();
                         });
               });
}

asio::awaitable<void> edge_worker::stop_in_order()
{
    // The requests get the drain timeout; closing the connection to the broker has a moment of its own.
    context_->stopping = true;
    context_->room.close();
    co_await server_->stop(deadline::in(config_.drain_timeout));
    const auto until = deadline::in(std::chrono::seconds(2));
    co_await nats_->close(until);
    co_await server_->wait_until_empty(until);
}

worker_sample edge_worker::sample() const
{
    const auto nats = nats_->stats();
    worker_sample now;
    now.connections = server_->connections();
    now.in_flight = context_->in_flight;
    now.link_up = nats_->connected() ? 1 : 0;
    now.reconnects = nats.reconnects;
    now.late_replies = nats.late_replies;
    now.async_errors = nats.async_errors;
    now.nats_in_flight = nats.in_flight;
    now.nats_waited = nats.waited;
    now.nats_unsent = nats.unsent;
    now.nats_waiting = nats.waiting_bytes;
    return now;
}

void edge_worker::join()
{
    if (thread_.joinable())
        thread_.join();
}

} // namespace marquee
