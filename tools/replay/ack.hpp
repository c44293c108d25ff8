// What the outcome of publishing one event means.
#pragma once

#include "broker/nats/message.hpp"

#include <string>

namespace marquee::replay
{

/// Parses a JetStream acknowledgement. Returns whether the stream had the event before. Fails with
/// unavailable if JetStream refused the event, or with malformed_reply.
[[nodiscard]] result<bool> read_ack(const std::string& reply);

/// Returns whether sending again cannot help.
[[nodiscard]] bool is_permanent(errc code) noexcept;

/// Describes a failure for people.
[[nodiscard]] std::string text_of(const error& why);

} // namespace marquee::replay
