#include "tests/support/certificates.hpp"

#include "tests/support/openssl_text.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace marquee::test
{

namespace
{

std::shared_ptr<EVP_PKEY> new_key(const std::string& kind, unsigned bits)
{
    EVP_PKEY* made = kind == "RSA" ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256");
    require(made != nullptr);
    return {made, EVP_PKEY_free};
}

void extend(X509* certificate, X509* issuer, int what, const char* value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, what, value);
    require(made != nullptr && X509_add_ext(certificate, made, -1) == 1);
    X509_EXTENSION_free(made);
}

std::shared_ptr<X509> new_certificate(const std::string& name, EVP_PKEY* key, std::int64_t from, std::int64_t until)
{
    std::shared_ptr<X509> made(X509_new(), X509_free);
    require(made != nullptr && X509_set_version(made.get(), X509_VERSION_3) == 1);
    auto* serial = BN_new();
    require(serial != nullptr && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
            BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(made.get())) != nullptr);
    BN_free(serial);
    require(X509_gmtime_adj(X509_getm_notBefore(made.get()), from) != nullptr &&
            X509_gmtime_adj(X509_getm_notAfter(made.get()), until) != nullptr &&
            X509_set_pubkey(made.get(), key) == 1 &&
            X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0) == 1);
    return made;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key)
{
    require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
            X509_sign(certificate, key, EVP_sha256()) > 0);
}

} // namespace

std::string certified_key::pem() const
{
    return written([&](BIO* out) { return PEM_write_bio_X509(out, certificate.get()); });
}

std::string certified_key::key_pem() const
{
    return written([&](BIO* out)
                   { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string certified_key::encrypted_key_pem() const
{
    static const unsigned char password[] = "password";
    return written(
        [&](BIO* out)
        { return PEM_write_bio_PrivateKey(out, key.get(), EVP_aes_128_cbc(), password, 8, nullptr, nullptr); });
}

certificate_authority::certificate_authority()
{
    root_.key = new_key("EC", 256);
    root_.certificate = new_certificate("a test", root_.key.get(), -3600, 120 * 86'400);
    auto* own = root_.certificate.get();
    extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
    extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(own, own, NID_subject_key_identifier, "hash");
    sign(own, own, root_.key.get());
}

certified_key certificate_authority::issue(const settings& wanted) const
{
    certified_key made;
    made.key = new_key(wanted.kind, wanted.bits);
    made.certificate = new_certificate(wanted.name, made.key.get(), wanted.from, wanted.until);
    auto* own = made.certificate.get();
    auto* issuer = root_.certificate.get();
    extend(own, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(own, issuer, NID_key_usage, "critical,digitalSignature");
    extend(own, issuer, NID_ext_key_usage, "serverAuth");
    extend(own, issuer, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    extend(own, issuer, NID_crl_distribution_points, "URI:http://127.0.0.1/crl");
    extend(own, issuer, NID_authority_key_identifier, "keyid");
    sign(own, issuer, root_.key.get());
    return made;
}

} // namespace marquee::test
