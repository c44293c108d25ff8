// Durations as text, for command-line options.
#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace marquee
{

/// Reads `1500ms`, `2s`, `1m`, `24h`, `7d`, or a plain number of seconds. Fails with bad_request if
/// the text is malformed or the duration outside the limits; the detail names both. Thread-safe.
[[nodiscard]] result<std::chrono::milliseconds> parse_duration(std::string_view text, std::chrono::milliseconds lowest,
                                                               std::chrono::milliseconds highest);

/// Writes a duration in the largest unit that divides it, as parse_duration() reads it: `90s`,
/// `2m`, `1500ms`. Thread-safe.
[[nodiscard]] std::string to_text(std::chrono::milliseconds time);

} // namespace marquee
