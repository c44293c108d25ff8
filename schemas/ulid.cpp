#include "schemas/ulid.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace marquee
{

using namespace std::chrono;

namespace
{

/// Random bytes from OpenSSL, taken from a buffer per thread: a call of RAND_bytes costs about a
/// microsecond whatever the size.
std::array<unsigned char, 16> random_bytes()
{
    thread_local std::array<unsigned char, 64 * 16> pool;
    thread_local std::size_t used = pool.size();
    if (used == pool.size())
    {
        if (RAND_bytes(pool.data(), static_cast<int>(pool.size())) != 1)
            throw std::runtime_error("no random bytes");
        used = 0;
    }
    std::array<unsigned char, 16> taken{};
    std::copy_n(pool.begin() + static_cast<std::ptrdiff_t>(used), taken.size(), taken.begin());
    used += taken.size();
    return taken;
}

} // namespace

std::string make_ulid(system_clock::time_point when)
{
    constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const auto random = random_bytes();
    std::string id(26, '0');
    auto millis = static_cast<std::uint64_t>(duration_cast<milliseconds>(when.time_since_epoch()).count());
    for (std::size_t i = 10; i-- > 0; millis >>= 5)
        id[i] = crockford[millis & 31];
    for (std::size_t i = 0; i < random.size(); ++i)
        id[10 + i] = crockford[random[i] & 31];
    return id;
}

} // namespace marquee
