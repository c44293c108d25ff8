// Files with tokens, keys and certificates: small, and read without ever waiting.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace marquee
{

enum class secrecy : std::uint8_t
{
    open,  ///< a certificate, a public key
    secret ///< others than its owner must not read it: a warning, once for each state of the file
};

constexpr std::size_t most_of_a_small_file = 1024 * 1024; ///< bytes

/// All of its text. Fails with bad_request, and says why, where it cannot be read, is over 1 MiB, or is no regular file: a FIFO or a device could
/// stop the thread, and a directory has no text. Thread-safe.
[[nodiscard]] result<std::string> read_small_file(const std::string& path, secrecy what = secrecy::open);

/// Whether it could be read as above, for libraries that read files themselves.
[[nodiscard]] result<void> check_small_file(const std::string& path, secrecy what = secrecy::open);

} // namespace marquee
