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

/// Reads a key file. What it holds is told by its text:
/// - a PEM public key, RSA of 2048 to 8192 bits or EC on P-256;
/// - a JWKS: `{"keys":[…]}` with such keys. Those of other types, other algorithms or another use than signatures are passed over. All that
///   remain must have a `kid` where there are several, no two the same;
/// - otherwise an HS256 secret: 32 or more printable characters in one line. Blanks and line ends around it do not belong to it.
///
/// Fails with bad_request where it holds no usable key, or a private one.
[[nodiscard]] result<std::vector<jwt_key>> read_jwt_keys(std::string_view text);

} // namespace marquee
