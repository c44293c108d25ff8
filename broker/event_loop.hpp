// nats.c's event-loop hooks on an Asio io_context.
//
// nats.c calls the hooks from whatever thread holds its connection lock: the io thread, its ping timer, the thread that connects. They
// only set flags and post. The socket watched is a dup of nats.c's own: nats.c closes its descriptor before a posted "stop" runs, and
// an accepted HTTP connection may get the same number.
#pragma once

#include "broker/nats_c.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace marquee::detail
{

namespace asio = boost::asio;

/// Owns an open file; -1 is none.
class file_descriptor
{
public:
    file_descriptor() noexcept = default;
    explicit file_descriptor(int fd) noexcept : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : fd_(other.release()) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file_descriptor();

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

class event_loop : public std::enable_shared_from_this<event_loop>
{
public:
    /// All called on the io thread.
    struct handlers
    {
        std::function<void()> on_read;                  ///< nats.c has parsed a read; drain the subscriptions
        std::function<void(bool up)> on_link;           ///< the link went up (subscriptions are in place) or down
        std::function<void(std::string what)> on_error; ///< an asynchronous error, already logged by nobody
        std::function<void()> on_written;               ///< the socket took some of what is buffered, or all
    };

    event_loop(asio::io_context& io, handlers h);

    /// Sets the hooks and callbacks on `options`. They keep this object alive until nats.c has called the last of them.
    natsStatus install(natsOptions* options);

    /// The connection, once natsConnection_Connect has returned it; the link is up on return if it is connected already. Before the io_context runs
    /// or on its thread; for a connection that failed, on any thread once the loop is shut.
    void start(natsConnection* nc, bool connected);

    /// Writes what is buffered without waiting for the loop's turn, as far as the socket takes it. On the io thread.
    void write_now();

    /// Handles what has arrived, or arrives within `limit`, without waiting for the loop's turn. On the io thread, and from no handler of this object.
    void read_now(std::chrono::milliseconds limit = {});

    /// Ends all activity towards the io_context: call on the io thread before the connection is closed.
    void shut();

    /// False from the instant nats.c gives the socket up.
    [[nodiscard]] bool up() const noexcept { return up_.load(); }

private:
    // Called by C code, which no exception may cross.
    static natsStatus attach(void** user, void* loop, natsConnection* nc, natsSock socket) noexcept;
    static natsStatus read_event(void* user, bool add) noexcept;
    static natsStatus write_event(void* user, bool add) noexcept;
    static natsStatus detach(void* user) noexcept;
    static void on_closed(natsConnection* nc, void* closure) noexcept;
    static void on_error(natsConnection* nc, natsSubscription* sub, natsStatus status, void* closure) noexcept;

    template <class F>
    void post(F work);
    void link_up();
    void link_down();
    void adopt();
    void watch_read();
    void process_read();
    void watch_write();
    void write_pending();

    asio::io_context& io_;
    handlers handlers_;
    natsConnection* nc_ = nullptr;
    std::optional<asio::posix::stream_descriptor> socket_; ///< empty after shut(): this object may outlive the io_context
    std::uint64_t generation_ = 0;                         ///< of the adopted socket; a wait that ends for an older one is void

    std::atomic<bool> up_{false};
    std::atomic<bool> want_write_{false};
    bool reported_up_ = false;
    bool waiting_write_ = false;

    std::mutex mutex_;         ///< guards what follows: touched by nats.c's threads
    file_descriptor attached_; ///< from attach() until start() takes it
    std::atomic<bool> shut_{false};
    std::shared_ptr<event_loop> kept_by_hooks_;
    std::shared_ptr<event_loop> kept_by_callbacks_;
};

} // namespace marquee::detail
