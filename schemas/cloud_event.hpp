// Play events in the form of CloudEvents 1.0: the JSON format in structured mode.
#pragma once

#include "schemas/event.hpp"

#include <string>
#include <string_view>

namespace marquee
{

/// Whether a payload is a JSON object with a member `specversion`, whatever that holds: then it is
/// a CloudEvent, or no event. Headers decide nothing. Thread-safe, as all functions here.
[[nodiscard]] bool is_cloud_event(std::string_view payload);

/// Reads a CloudEvent: `specversion` 1.0, `type` marquee.play, `subject` the asset, the extension
/// attribute `user`, and optionally `time`. Other attributes and `data` are ignored. The event's id
/// is event_id_for_cloud_event(). Fails with bad_request or bad_id; the error names the member.
[[nodiscard]] result<play_event> parse_cloud_event(std::string_view payload);

/// `c-` and the lower-case base32 (RFC 4648, no padding) of SHA-256 over source, NUL, id:
/// CloudEvents of one source and id are one event, and no such id is that of an Idempotency-Key.
[[nodiscard]] std::string event_id_for_cloud_event(std::string_view source, std::string_view id);

} // namespace marquee
