// A NATS connection on an Asio io_context, through nats.c's event-loop hooks.
#pragma once

#include "broker/nats/connection_options.hpp"
#include "broker/nats/message.hpp"
#include "broker/nats/requester.hpp"
#include "broker/nats/send_queue.hpp"

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

/// Counters of one connection since it was opened.
struct connection_stats
{
    std::uint64_t reconnects = 0;
    std::uint64_t late_replies = 0;     ///< replies that came after the deadline, and were dropped
    std::uint64_t dropped_messages = 0; ///< messages lost to a pending limit (slow consumer)
    std::uint64_t async_errors = 0;     ///< permission violations and the like
    std::size_t in_flight = 0;          ///< requests without a reply yet
    std::uint64_t waited = 0;           ///< messages that waited for room in the write buffer
    std::uint64_t unsent = 0;           ///< messages that found none in time
    std::size_t waiting_bytes = 0;      ///< of messages that are waiting now
};

/// Who a connection is to the broker.
struct connection_identity
{
    std::string name;     ///< shown by `nats server report connections`
    std::string instance; ///< connection_options::instance
};

/// Ends nats.c at the end of main(), which declares it before all connections: the destructor waits
/// for nats.c's threads, because one that frees a connection while the process exits would use
/// OpenSSL after its cleanup. No connection can be opened afterwards.
class nats_threads
{
public:
    nats_threads() = default;
    ~nats_threads();
    nats_threads(const nats_threads&) = delete;
    nats_threads& operator=(const nats_threads&) = delete;
};

/// A subscription. The destructor unsubscribes at once; connection::drain() does so without losing
/// messages in flight. It outlives the loss of a link, and may outlive the connection. On the io
/// thread.
class subscription
{
public:
    virtual ~subscription() = default;
};

/// Members and handlers are called on the io thread, the one thread that runs the io_context.
class connection
{
public:
    using message_handler = std::function<void(message)>;
    using link_handler = std::function<void(bool up)>;

    /// Connects. Blocks at most `options.connect_timeout` per server, cluster members included, and
    /// fails with disconnected and a detail that names each server's failure. With
    /// `options.wait_for_server` it returns at once and goes on connecting in the background, for
    /// ever, with jitter, as it does after the loss of a link. Fails with bad_request if the
    /// options cannot be used. `io` must outlive the connection.
    [[nodiscard]] static result<std::unique_ptr<connection>> open(asio::io_context& io,
                                                                  const connection_options& options);

    virtual ~connection() = default;

    /// False from the loss of the link until all subscriptions exist on the next one.
    [[nodiscard]] virtual bool connected() const noexcept = 0;

    [[nodiscard]] virtual asio::io_context& context() noexcept = 0;

    [[nodiscard]] virtual const connection_identity& identity() const noexcept = 0;

    /// Adds a message to the write buffer, which is written once per turn of the loop. Success
    /// means that it is in the buffer. Fails with disconnected, with bad_request (a subject or
    /// header that would break the protocol), with payload_too_large, or with overloaded if more
    /// than 1 MiB is buffered that the socket does not take, or other messages wait for room.
    virtual result<void> publish(const std::string& to, std::string_view payload, const header_list& headers = {},
                                 const std::string& reply = {}) = 0;

    /// The same for a message that publish() refused as overloaded: waits for room for half of the
    /// time until `until`, and a large one no longer than connection_options::send_patience. If it
    /// is not sent in the end, `unsent` is called, never from within this call. Fails as publish()
    /// does; with overloaded if connection_options::send_room bytes are waiting.
    virtual result<void> publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                                       const std::string& reply, deadline until, unsent_handler unsent) = 0;

    /// Returns whether a message may be published to `subject` because another message names it:
    /// see reply_prefixes.
    [[nodiscard]] virtual bool is_inbox(std::string_view subject) const noexcept = 0;

    /// Calls `handler` for each message that matches `pattern` (with `*` and `>`), in order. In a
    /// queue group one member gets each message. A slow consumer, with more than `pending_limit`
    /// messages waiting, loses messages, which are counted. Fails with disconnected or bad_request.
    [[nodiscard]] virtual result<std::shared_ptr<subscription>> subscribe(std::string_view pattern,
                                                                          std::string_view queue_group,
                                                                          message_handler handler,
                                                                          int pending_limit = 65536) = 0;

    /// Unsubscribes `subs` and delivers the messages in flight to their handlers, bounded by
    /// `until`.
    virtual asio::awaitable<void> drain(std::vector<std::shared_ptr<subscription>> subs, deadline until) = 0;

    /// Request/reply over one wildcard inbox. Lives as long as the connection.
    [[nodiscard]] virtual requester& requests() noexcept = 0;

    /// Requests with several replies, over the same inbox.
    [[nodiscard]] virtual multi_requester& multi_requests() noexcept = 0;

    /// Returns a unique inbox subject, for a subscription of the caller.
    [[nodiscard]] virtual std::string new_inbox() = 0;

    /// Calls `handler` on each change of connected(), until the returned handle is destroyed, which
    /// the handler itself may do.
    [[nodiscard]] virtual std::shared_ptr<void> on_link_change(link_handler handler) = 0;

    /// Calls `handler` with the subject when the broker refuses a subscription, which is logged
    /// too.
    virtual void on_refused_subscription(std::function<void(const std::string& subject)> handler) = 0;

    /// The subject of a subscription that the broker has refused on this link; empty if there is
    /// none. Complete for subscriptions made before a flush().
    [[nodiscard]] virtual std::string refused_subscription() const = 0;

    /// What the broker said when it last refused something, such as `Permissions Violation for
    /// Publish to "SUBJECT"`; empty: nothing yet. It arrives later than the answers to what was
    /// sent after it.
    [[nodiscard]] virtual const std::string& last_complaint() const noexcept = 0;

    /// Whether JetStream is not enabled on the server nor, maybe, in its cluster; no with a prefix.
    [[nodiscard]] virtual bool lacks_jetstream() const noexcept = 0;

    /// The version of the server of this link, or of the last one, as it writes it: `2.10.27`.
    /// Empty before the first link.
    [[nodiscard]] virtual const std::string& server_version() const noexcept = 0;

    /// Calls the handlers of what has arrived, ahead of other work of the io_context. Not from a
    /// handler of this connection.
    virtual void read_now() = 0;

    [[nodiscard]] virtual connection_stats stats() const noexcept = 0;

    /// Waits until the server has processed everything published so far (a round trip), bounded by
    /// `until`. Returns false if it has not.
    virtual asio::awaitable<bool> flush(deadline until) = 0;

    /// Flushes, fails requests in flight with `stopping`, and closes. Bounded by `until`. Every
    /// later call fails with disconnected.
    virtual asio::awaitable<void> close(deadline until) = 0;
};

} // namespace marquee
