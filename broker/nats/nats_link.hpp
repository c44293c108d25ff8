// The link to the broker: one natsConnection after another, for ever.
//
// nats.c's own reconnect is not used, because in event-loop mode it keeps the parser state of the
// lost connection: if that was lost within a message, the first bytes of the next are taken for the
// rest of it, or nothing is parsed again (3.4.1 and 3.11). Its thread would also hold the
// connection lock during every attempt. Its server list is not used either: a server that accepts a
// connection and sends nothing would keep it from trying the others.
#pragma once

#include "broker/nats/connect_attempt.hpp"
#include "broker/nats/connection_options.hpp"
#include "broker/nats/event_loop.hpp"
#include "broker/nats/server_list.hpp"
#include "schemas/error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace marquee::detail
{

/// Members and handlers are called on the io thread.
class nats_link
{
public:
    struct handlers
    {
        std::function<void()> on_read;                  ///< see event_loop
        std::function<void()> on_written;               ///< see event_loop
        std::function<void()> on_up;                    ///< get() is a new natsConnection without subscriptions
        std::function<void()> on_down;                  ///< get() is closed; it is destroyed after this returns
        std::function<void(std::string what)> on_error; ///< see event_loop
    };

    nats_link(asio::io_context& io, connection_options options, handlers h);
    ~nats_link() { close(); }
    nats_link(const nats_link&) = delete;
    nats_link& operator=(const nats_link&) = delete;

    /// Tries each server once, including cluster members that servers name, each for
    /// `connect_timeout`. Blocks, and fails with disconnected if no server accepts a connection.
    /// With `wait_for_server` it returns at once and goes on trying in the background, for ever.
    /// Fails with bad_request if the options cannot be used.
    [[nodiscard]] result<void> open();

    /// False from the moment nats.c gives up the socket.
    [[nodiscard]] bool up() const noexcept { return nc_ != nullptr && loop_->up(); }

    /// Null before the first link.
    [[nodiscard]] natsConnection* get() const noexcept { return nc_; }

    /// The INFO of the server of this link, or of the last one.
    [[nodiscard]] const server_info& server() const noexcept { return info_; }

    /// See event_loop::write_now().
    void write_now();

    /// See event_loop::read_now().
    void read_now(std::chrono::milliseconds limit = {});

    /// Closes the link for good, without blocking. No handler is called after this.
    void close();

private:
    [[nodiscard]] result<void> check_options() const;
    void start_cycle();
    void try_next();
    void attempt_ended();
    void attempt_took_too_long();
    void add_discovered(const connect_attempt& by);
    void add_failure(const server_address& server, const std::string& why);
    void cycle_failed();
    bool adopt(connect_attempt& made);
    void link_changed(bool up);
    void retry_later();
    void close_current();

    asio::io_context& io_;
    const connection_options options_;
    handlers handlers_;
    bool blocking_ = false; ///< open() waits for each attempt

    server_list servers_;
    std::vector<server_address> untried_; ///< the servers that this cycle has not tried yet, the next one last
    int refused_signatures_ = 0;          ///< in a row, by the server that was tried last
    std::string failures_;                ///< the servers that failed in this cycle, and why
    std::string logged_;                  ///< failures_ when it was logged last
    std::chrono::steady_clock::time_point logged_at_;
    server_address connected_to_;
    server_info info_;

    std::shared_ptr<event_loop> loop_;
    natsConnection* nc_ = nullptr;
    std::shared_ptr<connect_attempt> attempt_;              ///< the one that is running
    std::vector<std::weak_ptr<connect_attempt>> abandoned_; ///< alive while their threads run
    asio::steady_timer limit_;                              ///< of attempt_
    asio::steady_timer retry_;
    std::minstd_rand rng_{std::random_device{}()};
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace marquee::detail
