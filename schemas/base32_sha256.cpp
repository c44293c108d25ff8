#include "schemas/base32_sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace marquee
{

namespace
{

std::array<unsigned char, 32> sha256(std::string_view text)
{
    std::array<unsigned char, 32> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 || size != digest.size())
        throw std::runtime_error("SHA-256 is not available");
    return digest;
}

template <std::size_t N>
std::string base32_lower(const std::array<unsigned char, N>& bytes)
{
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    std::string out;
    std::uint32_t window = 0;
    int bits = 0;
    for (const auto b : bytes)
    {
        window = (window << 8) | b;
        for (bits += 8; bits >= 5;)
            out += alphabet[(window >> (bits -= 5)) & 31];
    }
    if (bits > 0)
        out += alphabet[(window << (5 - bits)) & 31];
    return out;
}

} // namespace

std::string base32_sha256(std::string_view text) { return base32_lower(sha256(text)); }

} // namespace marquee
