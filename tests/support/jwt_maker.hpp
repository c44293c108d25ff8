// Keys and signed tokens, made with OpenSSL, without code of the edge.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>

namespace marquee::test
{

[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::string unbase64url(std::string_view text);

/// Seconds since 1970, `from_now` from now, as claims have them.
[[nodiscard]] std::string in_seconds(std::int64_t from_now);

/// A key that signs.
class jwt_signer
{
public:
    [[nodiscard]] static jwt_signer secret(std::string text);
    [[nodiscard]] static jwt_signer rsa(unsigned bits = 2048);
    [[nodiscard]] static jwt_signer ec(const char* curve = "P-256");

    /// `HS256` and the like for a secret, `RS256`, `PS256` and the like for RSA, `ES256` for EC:
    /// only the digest and the padding are taken from it.
    [[nodiscard]] std::string signature(const std::string& algorithm, const std::string& input) const;

    /// `{"alg":ALGORITHM}` or the header given, the claims, and the signature over both.
    [[nodiscard]] std::string token(const std::string& algorithm, const std::string& claims,
                                    std::string header = {}) const;

    [[nodiscard]] std::string pem() const;             ///< SubjectPublicKeyInfo
    [[nodiscard]] std::string private_pem() const;     ///< PKCS #8
    [[nodiscard]] std::string certificate_pem() const; ///< of the public key, signed by itself

    /// As a JWK, with more members in front, e.g. `"kid":"a",`.
    [[nodiscard]] std::string jwk(const std::string& more = {}) const;

private:
    jwt_signer() = default;

    std::string secret_;
    std::shared_ptr<EVP_PKEY> key_;
};

} // namespace marquee::test
