// Reading files with tokens, keys and certificates, without blocking.
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
    secret ///< a warning is logged, once per state of the file, if all users may read or write it
};

constexpr std::size_t max_small_file_bytes = 1024 * 1024;

/// Returns the text of a file. Fails with bad_request, and a detail that names the file, if it
/// cannot be read, is larger than 1 MiB, or is not a regular file (a FIFO or a device could block
/// the thread). Thread-safe.
[[nodiscard]] result<std::string> read_small_file(const std::string& path, secrecy what = secrecy::open);

struct file_with_mode
{
    std::string text;
    unsigned mode = 0; ///< the permission bits
};

/// As read_small_file(), with the mode that the file had when it was read. Warns of nothing.
[[nodiscard]] result<file_with_mode> read_file_with_mode(const std::string& path);

/// Fails as read_small_file() does, for libraries that read the file themselves. Thread-safe.
[[nodiscard]] result<void> check_small_file(const std::string& path, secrecy what = secrecy::open);

} // namespace marquee
