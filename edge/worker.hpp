// One io thread of the edge: an io_context, a NATS connection, a server.
#pragma once

#include "broker/micro/bundling_requester.hpp"
#include "broker/nats/connection.hpp"
#include "edge/config.hpp"
#include "edge/routes/context.hpp"
#include "edge/routes/routes.hpp"
#include "edge/server/server.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "edge/upstream/instance_watch.hpp"
#include "edge/upstream/live_source.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace marquee
{

/// The connections of all threads, by listener, so that players do not keep operators out; and the
/// streams among them.
struct connection_limits
{
    connection_limit players;
    connection_limit operators;
    stream_limit live;
    stream_limit media; ///< files being sent
};

/// Where an edge listens.
struct edge_endpoints
{
    asio::ip::tcp::endpoint main;
    std::optional<asio::ip::tcp::endpoint> admin;
};

/// What of the settings can change while an edge runs, for one worker.
struct live_settings
{
    edge_config config; ///< those that need a restart are ignored
    access_rules access;
    std::shared_ptr<rate_limits> rates; ///< of all workers

    /// Reads the key and token files. Fails as player_token::from() and admin_token::from_file()
    /// do.
    [[nodiscard]] static result<live_settings> from(const edge_config& config, std::shared_ptr<rate_limits> rates);
};

/// Wires one io thread. Construct, open() and start() on the main thread; stop() from any thread;
/// everything else runs on the worker's own thread. The destructor joins the thread.
class edge_worker
{
public:
    /// `limits`, `files` and `tls` outlive the worker. A null `tls` means plain HTTP; null `files`:
    /// there are none.
    edge_worker(live_settings settings, connection_limits& limits, std::shared_ptr<metrics_board> board,
                const site* files, const tls_credentials* tls);
    ~edge_worker();
    edge_worker(const edge_worker&) = delete;
    edge_worker& operator=(const edge_worker&) = delete;

    /// Listens on `at`, connects to the broker; blocks. On success `at` has the bound ports. Fails
    /// as listen_on() and connection::open() do. Call once, before start().
    [[nodiscard]] result<void> open(const connection_options& options, edge_endpoints& at);

    /// The executor of the worker's thread. Thread-safe.
    [[nodiscard]] asio::any_io_executor executor() { return io_.get_executor(); }

    /// Starts the thread.
    void start();

    /// Puts other settings in force. Returns at once; `done` is called on the worker's thread.
    /// Thread-safe; call after start().
    void change(live_settings settings, std::function<void()> done);

    /// Stops in order: drains requests in flight within the drain timeout, closes the NATS
    /// connection within two seconds, then ends the thread. Returns at once; `done` is called on
    /// the worker's thread just before it ends. Thread-safe; call once.
    void stop(std::function<void()> done);

    /// Blocks until the thread has ended.
    void join();

private:
    [[nodiscard]] std::unique_ptr<http_server> serve(asio::ip::tcp::acceptor acceptor, route_set routes,
                                                     connection_limit& limit);
    void watch(upstream_service service, std::chrono::milliseconds pause, instance_watch::handlers how);
    void start_batching();
    void put_in_force();
    asio::awaitable<void> stop_in_order();
    [[nodiscard]] worker_sample sample() const;

    live_settings now_;
    connection_limits& limits_;
    std::shared_ptr<metrics_board> board_;
    const site* files_;
    const tls_credentials* tls_;
    // Declared before the io_context, whose destructor destroys coroutines that refer to the
    // context.
    std::optional<edge_context> context_;
    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
    std::unique_ptr<bundling_requester> lookups_;
    std::unique_ptr<hedge_timer> hedges_;
    gets_gate gets_;
    batch_gate gate_;
    std::vector<std::unique_ptr<instance_watch>> watches_; ///< for both gates
    std::unique_ptr<asset_batcher> assets_;
    std::unique_ptr<view_batcher> batches_; ///< none: each view is a message of its own
    std::unique_ptr<live_source> live_;
    std::unique_ptr<http_server> server_;
    std::unique_ptr<http_server> admin_server_; ///< none: `server_` serves all routes
    std::thread thread_;
};

} // namespace marquee
