// Creating the server's side of an ordered consumer (ADR-17).
#pragma once

#include "broker/nats/requester.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace marquee
{

struct consumer_config
{
    std::string stream;
    std::string deliver_subject;
    std::uint64_t start_sequence = 0;
    std::chrono::milliseconds idle_heartbeat{0};
};

struct created_consumer
{
    bool nothing_to_deliver = false; ///< no message at or after start_sequence exists
};

/// Creates an ephemeral push consumer in memory, without acknowledgements, with flow control. Fails
/// as requester::request does, and with `unavailable` where JetStream refuses.
[[nodiscard]] asio::awaitable<result<created_consumer>> create_consumer(requester& nats, consumer_config wanted,
                                                                        deadline until);

} // namespace marquee
