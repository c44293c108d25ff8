// Reads a stream in order, without end: an ordered consumer (ADR-17).
#pragma once

#include "broker/jetstream/stored_message.hpp"
#include "broker/jetstream/streams.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace marquee
{

class connection;

/// Why reading cannot resume at the last message that was handed out.
enum class resume_failure
{
    gone = 1, ///< the message is not in the stream: expired, purged, overwritten, or never there
    another   ///< its sequence has another message now: the stream lost its end and grew again
};

/// How often a consumer was lost.
struct consumer_losses
{
    /// Times it was lost, or could not be made, with the link up and without progress in between.
    std::uint64_t in_a_row = 0;
    std::uint64_t after = 0; ///< the sequence after which it was lost the last time
    std::string why;         ///< the reason of the last time

    /// Lost three times in a row: an operator has to look.
    [[nodiscard]] bool stuck() const noexcept { return in_a_row >= 3; }

    /// For an operator.
    [[nodiscard]] std::string text() const;
};

/// Reads a stream in order from a position on, without end. A gap, a missed heartbeat or a lost
/// link makes a new consumer, which resumes after the last message handed out. Before it resumes it
/// compares the timestamp of that message: sequences are used again after a power cut or in a
/// restored store, timestamps are not. Messages of one loop turn are handed out together.
/// Everything happens on the connection's io thread. The connection must outlive the consumer.
class ordered_consumer
{
public:
    struct settings
    {
        std::string stream;
        stream_position after; ///< reading begins with the message after this one
        /// Of the program that reads. The consumer is named `READER-INSTANCE-N`, N being the number
        /// of this attempt in the process: two of one name cannot exist, and the server removes a
        /// lost one seconds later. On a connection without an instance the server makes the name.
        std::string reader = {};
        std::string description = {}; ///< for people
        /// Three missed: a new consumer. Zero: idle_heartbeat_for() the stream.
        std::chrono::milliseconds idle_heartbeat{0};
    };

    /// Called with one or more messages, in order, each message once and none left out.
    using batch_handler = std::function<void(std::vector<stored_message>)>;

    /// Called with `up` when the consumer exists and the last message handed out was looked for
    /// (with the stream's state when the consumer was made), and with `!up` when the consumer is
    /// lost. An exception of it counts as a loss.
    using state_handler = std::function<void(bool up, const stream_state&)>;

    /// Called when the last message handed out is not found again. With `gone`, which comes after
    /// on_state(true, …), reading goes on. With `another` the consumer has stopped, and on_state is
    /// not called: what was handed out is no part of the stream.
    using resume_failure_handler = std::function<void(resume_failure)>;

    virtual ~ordered_consumer() = default;

    [[nodiscard]] static std::unique_ptr<ordered_consumer> start(connection& nats, settings what,
                                                                 batch_handler on_batch, state_handler on_state,
                                                                 resume_failure_handler on_resume_failure);

    /// Ends it: no handler is called after this returns. May be called, and the object destroyed,
    /// from within a handler.
    virtual void stop() = 0;

    [[nodiscard]] virtual const consumer_losses& losses() const noexcept = 0;

    /// The name of the present consumer, or of the last one; empty before the first, and where the
    /// server makes it.
    [[nodiscard]] virtual const std::string& name() const noexcept = 0;
};

/// How often JetStream says that a consumer is there. With one replica a lost server takes stream
/// and link along, which the link tells: 2 s are for what remains, a consumer that was deleted by
/// hand. With more, the consumer is on one server of a cluster and the link may be to another: only
/// a missed heartbeat tells that this server died, and until then the counts of plays are missing
/// and changes made at other instances are not seen: 250 ms.
[[nodiscard]] std::chrono::milliseconds idle_heartbeat_for(const stream_state& stream) noexcept;

} // namespace marquee
