// ULIDs (github.com/ulid/spec): unique ids that sort by time.
#pragma once

#include <chrono>
#include <string>

namespace marquee
{

/// A new ULID: 48 bits of milliseconds and 80 random bits in Crockford base32, 26 characters. ULIDs
/// of one millisecond are in random order. Thread-safe. Throws std::runtime_error if OpenSSL has no
/// random bytes.
[[nodiscard]] std::string make_ulid(std::chrono::system_clock::time_point when);

} // namespace marquee
