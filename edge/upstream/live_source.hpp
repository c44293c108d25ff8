// Asks reporting for views, for the live streams of one io thread.
#pragma once

#include "edge/upstream/live_hub.hpp"
#include "edge/upstream/service_client.hpp"
#include "edge/upstream/ticker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>

namespace marquee
{

/// Feeds a hub while it has clients: one request to `reporting.live` at a time, which waits there
/// for the next view, and others for clients that catch up. On one io thread. It is destroyed when
/// its coroutines have stopped for good, with the io_context.
class live_source
{
public:
    struct settings
    {
        std::chrono::milliseconds flush{100};       ///< between two writes to a client, at least
        std::chrono::milliseconds pause{40};        ///< between two full replies, which are not to overrun the ring
        std::chrono::milliseconds poll{1500};       ///< the deadline of a request that waits
        std::chrono::milliseconds grace{1000};      ///< of its reply after that: the instance may be gone
        std::chrono::milliseconds first_retry{50};  ///< after a failure; then twice as long each time
        std::chrono::milliseconds last_retry{1000}; ///< and no longer than this
        std::chrono::milliseconds heartbeat_part{1000};
        std::size_t heartbeat_parts = 15; ///< each client has a heartbeat once in so many parts
        std::size_t catching_up = 8;      ///< clients at once, in turns
    };

    /// `hub` and `services` outlive the coroutines.
    live_source(asio::io_context& io, live_hub& hub, service_client& services, const settings& with);
    live_source(asio::io_context& io, live_hub& hub, service_client& services)
        : live_source(io, hub, services, settings())
    {
    }

private:
    using clock = deadline::clock;

    /// Of a client that catches up.
    enum class progress : std::uint8_t
    {
        done, ///< it has joined, or gone
        more, ///< it got something
        none, ///< nothing new, or it has not taken what it got
        failed,
    };

    void start();
    void start_catching_up();
    asio::awaitable<void> feed();
    asio::awaitable<bool> feed_once();
    asio::awaitable<void> catch_up(std::weak_ptr<live_client> who);
    asio::awaitable<progress> catch_up_once(std::weak_ptr<live_client> who);
    asio::awaitable<result<live_reply>> ask(std::optional<live_place> after, std::chrono::milliseconds wait);
    asio::awaitable<void> pause(std::chrono::milliseconds time);
    void flush_soon();

    asio::io_context& io_;
    live_hub& hub_;
    service_client& services_;
    settings settings_;
    bool feeding_ = false;
    std::chrono::milliseconds retry_;
    std::chrono::milliseconds catch_up_retry_;
    bool flushing_ = false; ///< a flush was less than settings::flush ago
    ticker flush_;
    ticker heartbeat_;
    std::size_t catching_up_ = 0;
    std::deque<std::weak_ptr<live_client>> waiting_; ///< to catch up; no more than there are clients
};

} // namespace marquee
