// Tags: identify one state of a record. A revision alone is not unique: after a backup is restored
// the stream assigns it again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Identifies the stream message that holds a record. Equal in all instances and after restarts.
struct record_tag
{
    std::uint64_t revision = 0;         ///< sequence in the bucket's stream; 0: the record is absent
    std::chrono::nanoseconds stored{0}; ///< when the stream stored the message, since the epoch
    friend bool operator==(const record_tag&, const record_tag&) = default;
};

/// The tag as `N-T`: the revision in decimal, the nanoseconds in hexadecimal. In quotes it is an
/// ETag (RFC 9110 section 8.8.3). Thread-safe.
[[nodiscard]] std::string to_text(const record_tag& tag);

/// Reads a tag exactly as to_text() writes it. Nothing for any other text, such as "07-1", "7-A",
/// "7", or a revision of 0. Thread-safe.
[[nodiscard]] std::optional<record_tag> parse_record_tag(std::string_view text) noexcept;

} // namespace marquee
