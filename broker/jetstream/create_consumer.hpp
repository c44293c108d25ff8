// Creating the server's side of an ordered consumer (ADR-17).
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"
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
    std::string name = {};        ///< empty: the server makes one
    std::string description = {}; ///< for people
};

/// The configuration of attempt number `attempt` of an ordered consumer on that stream; deliver
/// subject and start are not set. `instance`: connection_options::instance.
[[nodiscard]] consumer_config consumer_for(const ordered_consumer::settings& wanted, const std::string& instance,
                                           std::uint64_t attempt, const stream_state& stream);

struct created_consumer
{
    bool nothing_to_deliver = false; ///< no message at or after start_sequence exists
};

/// Creates an ephemeral push consumer in memory, without acknowledgements, with flow control. Fails
/// as requester::request does, and with `unavailable` where JetStream refuses.
[[nodiscard]] asio::awaitable<result<created_consumer>> create_consumer(requester& nats, consumer_config wanted,
                                                                        deadline until);

} // namespace marquee
