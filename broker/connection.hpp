// A NATS connection that lives on an Asio io_context, through nats.c's event-loop hooks.
#pragma once

#include "broker/message.hpp"
#include "broker/options.hpp"
#include "broker/requester.hpp"
#include "broker/send_queue.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

struct connection_stats
{
    std::uint64_t reconnects = 0;
    std::uint64_t late_replies = 0;     ///< replies that came after their deadline; dropped
    std::uint64_t dropped_messages = 0; ///< messages lost to a pending limit (slow consumer)
    std::uint64_t async_errors = 0;     ///< permission violations and the like
    std::size_t in_flight = 0;          ///< requests that wait for a reply
    std::uint64_t waited = 0;           ///< messages that waited for room in the write buffer
    std::uint64_t unsent = 0;           ///< those that found none in time, and were not sent
    std::size_t waiting_bytes = 0;      ///< of messages that wait for room now
};

/// Held by main around all connections. Its end waits for nats.c's threads: one that still frees a closed connection while the process exits
/// meets an OpenSSL that is gone. After it no connection can be opened.
class nats_threads
{
public:
    nats_threads() = default;
    ~nats_threads();
    nats_threads(const nats_threads&) = delete;
    nats_threads& operator=(const nats_threads&) = delete;
};

/// A live subscription. Destroying it unsubscribes at once; `connection::drain` does so without losing what is under way.
class subscription
{
public:
    virtual ~subscription() = default;
};

/// All members are called on the io thread; so are all handlers. One connection serves one io_context, run by one thread.
class connection
{
public:
    using message_handler = std::function<void(message)>;
    using link_handler = std::function<void(bool up)>;

    /// Connects. The first attempt blocks the caller (at most `options.connect_timeout` a server, those of its cluster included) and its failure is an error with
    /// a clear detail, unless `options.wait_for_server`: then it goes on trying in the background as it does after a loss, for ever, with
    /// jitter. `io` must outlive the connection.
    [[nodiscard]] static result<std::unique_ptr<connection>> open(asio::io_context& io, const connection_options& options);

    virtual ~connection() = default;

    /// False from the moment the link is lost until subscriptions are back in place.
    [[nodiscard]] virtual bool connected() const noexcept = 0;

    [[nodiscard]] virtual asio::io_context& context() noexcept = 0;

    /// Puts a message into the write buffer; everything of one loop turn leaves in one system call. Success means "in the buffer".
    /// Fails with disconnected, or overloaded where the socket takes nothing and over 1 MiB is buffered, or others wait for room.
    virtual result<void> publish(const std::string& to, std::string_view payload, const header_list& headers = {},
                                 const std::string& reply = {}) = 0;

    /// The same for a message that publish() refused as overloaded: it waits for room, half of what is left until `until`, a large one no longer
    /// than connection_options::send_patience. Where it is not sent after all, `unsent` is called, never from within this call. Fails as publish() does;
    /// with overloaded where connection_options::send_room bytes wait already.
    virtual result<void> publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                                       const std::string& reply, deadline until, unsent_handler unsent) = 0;

    /// Whether a message may be published to `subject` because another one names it: see reply_prefixes.
    [[nodiscard]] virtual bool is_inbox(std::string_view subject) const noexcept = 0;

    /// Calls `handler` for each message on `pattern` (wildcards allowed), in order. With a queue group, one member gets each. A slow consumer
    /// (over `pending_limit` messages waiting) loses messages, counted, and goes on.
    [[nodiscard]] virtual result<std::shared_ptr<subscription>> subscribe(std::string_view pattern, std::string_view queue_group,
                                                                          message_handler handler, int pending_limit = 65536) = 0;

    /// Stops new messages to `subs`, delivers those under way to their handlers, and ends them. Bounded by `until`.
    virtual asio::awaitable<void> drain(std::vector<std::shared_ptr<subscription>> subs, deadline until) = 0;

    /// Request/reply over one wildcard inbox of this connection.
    [[nodiscard]] virtual requester& requests() noexcept = 0;

    /// Requests with many replies, over the same inbox.
    [[nodiscard]] virtual survey& surveys() noexcept = 0;

    /// A fresh inbox subject, for subscriptions that take replies or deliveries of their own.
    [[nodiscard]] virtual std::string new_inbox() = 0;

    /// Called on each change of connected(), on the io thread, until what this returns is destroyed. The handler may do that itself.
    [[nodiscard]] virtual std::shared_ptr<void> on_link_change(link_handler handler) = 0;

    /// Called on the io thread, with the subject, when the broker refuses a subscription of this
    /// connection; it is logged as well.
    virtual void on_refused_subscription(std::function<void(const std::string& subject)> handler) = 0;

    /// The subject of a subscription that the broker has refused on this link; empty where there is none.
    /// Sure after a flush().
    [[nodiscard]] virtual std::string refused_subscription() const = 0;

    /// The server said that it has no JetStream, and it has no cluster whose other members may.
    [[nodiscard]] virtual bool lacks_jetstream() const noexcept = 0;

    /// Hands over what has arrived, ahead of what else waits on the io_context. From no handler of this connection.
    virtual void read_now() = 0;

    [[nodiscard]] virtual connection_stats stats() const noexcept = 0;

    /// Waits until the server has processed everything published so far (PING/PONG), bounded by `until`. False: it did not.
    virtual asio::awaitable<bool> flush(deadline until) = 0;

    /// Fails requests in flight with `stopping`, flushes what is buffered, closes. After it every call fails with disconnected.
    virtual asio::awaitable<void> close(deadline until) = 0;
};

} // namespace marquee
