// Times as text (RFC 3339).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The time in UTC with milliseconds, rounded down: 2026-01-31T09:30:00.123Z. Thread-safe.
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point when);

/// The same without a fraction: 2026-01-31T09:30:00Z. Years 0 to 9999. Thread-safe.
[[nodiscard]] std::string rfc3339_seconds(std::chrono::sys_seconds when);

/// A time as JSON carries it, in milliseconds: years 0 to 9999, which nanoseconds do not hold.
using time_in_ms = std::chrono::sys_time<std::chrono::milliseconds>;

/// Reads what is_rfc3339_utc() takes; a fraction is rounded down to milliseconds, and a leap second
/// is the next second. Nothing for any other text. Thread-safe.
[[nodiscard]] std::optional<time_in_ms> parse_rfc3339_utc(std::string_view text) noexcept;

/// True for a valid RFC 3339 date-time in UTC (`Z` or +00:00). Thread-safe.
[[nodiscard]] bool is_rfc3339_utc(std::string_view text) noexcept;

} // namespace marquee
