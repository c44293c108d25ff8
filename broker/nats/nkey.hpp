// NKeys: the public key of a seed file (--nkey, like natscli's, names only the seed).
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace marquee::detail
{

/// Reads the first user seed (`SU…`, base32 with a CRC-16, github.com/nats-io/nkeys) of a file and
/// returns its public key (`U…`). Fails with bad_request; the detail does not contain the seed. Any
/// thread.
[[nodiscard]] result<std::string> public_nkey(const std::string& seed_file);

} // namespace marquee::detail
