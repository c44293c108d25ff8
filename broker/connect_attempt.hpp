// One try to connect to one server, on a thread of its own that nobody has to wait for.
#pragma once

#include "broker/connect_watch.hpp"
#include "broker/event_loop.hpp"
#include "broker/nats_c.hpp"
#include "broker/options.hpp"
#include "broker/server_list.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace marquee::detail
{

/// Made, asked and given up on the io thread, or by the opener before the io_context runs.
class connect_attempt : public std::enable_shared_from_this<connect_attempt>
{
public:
    connect_attempt(std::shared_ptr<event_loop> loop, server_address server);

    /// `on_end` is called once, on the attempt's thread, unless the attempt is given up first.
    void start(connection_options options, std::function<void()> on_end);

    /// Waits until it has ended. False: not within `limit`.
    bool wait(std::chrono::milliseconds limit);

    /// Ends it without waiting: its socket is shut down, and what it still makes its thread destroys. The loop is shut.
    void give_up();

    /// Null where it failed; the caller's from here on. These three: once it has ended.
    [[nodiscard]] natsConnection* take_connection() noexcept { return std::exchange(nc_, nullptr); }
    [[nodiscard]] natsStatus status() const noexcept { return status_; }
    [[nodiscard]] std::string failure() const;

    [[nodiscard]] bool resolved() const { return watch_.dialled(); } ///< its name was

    [[nodiscard]] const std::shared_ptr<event_loop>& loop() const noexcept { return loop_; }
    [[nodiscard]] const server_address& server() const noexcept { return server_; }
    [[nodiscard]] server_info info() const { return parse_info(watch_.info()); }

    /// Waits until no attempt of this process runs; every connection has been closed. False: not within
    /// `limit`, libc still resolves a name.
    static bool wait_for_all(std::chrono::milliseconds limit);

private:
    void run(const connection_options& options);
    void end();
    void dispose();

    const std::shared_ptr<event_loop> loop_;
    const server_address server_;
    connect_watch watch_;
    natsConnection* nc_ = nullptr;
    natsStatus status_ = NATS_ERR;
    std::string said_; ///< why it failed, as nats.c or the options put it

    std::mutex mutex_; ///< guards what follows
    std::condition_variable ended_changed_;
    std::function<void()> on_end_;
    bool ended_ = false;
    bool given_up_ = false;
};

} // namespace marquee::detail
