// Times as text (RFC 3339).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace marquee
{

/// The time in UTC with milliseconds, rounded down: 2026-01-31T09:30:00.123Z. Thread-safe.
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point when);

/// True for a valid RFC 3339 date-time in UTC (`Z` or +00:00). Thread-safe.
[[nodiscard]] bool is_rfc3339_utc(std::string_view text) noexcept;

} // namespace marquee
