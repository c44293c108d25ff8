// One attempt to connect to one server, on a thread of its own.
#pragma once

#include "broker/nats/connect_interceptor.hpp"
#include "broker/nats/connection_options.hpp"
#include "broker/nats/event_loop.hpp"
#include "broker/nats/nats_c.hpp"
#include "broker/nats/server_list.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace marquee::detail
{

/// natsConnection_Connect blocks, so it runs on a detached thread, which keeps this object alive.
/// Members are called on the io thread, or before the io_context runs.
class connect_attempt : public std::enable_shared_from_this<connect_attempt>
{
public:
    connect_attempt(std::shared_ptr<event_loop> loop, server_address server);

    /// Starts the thread. It calls `on_end` once, unless the attempt is abandoned first.
    void start(connection_options options, std::function<void()> on_end);

    /// Blocks until the attempt has ended. Returns false if it has not within `limit`.
    bool wait(std::chrono::milliseconds limit);

    /// Shuts the event loop and the socket down without waiting. The thread closes a connection
    /// that it makes all the same.
    void abandon();

    // These three only once the attempt has ended.

    /// Transfers the connection; null if the attempt failed.
    [[nodiscard]] natsConnection* take_connection() noexcept { return std::exchange(nc_, nullptr); }
    [[nodiscard]] natsStatus status() const noexcept { return status_; }
    [[nodiscard]] std::string failure() const;

    [[nodiscard]] bool resolved() const { return interceptor_.resolved(); } ///< the server's name

    [[nodiscard]] const std::shared_ptr<event_loop>& loop() const noexcept { return loop_; }
    [[nodiscard]] const server_address& server() const noexcept { return server_; }
    [[nodiscard]] server_info info() const { return parse_info(interceptor_.info()); }

    /// Blocks until no attempt of this process is running; all connections must be closed. Returns
    /// false if one still is after `limit`, because libc resolves a name.
    static bool wait_for_all(std::chrono::milliseconds limit);

private:
    void run(const connection_options& options);
    void end();
    void dispose();

    const std::shared_ptr<event_loop> loop_;
    const server_address server_;
    connect_interceptor interceptor_;
    natsConnection* nc_ = nullptr;
    natsStatus status_ = NATS_ERR;
    std::string failure_; ///< the text of nats.c or of the options

    std::mutex mutex_; ///< guards what follows
    std::condition_variable ended_changed_;
    std::function<void()> on_end_;
    bool ended_ = false;
    bool abandoned_ = false;
};

} // namespace marquee::detail
