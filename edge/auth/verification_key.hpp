// Keys that verify the signatures of tokens: JWS (RFC 7515) with the algorithms of RFC 7518 section
// 3, by OpenSSL's EVP.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

struct evp_pkey_st; // OpenSSL's EVP_PKEY

namespace marquee
{

/// A key and the one algorithm that its type allows: a token's header never chooses the algorithm.
/// Movable; not thread-safe.
class verification_key
{
public:
    /// HS256. `text` is copied; the copy is overwritten when the key is destroyed. Fails with
    /// bad_request only where OpenSSL has no memory, as do the others besides.
    [[nodiscard]] static result<verification_key> secret(std::string_view text);

    /// RS256: the modulus and the exponent, big-endian. Fails with bad_request unless the modulus
    /// has 2048 to 8192 bits.
    [[nodiscard]] static result<verification_key> rsa(std::string_view modulus, std::string_view exponent);

    /// ES256: the affine coordinates, big-endian, 32 bytes each. Fails with bad_request unless they
    /// are a point of the curve P-256.
    [[nodiscard]] static result<verification_key> p256(std::string_view x, std::string_view y);

    /// `HS256`, `RS256` or `ES256`. A literal.
    [[nodiscard]] std::string_view algorithm() const noexcept { return algorithm_; }

    /// Whether `signature`, the bytes as JWS has them, is this key's for `text`. A signature of
    /// another length is refused before anything is computed. HMACs are compared in constant time.
    [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

private:
    struct release
    {
        void operator()(evp_pkey_st* key) const noexcept;
    };
    using key_ptr = std::unique_ptr<evp_pkey_st, release>;

    verification_key(std::string_view algorithm, std::size_t signature_bytes, key_ptr key) noexcept
        : algorithm_(algorithm), signature_bytes_(signature_bytes), key_(std::move(key))
    {
    }

    std::string_view algorithm_;
    std::size_t signature_bytes_;
    key_ptr key_;
};

} // namespace marquee
