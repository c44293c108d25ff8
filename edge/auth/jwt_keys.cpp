#include "edge/auth/jwt_keys.hpp"

#include "broker/base/freed_by.hpp"
#include "broker/base/log.hpp"
#include "broker/base/watched_file.hpp"
#include "edge/auth/base64url.hpp"
#include "edge/http/characters.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace marquee
{

namespace
{

namespace json = boost::json;

error bad(std::string detail) { return fail(errc::bad_request, std::move(detail), "jwt-key"); }

result<std::vector<jwt_key>> only(result<verification_key> key)
{
    if (key.has_error())
        return key.error();
    std::vector<jwt_key> all;
    all.push_back({std::move(*key), std::nullopt});
    return all;
}

// ---- a secret

result<verification_key> read_secret(std::string_view text)
{
    if (!visible_ascii.covers(text))
        return bad(
            "it is neither a PEM public key nor a JWKS nor a secret: 32 or more printable characters in one line");
    if (text.size() < 32)
        return bad("an HS256 secret has 32 or more characters");
    return verification_key::secret(text);
}

// ---- PEM

using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

/// A number of a public key, big-endian, of at least `size` bytes. Empty where the key has none.
std::string number_of(const EVP_PKEY* key, const char* name, int size = 0)
{
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
        return {};
    std::string bytes(static_cast<std::size_t>(std::max(size, BN_num_bytes(number))), '\0');
    BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(number);
    return bytes;
}

/// Of a certificate only the key is used: its issuer and its dates are not checked.
key_ptr read_pem_key(std::string_view text, bool certificate)
{
    auto* source = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
    key_ptr key;
    if (!certificate)
        key.reset(PEM_read_bio_PUBKEY(source, nullptr, nullptr, nullptr));
    else if (auto* read = PEM_read_bio_X509(source, nullptr, nullptr, nullptr); read != nullptr)
    {
        key.reset(X509_get_pubkey(read));
        X509_free(read);
    }
    BIO_free(source);
    ERR_clear_error();
    return key;
}

result<verification_key> read_pem(std::string_view text)
{
    constexpr std::string_view begin = "-----BEGIN ";
    if (text.find(begin, 1) != std::string_view::npos)
        return bad("a PEM file holds one key or certificate; several keys are a JWKS");
    const auto label = text.substr(begin.size(), text.find("-----", begin.size()) - begin.size());
    if (label.ends_with("PRIVATE KEY"))
        return bad("the PEM text is a private key: the edge needs the public one");
    const auto key = read_pem_key(text, label == "CERTIFICATE");
    if (!key)
        return bad(label == "PUBLIC KEY" || label == "CERTIFICATE"
                       ? "the PEM text is damaged"
                       : "the PEM text is neither a PUBLIC KEY nor a CERTIFICATE");
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA)
        return verification_key::rsa(number_of(key.get(), OSSL_PKEY_PARAM_RSA_N),
                                     number_of(key.get(), OSSL_PKEY_PARAM_RSA_E));
    // A point of another curve of 256 bits is not on P-256, and is refused.
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC && EVP_PKEY_get_bits(key.get()) == 256)
        return verification_key::p256(number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32),
                                      number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32));
    return bad("a public key is an RSA key or an EC key on the curve P-256");
}

// ---- JWKS

/// The value of a text member; empty where it is absent or not a text.
std::string_view text_of(const json::object& of, std::string_view name)
{
    const auto* found = of.if_contains(name);
    if (found == nullptr || !found->is_string())
        return {};
    return {found->as_string().data(), found->as_string().size()};
}

bool may_verify(const json::object& jwk)
{
    if (jwk.contains("use") && text_of(jwk, "use") != "sig")
        return false;
    const auto* operations = jwk.if_contains("key_ops");
    if (operations == nullptr)
        return true;
    return operations->is_array() && std::any_of(operations->as_array().begin(), operations->as_array().end(),
                                                 [](const json::value& each) { return each == "verify"; });
}

