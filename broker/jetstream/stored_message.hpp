// Messages as a stream holds them.
#pragma once

#include "broker/nats/message.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace marquee
{

/// A message of a stream.
struct stored_message
{
    std::string subject;
    std::string data;
    header_list headers;
    std::uint64_t sequence = 0;
    std::chrono::nanoseconds timestamp{0}; ///< when the stream stored it, since the epoch
    std::uint64_t pending = 0;             ///< messages of the stream after this one, when it was delivered
};

/// A position in a stream: a message, and when the stream stored it.
struct stream_position
{
    std::uint64_t sequence = 0;            ///< 0: before the first message
    std::chrono::nanoseconds timestamp{0}; ///< 0: not known
};

} // namespace marquee
