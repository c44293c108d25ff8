// Certificates for servers on loopback, made with OpenSSL, without code of the edge.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace marquee::test
{

/// A key and its certificate.
struct certified_key
{
    std::shared_ptr<EVP_PKEY> key;
    std::shared_ptr<X509> certificate;

    [[nodiscard]] std::string pem() const; ///< of the certificate
    [[nodiscard]] std::string key_pem() const;
    [[nodiscard]] std::string encrypted_key_pem() const; ///< with a password
};

/// A certificate authority of one test.
class certificate_authority
{
public:
    certificate_authority();

    struct settings
    {
        std::string name = "localhost"; ///< the subject; always valid for localhost and 127.0.0.1
        const char* kind = "EC";        ///< or RSA
        unsigned bits = 256;            ///< of RSA
        std::int64_t from = -3600;      ///< in seconds from now
        std::int64_t until = 30 * 86'400;
    };
    [[nodiscard]] certified_key issue(const settings& wanted) const;
    [[nodiscard]] certified_key issue() const { return issue(settings{}); }

    [[nodiscard]] std::string pem() const { return root_.pem(); }

private:
    certified_key root_;
};

} // namespace marquee::test
