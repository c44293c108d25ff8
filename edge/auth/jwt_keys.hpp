// The keys that verify tokens, and the file that holds them.
#pragma once

#include "edge/auth/verification_key.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

struct jwt_key
{
    verification_key key;
    std::optional<std::string> kid; ///< of a JWKS
};

/// Reads the text of a key file, with or without a byte order mark. Its form is one of:
/// - a PEM public key or certificate: RSA of 2048 to 8192 bits, or EC on P-256;
/// - a JWKS, `{"keys":[…]}`, of such keys. A key that cannot be used is left out with a warning
///   (RFC 7517 section 5): of another type, algorithm or use, too short, damaged, private, or
///   without a `kid` like another key of its algorithm;
/// - anything else is an HS256 secret: 32 or more printable characters in one line. Blanks and line
///   ends around it do not belong to it.
///
/// Fails with bad_request and the reason where there is no usable key. Thread-safe.
[[nodiscard]] result<std::vector<jwt_key>> read_jwt_keys(std::string_view text);

} // namespace marquee
