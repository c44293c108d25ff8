// Tags: a state of a record, told apart from every other one. Revisions alone are given out twice once a backup is restored.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The message that holds a record: its revision, and when the stream stored it, since the epoch. Equal in all instances and over restarts.
struct record_tag
{
    std::uint64_t revision = 0; ///< 0: no message, as a record that is absent has
    std::chrono::nanoseconds stored{0};
    friend bool operator==(const record_tag&, const record_tag&) = default;
};

/// `N-T`: the revision, and the time in hexadecimal nanoseconds. Between quotes it is an ETag.
[[nodiscard]] std::string to_text(const record_tag& tag);

/// Reads what to_text writes for a message, and nothing else: "07-1", "7-A" and "0-1" are no tags, nor is a bare revision.
[[nodiscard]] std::optional<record_tag> parse_record_tag(std::string_view text) noexcept;

} // namespace marquee
