// One line of an event stream: what it publishes.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee::replay
{

struct event_line
{
    std::string payload;
    std::string message_id; ///< the Nats-Msg-Id; empty: none
    std::string
        rejection; ///< why reporting's rule (parse_event) rejects this payload, which is published all the same; empty: it does not
};

/// The three forms of a line (README, "Replay"):
///
///     {…                  the payload as it is. Where it is a valid event, its id is the Nats-Msg-Id, as the edge does it
///     "…"                 a JSON string: its text is the payload, without a Nats-Msg-Id, as `nats pub` does it
///     ["latin1","…"]      as the string, with U+0000 to U+00FF standing for the bytes 00 to FF: for what is no UTF-8
///
/// In rounds after the first, the id of a valid event ends in `.rN`; where it would be longer than an id may be, the whole is hashed.
/// Fails with bad_request where the line has none of these forms.
[[nodiscard]] result<event_line> read_line(std::string_view line, std::uint64_t round);

} // namespace marquee::replay
