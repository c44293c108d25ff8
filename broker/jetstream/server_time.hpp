// Times as nats-server writes them in JSON.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace marquee
{

/// Nanoseconds since the epoch of an RFC 3339 date-time in UTC ("Z") with up to nine decimals; none
/// for any other text.
[[nodiscard]] std::optional<std::chrono::nanoseconds> parse_server_time(std::string_view text) noexcept;

} // namespace marquee
