// Play events: the messages on subject `events`, and their ids, by which each is counted once.
#pragma once

#include "schemas/ids.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/trace_context.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// A view to count. A text event (`asset:user`) has no id and is never a duplicate.
struct play_event
{
    std::optional<std::string> id;
    asset_id asset;
    user_id user;
    std::optional<time_in_ms> time = {}; ///< as the event says; a text event has none
};

/// True for 1 to 64 bytes of [A-Za-z0-9_.-]. Thread-safe, as all functions here.
[[nodiscard]] bool is_valid_event_id(std::string_view id) noexcept;

/// Reads a payload of subject `events`. If its first byte is `{` it is JSON: a CloudEvent where it
/// has a member `specversion` (schemas/cloud_event.hpp), else play_event_json, all members
/// required, `time` in RFC 3339 and UTC. Otherwise it is `asset:user`, plain ids split at the last
/// colon. Fails with bad_request or bad_id; the detail says why, and the field names a member of
/// JSON.
[[nodiscard]] result<play_event> parse_event(std::string_view payload);

/// The JSON payload of an event that happened at `when`; `trace` as in append_event().
[[nodiscard]] std::string encode_event(std::string_view event_id, const asset_id& asset, const user_id& user,
                                       std::chrono::system_clock::time_point when,
                                       const trace_context* trace = nullptr);

/// Appends the JSON payload of an event; `time` is rfc3339() of when it happened. `trace`: the span
/// that sends it, as the member `trace`, a traceparent; left out where the event would be longer
/// than longest_event_bytes().
void append_event(std::string& to, std::string_view event_id, const asset_id& asset, const user_id& user,
                  std::string_view time, const trace_context* trace = nullptr);

/// The context in the member `trace` of an event in JSON, or in `traceparent` of a CloudEvent.
/// Nothing where there is none, or it is no sampled traceparent: what a stranger writes there is
/// ignored, and changes nothing else about the event.
[[nodiscard]] std::optional<trace_context> event_trace(std::string_view payload);

/// The size in bytes of the largest message of one event: ids of maximal length with every byte
/// escaped in JSON, and the header with the message id.
[[nodiscard]] std::size_t longest_event_bytes();

/// The event id of a play with an Idempotency-Key, equal for every retry: `k-` and the lower-case
/// base32 (RFC 4648, no padding) of SHA-256 over user, NUL, key.
[[nodiscard]] std::string event_id_for_key(const user_id& user, std::string_view key);

} // namespace marquee
