// One line of a file of events.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee::replay
{

/// What a line publishes.
struct event_line
{
    std::string payload;
    std::string message_id; ///< the Nats-Msg-Id; empty: none
    std::string rejection;  ///< why reporting (parse_event) rejects this payload, which is published; or empty
};

/// The three forms of a line (docs/replay.md):
///
/// - `{…`: the payload as it is. Where it is a valid event, its id is the Nats-Msg-Id, as the edge
///   does it.
/// - `"…"`: a JSON string. Its text is the payload, without a Nats-Msg-Id, as `nats pub` does it.
/// - `["latin1","…"]`: as the string, with U+0000 to U+00FF for the bytes 00 to FF, for payloads
///   that are not UTF-8.
///
/// In rounds after the first (--loop) the id of a valid event ends in `.rN`; if that is longer than
/// an id may be, the whole is hashed. A CloudEvent's `id` ends so, and its event id follows from
/// it. Fails with bad_request if the line has none of these forms.
[[nodiscard]] result<event_line> read_line(std::string_view line, std::uint64_t round);

} // namespace marquee::replay
