#include "edge/jwt_keys.hpp"

#include "broker/log.hpp"
#include "edge/base64url.hpp"
#include "edge/watched_file.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
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

using bytes = std::vector<std::uint8_t>;

error bad(std::string detail) { return fail(errc::bad_request, std::move(detail), "jwt-key"); }

/// Takes the key over and says what its type allows. Fails where it is too weak.
result<jwt_key> with_algorithm(cjose_jwk_t* made)
{
    jwt_key key;
    key.jwk.reset(made);
    ERR_clear_error();
    if (!key.jwk)
        return bad("the key is damaged");
    const auto bits = cjose_jwk_get_keysize(made, nullptr);
    switch (cjose_jwk_get_kty(made, nullptr))
    {
    case CJOSE_JWK_KTY_OCT:
        key.algorithm = "HS256";
        key.signature_bytes = 32;
        return key;
    case CJOSE_JWK_KTY_RSA:
        if (bits < 2048 || bits > 8192)
            return bad("an RSA key has 2048 to 8192 bits");
        key.algorithm = "RS256";
        key.signature_bytes = (bits + 7) / 8;
        return key;
    case CJOSE_JWK_KTY_EC:
        if (cjose_jwk_EC_get_curve(made, nullptr) != CJOSE_JWK_EC_P_256)
            return bad("an EC key is on the curve P-256");
        key.algorithm = "ES256";
        key.signature_bytes = 64;
        return key;
    }
    return bad("the key is of no known type");
}

result<std::vector<jwt_key>> only(result<jwt_key> key)
{
    if (key.has_error())
        return key.error();
    std::vector<jwt_key> all;
    all.push_back(std::move(*key));
    return all;
}

// ---- a secret

result<jwt_key> read_secret(std::string_view text)
{
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!printable)
        return bad("it is neither a PEM public key nor a JWKS nor a secret: 32 or more printable characters in one line");
    if (text.size() < 32)
        return bad("an HS256 secret has 32 or more characters");
    return with_algorithm(cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), nullptr));
}

// ---- PEM

struct key_free
{
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, key_free>;

/// A number of a public key, big-endian, of at least `size` bytes. Empty where the key has none.
bytes number_of(const EVP_PKEY* key, const char* name, int size = 0)
{
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
        return {};
    bytes out(static_cast<std::size_t>(std::max(size, BN_num_bytes(number))));
    BN_bn2binpad(number, out.data(), static_cast<int>(out.size()));
    BN_free(number);
    return out;
}

/// A certificate stands for its key; who has issued it, and until when, is the operator's to know.
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

result<jwt_key> read_pem(std::string_view text)
{
    constexpr std::string_view begin = "-----BEGIN ";
    if (text.find(begin, 1) != std::string_view::npos)
        return bad("a PEM file holds one key or certificate; several keys are a JWKS");
    const auto label = text.substr(begin.size(), text.find("-----", begin.size()) - begin.size());
    if (label.ends_with("PRIVATE KEY"))
        return bad("the PEM text is a private key: the edge needs the public one");
    const auto key = read_pem_key(text, label == "CERTIFICATE");
    if (!key)
        return bad(label == "PUBLIC KEY" || label == "CERTIFICATE" ? "the PEM text is damaged"
                                                                   : "the PEM text is neither a PUBLIC KEY nor a CERTIFICATE");
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA)
    {
        auto n = number_of(key.get(), OSSL_PKEY_PARAM_RSA_N);
        auto e = number_of(key.get(), OSSL_PKEY_PARAM_RSA_E);
        cjose_jwk_rsa_keyspec spec{};
        spec.n = n.data();
        spec.nlen = n.size();
        spec.e = e.data();
        spec.elen = e.size();
        return with_algorithm(cjose_jwk_create_RSA_spec(&spec, nullptr));
    }
    if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_EC && EVP_PKEY_get_bits(key.get()) == 256)
    {
        auto x = number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32);
        auto y = number_of(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32);
        cjose_jwk_ec_keyspec spec{};
        spec.crv = CJOSE_JWK_EC_P_256; // a point of another curve is not on this one, and refused
        spec.x = x.data();
        spec.xlen = x.size();
        spec.y = y.data();
        spec.ylen = y.size();
        return with_algorithm(cjose_jwk_create_EC_spec(&spec, nullptr));
    }
    return bad("a public key is an RSA key or an EC key on the curve P-256");
}

// ---- JWKS

/// The text of a member; empty where it is absent or no text.
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
    json::object plain{{"kty", text_of(jwk, "kty")}};
    const bool rsa = plain["kty"] == "RSA";
    if (!rsa)
        plain["crv"] = text_of(jwk, "crv");
    for (const auto* number : rsa ? std::array{"n", "e"} : std::array{"x", "y"})
    {
        if (!is_base64url(text_of(jwk, number)))
            return bad(std::string("its ") + number + " is missing, or no base64url");
        plain[number] = text_of(jwk, number);
    }
    const auto text = json::serialize(plain);
    auto key = with_algorithm(cjose_jwk_import(text.data(), text.size(), nullptr));
    if (key.has_value() && jwk.contains("kid"))
        key->kid.emplace(text_of(jwk, "kid"));
    return key;
}

/// A token without a `kid` could not tell them apart.
bool is_second_without_kid(const std::vector<jwt_key>& keys, const jwt_key& one)
{
    return !one.kid && std::any_of(keys.begin(), keys.end(),
                                   [&](const jwt_key& each) { return !each.kid && each.algorithm == one.algorithm; });
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
        return bad("the JWKS holds no key for RS256 or ES256" + (first_reason.empty() ? "" : " (" + first_reason + ')'));
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
    if (const auto pem = content.find("-----BEGIN "); pem != std::string_view::npos) // tools write words in front of it
        return only(read_pem(content.substr(pem)));
    return only(read_secret(content));
}

} // namespace marquee
