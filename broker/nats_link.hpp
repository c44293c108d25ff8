// The link to the broker: a natsConnection for as long as it lasts, then another one, for ever.
//
// nats.c's own reconnect is not used. With an event loop it keeps the parser of the lost connection: one that was lost within a message takes the
// first bytes of the next for the rest of it, or never understands a byte again (true of 3.4.1 and of 3.11). And its thread would hold the
// connection's lock through every attempt. Nor is its list of servers: one that takes a connection and
// says nothing would keep it from the others.
#pragma once

#include "broker/connect_attempt.hpp"
#include "broker/event_loop.hpp"
#include "broker/options.hpp"
#include "broker/server_list.hpp"
#include "schemas/error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace marquee::detail
{

/// All members are called on the io thread, and all handlers.
class nats_link
{
public:
    struct handlers
    {
        std::function<void()> on_read;                  ///< see event_loop
        std::function<void()> on_written;               ///< see event_loop
        std::function<void()> on_up;                    ///< a new natsConnection, with nothing subscribed
        std::function<void()> on_down;                  ///< get() is closed, and destroyed some time after this returns
        std::function<void(std::string what)> on_error; ///< see event_loop
    };

    nats_link(asio::io_context& io, connection_options options, handlers h);
    ~nats_link() { close(); }
    nats_link(const nats_link&) = delete;
    nats_link& operator=(const nats_link&) = delete;

    /// Tries each server once, those that a server names included, each for `connect_timeout`. Blocks, and
    /// fails with `disconnected` where none took us; with `wait_for_server` it goes on in the background
    /// instead, for ever. Fails with bad_request where the options cannot be used.
    [[nodiscard]] result<void> open();

    /// False from the instant nats.c gives the socket up.
    [[nodiscard]] bool up() const noexcept { return nc_ != nullptr && loop_->up(); }

    /// Null before the first link.
    [[nodiscard]] natsConnection* get() const noexcept { return nc_; }

    /// What the server said of itself when it took us.
    [[nodiscard]] const server_info& server() const noexcept { return info_; }

    /// Writes what is buffered, as far as the socket takes it.
    void write_now();

    /// Handles what has arrived, or arrives within `limit`.
    void read_now(std::chrono::milliseconds limit = {});

    /// For good; no handler is called after it. Waits for nobody.
    void close();

private:
    [[nodiscard]] result<void> check_options() const;
    void start_round();
    void try_next();
    void attempt_ended();
    void attempt_took_too_long();
    void learn(const connect_attempt& from);
    void blame(const server_address& server, const std::string& why);
    void round_failed();
    bool take(connect_attempt& made);
    void link_changed(bool up);
    void retry_later();
    void drop();

    asio::io_context& io_;
    const connection_options options_;
    handlers handlers_;
    bool blocking_ = false; ///< open() waits for each attempt itself

    server_list servers_;
    std::vector<server_address> round_; ///< the servers of this round that have not been tried yet, the next one last
    int signatures_ = 0;                ///< how often the server that was tried last has refused one
    std::string blamed_;                ///< the servers of this round that failed, and why
    std::string logged_;                ///< as it was logged last
    std::chrono::steady_clock::time_point logged_at_;
    server_address connected_to_;
    server_info info_;

    std::shared_ptr<event_loop> loop_;
    natsConnection* nc_ = nullptr;
    std::shared_ptr<connect_attempt> under_way_;
    std::vector<std::weak_ptr<connect_attempt>> lingering_; ///< given up; their threads hold them
    asio::steady_timer limit_;                              ///< of the attempt that is under way
    asio::steady_timer retry_;
    std::minstd_rand random_{std::random_device{}()};
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace marquee::detail
