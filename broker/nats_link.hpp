// The link to the broker: a natsConnection for as long as it lasts, then another one, for ever.
//
// nats.c's own reconnect is not used. With an event loop it keeps the parser of the lost connection: one that was lost within a message takes the
// first bytes of the next for the rest of it, or never understands a byte again (true of 3.4.1 and of 3.11). And its thread would hold the
// connection's lock through every attempt.
#pragma once

#include "broker/event_loop.hpp"
#include "broker/options.hpp"
#include "schemas/error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

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

    /// The first attempt: blocks, and fails with `disconnected`, where a signature was refused after three; with `wait_for_server` it goes on in the background instead. Fails with bad_request
    /// where the options cannot be used.
    [[nodiscard]] result<void> open();

    /// False from the instant nats.c gives the socket up.
    [[nodiscard]] bool up() const noexcept { return nc_ != nullptr && loop_->up(); }

    /// Null before the first link.
    [[nodiscard]] natsConnection* get() const noexcept { return nc_; }

    /// Writes what is buffered, as far as the socket takes it.
    void write_now();

    /// Handles what has arrived.
    void read_now();

    /// For good; no handler is called after it. Waits for an attempt that is under way: bounded by the connect timeout.
    void close();

private:
    /// One try to connect; its thread's until it is posted back.
    struct attempt
    {
        std::shared_ptr<event_loop> loop;
        natsConnection* nc = nullptr;
        natsStatus status = NATS_ERR;
    };

    std::shared_ptr<attempt> make_attempt();
    static void run(attempt& one, const connection_options& options);
    void begin();
    bool take(attempt& made);
    void link_changed(bool up);
    void retry_later();
    void drop();

    asio::io_context& io_;
    const connection_options options_;
    handlers handlers_;
    std::shared_ptr<event_loop> loop_;
    natsConnection* nc_ = nullptr;
    std::shared_ptr<attempt> under_way_;
    std::thread connector_; ///< connecting blocks
    asio::steady_timer retry_;
    std::minstd_rand random_{std::random_device{}()};
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace marquee::detail