/// Fails, and says why, where this is no key for RS256 or ES256.
result<void> check_use(const json::object& jwk)
{
    const auto type = text_of(jwk, "kty");
    const bool rsa = type == "RSA";
    if (!rsa && type != "EC")
        return bad("its kty is neither RSA nor EC");
    if (!rsa && text_of(jwk, "crv") != "P-256")
        return bad("it is not on the curve P-256");
    if (!may_verify(jwk))
        return bad("it is not for signatures");
    if (jwk.contains("alg") && text_of(jwk, "alg") != (rsa ? "RS256" : "ES256"))
        return bad("its alg is not " + std::string(rsa ? "RS256" : "ES256"));
    if (jwk.contains("d"))
        return bad("it is private: the edge needs the public one");
    if (jwk.contains("kid") && text_of(jwk, "kid").empty())
        return bad("its kid is no text, or empty");
    return {};
}

result<jwt_key> read_jwk(const json::value& entry)
{
    if (!entry.is_object())
        return bad("it is no JSON object");
    const auto& jwk = entry.as_object();
    if (auto of_use = check_use(jwk); of_use.has_error())
        return of_use.error();
    const bool rsa = text_of(jwk, "kty") == "RSA";
    const std::array names = rsa ? std::array{"n", "e"} : std::array{"x", "y"};
    std::array<std::string, 2> numbers;
    for (std::size_t i = 0; i < names.size(); ++i)
    {
        auto decoded = decode_base64url(text_of(jwk, names[i]));
        if (!decoded)
            return bad(std::string("its ") + names[i] + " is missing, or no base64url");
        numbers[i] = std::move(*decoded);
    }
    auto key = rsa ? verification_key::rsa(numbers[0], numbers[1]) : verification_key::p256(numbers[0], numbers[1]);
    if (key.has_error())
        return key.error();
    jwt_key read{std::move(*key), std::nullopt};
    if (jwk.contains("kid"))
        read.kid.emplace(text_of(jwk, "kid"));
    return read;
}

/// A token without a `kid` could not tell them apart.
bool is_second_without_kid(const std::vector<jwt_key>& keys, const jwt_key& one)
{
    return !one.kid &&
           std::any_of(keys.begin(), keys.end(),
                       [&](const jwt_key& each) { return !each.kid && each.key.algorithm() == one.key.algorithm(); });
}

result<std::vector<jwt_key>> read_jwks(std::string_view text)
{
    boost::system::error_code ec;
    const auto parsed = json::parse(text, ec);
    const auto* list = !ec && parsed.is_object() ? parsed.as_object().if_contains("keys") : nullptr;
    if (list == nullptr || !list->is_array())
        return bad("the JWKS is not JSON of the form {\"keys\":[...]}");
    std::vector<jwt_key> keys;
    std::string first_reason;
    for (std::size_t i = 0; i < list->as_array().size(); ++i)
    {
        auto key = read_jwk(list->as_array()[i]);
        if (key.has_value() && is_second_without_kid(keys, *key))
            key = bad("it has no kid, as another one of its algorithm");
        if (key.has_value())
        {
            keys.push_back(std::move(*key));
            continue;
        }
        const auto reason = "key " + std::to_string(i + 1) + ": " + key.error().detail;
        if (first_reason.empty())
            first_reason = reason;
        log(log_level::warning, "a key of the JWKS is left out", {{"reason", reason}});
    }
    if (keys.empty())
        return bad("the JWKS holds no key for RS256 or ES256" +
                   (first_reason.empty() ? "" : " (" + first_reason + ')'));
    return keys;
}

} // namespace

result<std::vector<jwt_key>> read_jwt_keys(std::string_view text)
{
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    auto content = trim_lines(text);
    if (content.starts_with(byte_order_mark))
        content = trim_lines(content.substr(byte_order_mark.size()));
    if (content.empty())
        return bad("it is empty");
    if (content.front() == '{' || content.front() == '[')
        return read_jwks(content);
    if (const auto pem = content.find("-----BEGIN ");
        pem != std::string_view::npos) // tools write a description in front of it
        return only(read_pem(content.substr(pem)));
    return only(read_secret(content));
}

} // namespace marquee
