// Play events: what stands on subject `events`, and the ids that make each count once.
#pragma once

#include "schemas/ids.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// A view, as counted. Text events (`asset:user`) carry no id and are never duplicates.
struct play_event
{
    std::optional<std::string> id;
    asset_id asset;
    user_id user;
};

/// True for 1 to 64 of [A-Za-z0-9_.-].
[[nodiscard]] bool is_valid_event_id(std::string_view id) noexcept;

/// Reads a payload of subject `events`. A first byte `{` means JSON ({"id","asset","user","time"}, all required, `time` RFC 3339
/// UTC); anything else is `asset:user`, raw ids split at the last colon. Fails with bad_request or bad_id and says why.
[[nodiscard]] result<play_event> parse_event(std::string_view payload);

/// The JSON payload of an event that happened at `when`.
[[nodiscard]] std::string encode_event(std::string_view event_id, const asset_id& asset, const user_id& user,
                                       std::chrono::system_clock::time_point when);

/// Bytes of the largest message that one event makes: the longest ids, all of it escaped, and the header with its message id.
[[nodiscard]] std::size_t longest_event_bytes();

/// A new ULID: 48 bits of milliseconds and 80 random bits, Crockford base32. Thread-safe; sorted by time within a millisecond's precision.
[[nodiscard]] std::string make_ulid(std::chrono::system_clock::time_point when);

/// The event id of an idempotent retry: `k-` and the lower-case base32 (RFC 4648, no padding) of SHA-256 over user, NUL, key.
[[nodiscard]] std::string event_id_for_key(const user_id& user, std::string_view key);

/// RFC 3339 in UTC with milliseconds: 2026-01-31T09:30:00.123Z.
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point when);

/// True for an RFC 3339 date-time in UTC (`Z` or +00:00).
[[nodiscard]] bool is_rfc3339_utc(std::string_view text) noexcept;

} // namespace marquee
