// What a push consumer delivers: stored messages, and control messages of JetStream.
#pragma once

#include "broker/nats/message.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace marquee
{

/// The metadata in the reply subject of a stored message (ADR-15).
struct delivery
{
    std::uint64_t stream_sequence = 0;
    std::uint64_t consumer_sequence = 0;
    std::int64_t timestamp = 0; ///< when it was stored, nanoseconds since 1970
    std::uint64_t pending = 0;  ///< messages of the consumer after this one
};

/// Parses `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>`,
/// or the form with domain and account before the stream and possibly a token at the end (ADR-15).
/// Nothing if `reply` is another subject. Only a server sets it: what the publisher of a stored
/// message named as reply subject is not delivered.
[[nodiscard]] std::optional<delivery> parse_delivery(std::string_view reply);

/// A heartbeat, a flow control request, or the end of the consumer.
struct control_message
{
    int status = 0;
    std::string_view description;
    std::string_view go_on; ///< the subject where flow control expects an empty message; or empty
    std::optional<std::uint64_t> last_consumer_sequence;
};

/// Parses a control message. JetStream publishes those to the consumer's deliver subject, whereas a
/// stored message has the subject under which it was stored, and headers that its publisher chose:
/// headers alone decide nothing. Nothing if `msg` is not a control message in every respect, or
/// names a subject that is not one of flow control. The result has views into `msg`.
[[nodiscard]] std::optional<control_message> parse_control(const message& msg, std::string_view deliver_subject);

} // namespace marquee
