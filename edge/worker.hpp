// One io thread of the edge: an io_context, a NATS connection, a server.
#pragma once

#include "broker/bundling_requester.hpp"
#include "broker/connection.hpp"
#include "edge/config.hpp"
#include "edge/context.hpp"
#include "edge/server.hpp"
#include "edge/service_call.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace marquee
{

class edge_worker
{
public:
    /// `config`, `limit`, `rates` and, where there is one, `tls` outlive the worker.
    edge_worker(const edge_config& config, connection_limit& limit, rate_limits& rates, std::shared_ptr<metrics_board> board,
                const tls_credentials* tls);
    ~edge_worker();
    edge_worker(const edge_worker&) = delete;
    edge_worker& operator=(const edge_worker&) = delete;

    /// Connects to the broker and listens; blocks. On success `at` has the port that was bound. Fails with a clear detail.
    [[nodiscard]] result<void> open(const connection_options& options, asio::ip::tcp::endpoint& at);

    /// Where its thread works.
    [[nodiscard]] asio::any_io_executor executor() { return io_.get_executor(); }

    /// Starts the thread.
    void start();

    /// Asks it to stop in order: requests under way within the drain timeout, then the NATS connection, then the thread. `done` is called on the
    /// worker's thread when only its end is left. Thread-safe; call once.
    void stop(std::function<void()> done);

    /// Waits for the thread.
    void join();

private:
    asio::awaitable<void> stop_in_order();
    [[nodiscard]] worker_sample sample() const;

    const edge_config& config_;
    connection_limit& limit_;
    rate_limits& rates_;
    std::shared_ptr<metrics_board> board_;
    const tls_credentials* tls_;
    // Declared before the io_context: its destructor ends coroutines that still refer to the context.
    std::optional<edge_context> context_;
    asio::io_context io_{1};
    std::unique_ptr<connection> nats_;
    std::unique_ptr<bundling_requester> lookups_;
    std::unique_ptr<waiting_questions> waiting_;
    std::unique_ptr<http_server> server_;
    std::thread thread_;
};

} // namespace marquee
