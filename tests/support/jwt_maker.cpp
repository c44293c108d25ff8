#include "tests/support/jwt_maker.hpp"

#include "tests/support/openssl_text.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <utility>

namespace marquee::test
{

namespace
{

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const unsigned char* data(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* data(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const EVP_MD* digest_of(const std::string& algorithm)
{
    return algorithm.ends_with("512") ? EVP_sha512() : algorithm.ends_with("384") ? EVP_sha384() : EVP_sha256();
}

std::string padded(const BIGNUM* number, int size)
{
    std::string out(static_cast<std::size_t>(size), '\0');
    require(BN_bn2binpad(number, data(out), size) == size);
    return out;
}

/// r followed by s (RFC 7518 section 3.4).
std::string flat(const std::string& der, int size)
{
    const auto* from = data(der);
    auto* parsed = d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size()));
    require(parsed != nullptr);
    auto out = padded(ECDSA_SIG_get0_r(parsed), size) + padded(ECDSA_SIG_get0_s(parsed), size);
    ECDSA_SIG_free(parsed);
    return out;
}

std::string number(const EVP_PKEY* key, const char* name, int size = 0)
{
    BIGNUM* found = nullptr;
    require(EVP_PKEY_get_bn_param(key, name, &found) == 1);
    auto out = base64url(padded(found, size == 0 ? BN_num_bytes(found) : size));
    BN_free(found);
    return out;
}

} // namespace

std::string base64url(std::string_view bytes)
{
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : bytes)
    {
        held = (held << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6)
            out += digits[(held >> (bits - 6)) & 63];
    }
    if (bits > 0)
        out += digits[(held << (6 - bits)) & 63];
    return out;
}

std::string unbase64url(std::string_view text)
{
    std::string out;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : text)
    {
        held = (held << 6) | static_cast<std::uint32_t>(digits.find(c));
        bits += 6;
        if (bits >= 8)
            out += static_cast<char>((held >> (bits -= 8)) & 255);
    }
    return out;
}

std::string in_seconds(std::int64_t from_now)
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count() + from_now);
}

jwt_signer jwt_signer::secret(std::string text)
{
    jwt_signer made;
    made.secret_ = std::move(text);
    return made;
}

jwt_signer jwt_signer::rsa(unsigned bits)
{
    jwt_signer made;
    made.key_ = {EVP_RSA_gen(bits), EVP_PKEY_free};
    require(made.key_ != nullptr);
    return made;
}

jwt_signer jwt_signer::ec(const char* curve)
{
    jwt_signer made;
    made.key_ = {EVP_EC_gen(curve), EVP_PKEY_free};
    require(made.key_ != nullptr);
    return made;
}

std::string jwt_signer::signature(const std::string& algorithm, const std::string& input) const
{
    std::string out(1024, '\0');
    if (!key_)
    {
        unsigned size = 0;
        require(HMAC(digest_of(algorithm), secret_.data(), static_cast<int>(secret_.size()), data(input), input.size(),
                     data(out), &size) != nullptr);
        return out.substr(0, size);
    }
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_PKEY_CTX* padding = nullptr;
    require(EVP_DigestSignInit(context.get(), &padding, digest_of(algorithm), nullptr, key_.get()) == 1);
    if (algorithm.starts_with("PS"))
        require(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1);
    auto size = out.size();
    require(EVP_DigestSign(context.get(), data(out), &size, data(input), input.size()) == 1);
    out.resize(size);
    return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC ? flat(out, (EVP_PKEY_get_bits(key_.get()) + 7) / 8) : out;
}

std::string jwt_signer::token(const std::string& algorithm, const std::string& claims, std::string header) const
{
    if (header.empty())
        header = R"({"alg":")" + algorithm + "\"}";
    const auto input = base64url(header) + '.' + base64url(claims);
    return input + '.' + base64url(signature(algorithm, input));
}

std::string jwt_signer::pem() const
{
    return written([&](BIO* out) { return PEM_write_bio_PUBKEY(out, key_.get()); });
}

std::string jwt_signer::certificate_pem() const
{
    const std::shared_ptr<X509> made(X509_new(), &X509_free);
    require(X509_set_version(made.get(), 2) == 1 && X509_set_pubkey(made.get(), key_.get()) == 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    require(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
    return written([&](BIO* out) { return PEM_write_bio_X509(out, made.get()); });
}

std::string jwt_signer::private_pem() const
{
    return written([&](BIO* out)
                   { return PEM_write_bio_PKCS8PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string jwt_signer::jwk(const std::string& more) const
{
    if (!key_)
        return "{" + more + R"("kty":"oct","k":")" + base64url(secret_) + "\"}";
    if (EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA)
        return "{" + more + R"("kty":"RSA","n":")" + number(key_.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
               number(key_.get(), OSSL_PKEY_PARAM_RSA_E) + "\"}";
    const auto bits = EVP_PKEY_get_bits(key_.get());
    const auto size = (bits + 7) / 8;
    return "{" + more + R"("kty":"EC","crv":"P-)" + std::to_string(bits) + R"(","x":")" +
           number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, size) + R"(","y":")" +
           number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"}";
}

} // namespace marquee::test
