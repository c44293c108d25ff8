// What a push consumer sends: stored messages, and what JetStream itself has to say about the consumer.
#pragma once

#include "broker/message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace marquee
{

/// What stands in the reply subject of a stored message.
struct delivery
{
    std::uint64_t stream_sequence = 0;
    std::uint64_t consumer_sequence = 0;
    std::int64_t timestamp = 0;
    std::uint64_t pending = 0;
};

/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`, or with domain and account before the stream and
/// possibly a last token after (ADR-15). Only a server can set it: whoever publishes into a stream names another reply subject, or none.
[[nodiscard]] std::optional<delivery> parse_delivery(std::string_view reply);

/// A heartbeat, a request of flow control, or the end of the consumer.
struct control_message
{
    int status = 0;
    std::string_view description;
    std::string_view go_on; ///< where flow control waits for an empty message; empty: nowhere
    std::optional<std::uint64_t> last_consumer_sequence;
};

/// JetStream's own messages come on the consumer's deliver subject; a stored message comes there with the subject under which it was stored. So headers alone decide
/// nothing: whoever publishes into a stream chooses them. Nothing where `msg` is not such a message in every respect, or names a subject other than those
/// of flow control. Views into `msg`.
[[nodiscard]] std::optional<control_message> parse_control(const message& msg, std::string_view deliver_subject);

} // namespace marquee
