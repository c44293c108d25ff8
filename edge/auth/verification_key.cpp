#include "edge/auth/verification_key.hpp"

#include "broker/base/freed_by.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace marquee
{

namespace
{

constexpr std::size_t hmac_bytes = 32;       // of HS256
constexpr std::size_t coordinate_bytes = 32; // of P-256

using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;

/// Leaves nothing in OpenSSL's queue of errors for others on this thread.
struct clear_errors
{
    clear_errors() = default;
    ~clear_errors() { ERR_clear_error(); }
    clear_errors(const clear_errors&) = delete;
    clear_errors& operator=(const clear_errors&) = delete;
};

error bad(const char* detail) { return fail(errc::bad_request, detail, "jwt-key"); }

const unsigned char* data(std::string_view bytes) noexcept
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

number_ptr number(std::string_view bytes)
{
    return number_ptr(BN_bin2bn(data(bytes), static_cast<int>(bytes.size()), nullptr));
}

/// `r` and `s`, one after the other, in the DER form that EVP takes. Empty where there is no
/// memory.
std::vector<unsigned char> to_der(std::string_view signature)
{
    const std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>> made(ECDSA_SIG_new());
    auto r = number(signature.substr(0, coordinate_bytes));
    auto s = number(signature.substr(coordinate_bytes));
    if (!made || !r || !s || ECDSA_SIG_set0(made.get(), r.get(), s.get()) != 1)
        return {};
    (void)r.release(); // they belong to the signature now
    (void)s.release();
    const int size = i2d_ECDSA_SIG(made.get(), nullptr);
    std::vector<unsigned char> der(size > 0 ? static_cast<std::size_t>(size) : 0);
    auto* end = der.data();
    if (!der.empty())
        i2d_ECDSA_SIG(made.get(), &end);
    return der;
}

/// A new key, or null where OpenSSL does not take `parameters` for one of `type`.
EVP_PKEY* new_public_key(const char* type, OSSL_PARAM* parameters)
{
    const key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (context && parameters != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1)
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters);
    return made;
}

bool has_hmac(EVP_PKEY* key, std::string_view text, std::string_view expected)
{
    const digest_context context(EVP_MD_CTX_new());
    std::array<unsigned char, hmac_bytes> computed{};
    auto size = computed.size();
    return context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestSign(context.get(), computed.data(), &size, data(text), text.size()) == 1 &&
           size == expected.size() && CRYPTO_memcmp(computed.data(), expected.data(), size) == 0;
}

bool has_signature(EVP_PKEY* key, std::string_view text, const unsigned char* signature, std::size_t size)
{
    const digest_context context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), signature, size, data(text), text.size()) == 1;
}

} // namespace

void verification_key::release::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

result<verification_key> verification_key::secret(std::string_view text)
{
    const clear_errors at_end;
    key_ptr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, nullptr, data(text), text.size()));
    if (!key)
        return bad("the key is damaged");
    return verification_key("HS256", hmac_bytes, std::move(key));
}

result<verification_key> verification_key::rsa(std::string_view modulus, std::string_view exponent)
{
    constexpr int fewest_bytes = 2048 / 8;
    constexpr int most_bytes = 8192 / 8;
    const clear_errors at_end;
    const auto n = number(modulus);
    const auto e = number(exponent);
    const std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return bad("the key is damaged");
    if (const auto size = BN_num_bytes(n.get()); size < fewest_bytes || size > most_bytes)
        return bad("an RSA key has 2048 to 8192 bits");
    const std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    key_ptr key(new_public_key("RSA", parameters.get()));
    if (!key)
        return bad("the key is damaged");
    return verification_key("RS256", static_cast<std::size_t>(BN_num_bytes(n.get())), std::move(key));
}

result<verification_key> verification_key::p256(std::string_view x, std::string_view y)
{
    const clear_errors at_end;
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
        return bad("the key is damaged");
    std::string curve = "P-256";
    std::string point = '\x04' + std::string(x) + std::string(y); // uncompressed, as SEC 1 section 2.3.3 has it
    std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve.data(), 0),
                          OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                          OSSL_PARAM_construct_end()};
    key_ptr key(new_public_key("EC", parameters.data()));
    if (!key)
        return bad("the key is damaged");
    return verification_key("ES256", 2 * coordinate_bytes, std::move(key));
}

bool verification_key::verifies(std::string_view text, std::string_view signature) const
{
    if (signature.size() != signature_bytes_)
        return false;
    const clear_errors at_end;
    if (algorithm_ == "HS256")
        return has_hmac(key_.get(), text, signature);
    if (algorithm_ == "RS256")
        return has_signature(key_.get(), text, data(signature), signature.size());
    const auto der = to_der(signature);
    return !der.empty() && has_signature(key_.get(), text, der.data(), der.size());
}

} // namespace marquee
