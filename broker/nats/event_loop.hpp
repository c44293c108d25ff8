// nats.c's event-loop hooks on an Asio io_context.
//
// nats.c calls the hooks on the thread that holds its connection lock: the io thread, its ping
// timer, or the thread that connects. They only set flags and post. The io_context waits on a dup
// of nats.c's socket: nats.c closes its own descriptor before a posted handler runs, and the number
// may then be that of an accepted HTTP connection.
#pragma once

#include "broker/nats/nats_c.hpp"

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

/// Owns a file descriptor; -1 is none.
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

/// The event loop of one natsConnection. nats.c's references keep it alive until the last callback.
/// Public members are called on the io thread unless they say otherwise.
class event_loop : public std::enable_shared_from_this<event_loop>
{
public:
    /// Called on the io thread.
    struct handlers
    {
        std::function<void()> on_read;                  ///< nats.c has parsed what was read
        std::function<void(bool up)> on_link;           ///< the link came up or was lost
        std::function<void(std::string what)> on_error; ///< an asynchronous error; not logged yet
        std::function<void()> on_written;               ///< the socket took some of the write buffer
    };

    event_loop(asio::io_context& io, handlers h);

    /// Sets the hooks and callbacks on `options`. On the thread that connects.
    natsStatus install(natsOptions* options);

    /// Takes the connection that natsConnection_Connect returned; the link is up on return if it is
    /// connected. A null connection (the attempt failed) only releases this object, on any thread
    /// once the loop is shut.
    void start(natsConnection* nc, bool connected);

    /// Writes the write buffer at once, as much as the socket takes.
    void write_now();

    /// Handles at once what has arrived or arrives within `limit`. Not from a handler of this
    /// object.
    void read_now(std::chrono::milliseconds limit = {});

    /// Calls no handler and posts nothing from now on. Call before the connection is closed.
    void shut();

    /// False from the moment nats.c gives up the socket. Any thread.
    [[nodiscard]] bool up() const noexcept { return up_.load(); }

private:
    // Hooks and callbacks of nats.c: no exception may leave them.
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
    void await_readable();
    void process_read();
    void await_writable();
    void write_pending();

    asio::io_context& io_;
    handlers handlers_;
    natsConnection* nc_ = nullptr;
    std::optional<asio::posix::stream_descriptor> socket_; ///< empty after shut(): may outlive the io_context
    std::uint64_t epoch_ = 0; ///< of the adopted socket; waits of an earlier one are ignored

    std::atomic<bool> up_{false};
    std::atomic<bool> want_write_{false};
    bool reported_up_ = false;
    bool waiting_write_ = false;

    std::mutex mutex_;         ///< guards what follows, which nats.c's threads use
    file_descriptor attached_; ///< from attach() until start() takes it
    std::atomic<bool> shut_{false};
    std::shared_ptr<event_loop> kept_by_hooks_;
    std::shared_ptr<event_loop> kept_by_callbacks_;
};

} // namespace marquee::detail
