// The keys that tokens are verified with, and the file they come from.
#pragma once

#include "schemas/error.hpp"

#include <cjose/jwk.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// A key and the one algorithm that its type allows. A token's header never chooses the algorithm: it must name this one.
struct jwt_key
{
    struct release
    {
        void operator()(cjose_jwk_t* key) const noexcept { cjose_jwk_release(key); }
    };

    std::string_view algorithm;     ///< HS256, RS256 or ES256
    std::optional<std::string> kid; ///< of a JWKS
    std::size_t signature_bytes = 0;
    std::unique_ptr<cjose_jwk_t, release> jwk;
};

/// Reads a key file, with or without a byte order mark. What it holds is told by its text:
/// - a PEM public key or certificate, RSA of 2048 to 8192 bits or EC on P-256;
/// - a JWKS: `{"keys":[…]}` with such keys. One that is of no use is left out with a warning (RFC 7517 section 5): of another type, algorithm or
///   use, too short, damaged, private, or without a `kid` where another key of its algorithm has none either;
/// - otherwise an HS256 secret: 32 or more printable characters in one line. Blanks and line ends around it do not belong to it.
///
/// Fails with bad_request and the reason where it holds no usable key.
[[nodiscard]] result<std::vector<jwt_key>> read_jwt_keys(std::string_view text);

} // namespace marquee
