// How messages of ours get into nats.c's write buffer.
#pragma once

#include "broker/base/deadline.hpp"
#include "broker/nats/connection_options.hpp"
#include "broker/nats/message.hpp"
#include "broker/nats/nats_link.hpp"
#include "broker/nats/nats_message.hpp"
#include "broker/nats/send_queue.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::detail
{

/// Publishes on a link. nats.c's write buffer has no bound of its own in event-loop mode, so
/// nothing is added to it beyond 1 MiB: such messages are refused, or wait in a bounded queue.
/// Everything on the io thread; `link` and `spent` must outlive this object.
class publisher
{
public:
    publisher(asio::io_context& io, nats_link& link, spent_messages& spent, const connection_options& options);

    /// As connection::publish().
    result<void> publish(const std::string& to, std::string_view payload, const header_list& headers,
                         const std::string& reply);

    /// As connection::publish_later().
    result<void> publish_later(const std::string& to, std::string_view payload, const header_list& headers,
                               const std::string& reply, deadline until, unsent_handler unsent);

    /// Moves queued messages into the write buffer. Called when the socket has taken some of it.
    void send_queued();

    /// Empties the queue and tells each handler `why`.
    void fail_queued(const error& why) { fail_all(queue_.take_all(), why); }

    /// Waits until the queue is empty, bounded by `until`.
    asio::awaitable<void> wait_until_sent(deadline until);

    [[nodiscard]] std::uint64_t queued() const noexcept { return queued_; } ///< messages that had to wait
    [[nodiscard]] std::uint64_t unsent() const noexcept { return unsent_; } ///< those that were not sent
    [[nodiscard]] std::size_t queued_bytes() const noexcept { return queue_.bytes(); }

private:
    [[nodiscard]] result<void> check(const std::string& to, const header_list& headers, const std::string& reply) const;
    [[nodiscard]] bool has_room();
    result<void> put(const std::string& to, std::string_view payload, const header_list& headers,
                     const std::string& reply);
    result<void> put_at(const char* to, std::string_view payload, const header_list& headers, const std::string& reply);
    void expire_later();
    void fail_all(std::vector<send_queue::item> messages, const error& why);

    static constexpr int max_buffered = 1 << 20;
    static constexpr std::chrono::milliseconds expiry_tick{20};

    nats_link& link_;
    spent_messages& spent_;
    const std::string jetstream_prefix_; ///< empty: JetStream is where it always is
    const std::chrono::milliseconds send_patience_;
    send_queue queue_; ///< not empty: the write buffer is full or about to be written
    asio::steady_timer expiry_;
    asio::steady_timer sent_; ///< cancelled when the queue becomes empty
    std::uint64_t queued_ = 0;
    std::uint64_t unsent_ = 0;
    std::shared_ptr<int> alive_ = std::make_shared<int>(); ///< a queued timer handler may outlive this object
};

} // namespace marquee::detail
