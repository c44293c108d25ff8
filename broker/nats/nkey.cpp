#include "broker/nats/nkey.hpp"

#include "broker/base/small_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

namespace marquee::detail
{

namespace
{

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t key_size = 32;
constexpr std::uint8_t seed_prefix = 18 << 3; // 'S'
constexpr std::uint8_t user_prefix = 20 << 3; // 'U'

using bytes = std::vector<std::uint8_t>;

std::optional<bytes> from_base32(std::string_view text)
{
    bytes out;
    std::uint32_t window = 0;
    int bits = 0;
    for (char c : text)
    {
        auto at = alphabet.find(c);
        if (at == std::string_view::npos)
            return std::nullopt;
        window = (window << 5) | static_cast<std::uint32_t>(at);
        bits += 5;
        if (bits >= 8)
        {
            bits -= 8;
            out.push_back(static_cast<std::uint8_t>(window >> bits));
        }
    }
    return out;
}

std::string to_base32(const bytes& in)
{
    std::string out;
    std::uint32_t window = 0;
    int bits = 0;
    for (auto b : in)
    {
        window = (window << 8) | b;
        bits += 8;
        while (bits >= 5)
        {
            bits -= 5;
            out += alphabet[(window >> bits) & 31];
        }
    }
    if (bits > 0)
        out += alphabet[(window << (5 - bits)) & 31];
    return out;
}

/// CRC-16/XMODEM.
std::uint16_t crc16(const std::uint8_t* data, std::size_t size)
{
    std::uint16_t crc = 0;
    for (std::size_t i = 0; i < size; ++i)
    {
        crc = static_cast<std::uint16_t>(crc ^ (data[i] << 8));
        for (int bit = 0; bit < 8; ++bit)
            crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

std::optional<bytes> public_of(const std::uint8_t* seed)
{
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, key_size), &EVP_PKEY_free);
    bytes out(key_size);
    std::size_t size = out.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1)
        return std::nullopt;
    return out;
}

} // namespace

result<std::string> public_nkey(const std::string& seed_file)
{
    auto text = read_small_file(seed_file, secrecy::secret);
    if (text.has_error())
        return fail(errc::bad_request, text.error().detail, "--nkey");
    std::istringstream in(*text);
    OPENSSL_cleanse(text->data(), text->size());
    std::string line;
    while (std::getline(in, line) && !line.starts_with("SU"))
    {
    }
    line.erase(line.find_last_not_of(" \r\t") + 1);
    auto raw = from_base32(line);
    OPENSSL_cleanse(line.data(), line.size());

    // 2 bytes of prefixes, the seed, 2 bytes of checksum
    const bool well_formed = raw && raw->size() == key_size + 4 && (*raw)[0] == (seed_prefix | (user_prefix >> 5)) &&
                             crc16(raw->data(), key_size + 2) == ((*raw)[key_size + 2] | ((*raw)[key_size + 3] << 8));
    std::optional<bytes> key;
    if (well_formed)
        key = public_of(raw->data() + 2);
    if (raw)
        OPENSSL_cleanse(raw->data(), raw->size());
    if (!key)
        return fail(errc::bad_request, seed_file + " holds no user seed (SU…)", "--nkey");

    bytes out{user_prefix};
    out.insert(out.end(), key->begin(), key->end());
    const auto crc = crc16(out.data(), out.size());
    out.push_back(static_cast<std::uint8_t>(crc & 0xff));
    out.push_back(static_cast<std::uint8_t>(crc >> 8));
    return to_base32(out);
}

} // namespace marquee::detail
