// The bytes of a file, of standard input or of a pipe.
#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace marquee::catalogue_files
{

/// What a reader found at its place.
enum class read_outcome : std::uint8_t
{
    found,
    later, ///< a pipe has no more yet
    end,
};

/// Reads in order, within a bounded buffer. Not thread-safe.
class byte_source
{
public:
    virtual ~byte_source() = default;

    /// Sets `bytes` to what follows, at least one byte where `found`; valid until the next call. Of
    /// a pipe that has nothing `later` is returned, or with `wait` the call blocks until it has.
    /// Fails with unavailable where the file cannot be read.
    [[nodiscard]] virtual result<read_outcome> read(std::string_view& bytes, bool wait) = 0;

    /// The size in bytes; 0 for what is no regular file.
    [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;

    /// The descriptor, to wait for more; -1: there is none.
    [[nodiscard]] virtual int handle() const noexcept = 0;
};

/// Opens a file; `-` is standard input. Fails with bad_request where it cannot be opened or is a
/// folder; the detail names it.
[[nodiscard]] result<std::unique_ptr<byte_source>> open_file(const std::string& path);

/// Text in memory, given out in pieces of at most `piece` bytes.
[[nodiscard]] std::unique_ptr<byte_source> text_source(std::string text, std::size_t piece);

/// Reads the first bytes of `source`, waiting for them, and returns a source that begins with them
/// again, without a UTF-8 byte order mark. `head` is set to at most 4 KiB of them. Fails as read()
/// does, and with bad_request for UTF-16 and UTF-32.
[[nodiscard]] result<std::unique_ptr<byte_source>> with_head(std::unique_ptr<byte_source> source, std::string& head);

} // namespace marquee::catalogue_files
