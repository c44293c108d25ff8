#include "edge/worker.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "edge/routes/gateway.hpp"
#include "edge/server/listen.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace marquee
{

result<live_settings> live_settings::from(const edge_config& config, std::shared_ptr<rate_limits> rates)
{
    live_settings made{config, {}, std::move(rates)};
    auto players = player_token::from(config.jwt);
    if (players.has_error())
        return players.error();
    made.access.players = std::move(*players);
    if (config.admin_token_file.empty())
        return made;
    auto admin = admin_token::from_file(config.admin_token_file);
    if (admin.has_error())
        return admin.error();
    made.access.admin = std::move(*admin);
    return made;
}

edge_worker::edge_worker(live_settings settings, connection_limits& limits, std::shared_ptr<metrics_board> board,
                         const site* files, const tls_credentials* tls)
    : now_(std::move(settings)), limits_(limits), board_(std::move(board)), files_(files), tls_(tls)
{
}

edge_worker::~edge_worker() { join(); }

result<void> edge_worker::open(const connection_options& options, edge_endpoints& at)
{
    auto main = listen_on(io_, at.main);
    if (main.has_error())
        return main.error();
    at.main = main->local_endpoint();
    std::optional<asio::ip::tcp::acceptor> admin;
    if (at.admin)
    {
        auto listening = listen_on(io_, *at.admin);
        if (listening.has_error())
            return listening.error();
        at.admin = listening->local_endpoint();
        admin = std::move(*listening);
    }

    auto nats = connection::open(io_, options);
    if (nats.has_error())
        return nats.error();
    nats_ = std::move(*nats);

    lookups_ = std::make_unique<bundling_requester>(io_, nats_->requests());
    hedges_ = std::make_unique<hedge_timer>(io_);
    context_.emplace(nats_->requests(), *lookups_);
    context_->services.hedges = hedges_.get();
    context_->services.link_up = [this] { return nats_->connected(); };
    context_->admitted.read_broker = [this] { nats_->read_now(); };
    put_in_force();
    context_->fleet.view.set_requester(nats_->multi_requests());
    context_->metrics.board = board_;
    start_batching();
    context_->live = {std::make_shared<live_hub>(context_->metrics.worker->live()), &limits_.live};
    live_ = std::make_unique<live_source>(io_, *context_->live.hub, context_->services);
    board_->add(io_.get_executor(), context_->metrics.worker, [this] { return sample(); });

    context_->files = {files_, &limits_.media};
    const auto all = files_ == nullptr ? without(route_set::all, route_set::files) : route_set::all;
    server_ = serve(std::move(*main), admin ? without(all, route_set::operators) : all, limits_.players);
    if (admin)
        admin_server_ = serve(std::move(*admin), all, limits_.operators);
    return {};
}

std::unique_ptr<http_server> edge_worker::serve(asio::ip::tcp::acceptor acceptor, route_set routes,
                                                connection_limit& limit)
{
    auto handler = [this, routes](http_request request)
    { return handle_request(*context_, std::move(request), routes); };
    auto settings = now_.config.limits.session;
    settings.on_refused = [counted = context_->metrics.worker](int status) { counted->refused(status); };
    settings.wait_for_room = [this] { return context_->admitted.queue.wait(); };
    return std::make_unique<http_server>(io_, std::move(acceptor), settings, handler, limit, tls_);
}

/// Everything but the limits of connections, which are the server's.
void edge_worker::put_in_force()
{
    context_->access = std::move(now_.access);
    context_->admitted.timeout = now_.config.timeout;
    context_->admitted.max_in_flight = now_.config.max_in_flight;
    context_->admitted.rates = now_.rates.get();
    limits_.live.change(now_.config.max_live);
    limits_.media.change(now_.config.max_media);
    context_->cors = now_.config.limits.session.cors;
}

void edge_worker::change(live_settings settings, std::function<void()> done)
{
    asio::post(io_,
               [this, next = std::make_shared<live_settings>(std::move(settings)), done = std::move(done)]
               {
                   now_ = std::move(*next);
                   put_in_force();
                   for (const auto* each : {&server_, &admin_server_})
                       if (*each)
                           (*each)->change(now_.config.limits.session);
                   done();
               });
}

void edge_worker::watch(upstream_service service, std::chrono::milliseconds pause, instance_watch::handlers how)
{
    watches_.push_back(std::make_unique<instance_watch>(io_, context_->fleet.view, context_->services.link_up,
                                                        std::string(name_of(service)), pause, std::move(how)));
}

void edge_worker::start_batching()
{
    using namespace std::chrono_literals;
    for (const auto each : {upstream_service::metadata, upstream_service::cdnurl})
        watch(each, 900ms,
              {[this, each](const boost::json::object& info) { return gets_.add(each, info); },
               [this, each](bool) { gets_.looked(each); }});
    assets_ = std::make_unique<asset_batcher>(io_, context_->services, gets_);
    context_->assets = assets_.get();
    if (!now_.config.batch_views)
        return;
    watch(upstream_service::reporting, 400ms, // an old instance loses views: it is seen within a second
          {[this](const boost::json::object& info)
           {
               gate_.add(info, batch_gate::clock::now());
               return false; // all instances are to be seen
           },
           [this](bool complete) { gate_.looked(complete); }});
    batches_ = std::make_unique<view_batcher>(io_, context_->services, context_->fleet.stream_outage, gate_,
                                              context_->metrics.worker->views());
    context_->batches = batches_.get();
}

void edge_worker::start()
{
    server_->start();
    if (admin_server_)
        admin_server_->start();
    thread_ = std::thread([this] { io_.run(); });
}

void edge_worker::stop(std::function<void()> done)
{
    asio::post(io_,
               [this, done = std::move(done)]
               {
                   co_spawn_logged("stopping", io_.get_executor(), stop_in_order(),
                                   [this, done](bool)
                                   {
                                       done();
                                       io_.stop();
                                   });
               });
}

asio::awaitable<void> edge_worker::stop_in_order()
{
    // Requests get the whole drain timeout; closing the connection to the broker has its own.
    context_->admitted.stopping = true;
    context_->admitted.queue.close();
    const auto drained = deadline::in(now_.config.drain_timeout);
    co_await server_->stop(drained);
    if (admin_server_) // operators watch the drain
        co_await admin_server_->stop(drained);
    const auto until = deadline::in(std::chrono::seconds(2));
    co_await nats_->close(until);
    co_await server_->wait_until_empty(until);
    if (admin_server_)
        co_await admin_server_->wait_until_empty(until);
}

worker_sample edge_worker::sample() const
{
    const auto nats = nats_->stats();
    worker_sample now;
    now.connections = server_->connections() + (admin_server_ ? admin_server_->connections() : 0);
    now.in_flight = context_->admitted.in_flight;
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
