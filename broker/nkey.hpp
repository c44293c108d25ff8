// NKeys: the public key that belongs to a seed file (natscli's --nkey names only the seed).
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace marquee::detail
{

/// Reads a user seed (`SU…`, base32 with a CRC-16, github.com/nats-io/nkeys) from the first line that holds one and returns the public
/// key (`U…`). Fails with bad_request; the detail never holds the seed.
[[nodiscard]] result<std::string> public_nkey(const std::string& seed_file);

} // namespace marquee::detail
