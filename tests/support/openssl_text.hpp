// Helpers for making keys, tokens and certificates with OpenSSL.
#pragma once

#include <stdexcept>
#include <string>

#include <openssl/bio.h>

namespace marquee::test
{

/// Throws std::runtime_error where a call to OpenSSL failed.
inline void require(bool right)
{
    if (!right)
        throw std::runtime_error("OpenSSL failed");
}

/// What `write` writes to the BIO it is given; it returns 1 as OpenSSL's PEM_write_bio_… do.
template <class Write>
std::string written(Write write)
{
    auto* out = BIO_new(BIO_s_mem());
    require(out != nullptr && write(out) == 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(out, &text);
    std::string copy(text, static_cast<std::size_t>(size));
    BIO_free(out);
    return copy;
}

} // namespace marquee::test
