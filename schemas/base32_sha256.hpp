// SHA-256 digests as text.
#pragma once

#include <string>
#include <string_view>

namespace marquee
{

/// The SHA-256 (FIPS 180-4) of `text` in lower-case base32 (RFC 4648 section 6) without padding: 52
/// characters. Thread-safe. Throws std::runtime_error if OpenSSL provides no SHA-256.
[[nodiscard]] std::string base32_sha256(std::string_view text);

} // namespace marquee
