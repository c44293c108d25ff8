// The lines of `metadata.gets` and `cdnurl.gets` (contract section 2): many records in one message.
//
// A request has one encoded id on each line, a reply one line for each of them, in order:
//     <revision> <record in one line>
//     -      no such record
//     !      not in this reply, which would become too large: it is requested alone
//     400    not the token of an id
// Every line of a reply ends with a line feed; that of a request's last line may be missing.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

inline constexpr std::size_t max_gets_ids = 1000;
inline constexpr std::size_t max_gets_request_bytes = 64 * 1024;
inline constexpr std::size_t max_gets_reply_bytes = 512 * 1024;

/// The lines of a request, not decoded: views of `request`. Fails with bad_request where it is
/// empty or exceeds a limit; the detail names the limit. Thread-safe.
[[nodiscard]] result<std::vector<std::string_view>> read_gets_request(std::string_view request);

/// Writes a reply. One call for each line of the request, in order. Not thread-safe.
class record_lines_writer
{
public:
    /// The reply has `lines` lines and at most `max_bytes` bytes, if four bytes for each line fit.
    record_lines_writer(std::size_t lines, std::size_t max_bytes);

    /// A record, a JSON object; `!` where it leaves no room for the lines that follow. White space
    /// outside strings is removed from a record that has a line break.
    void found(std::uint64_t revision, std::string_view record);
    void absent();
    void bad_token();

    /// The reply. Ends the use of the writer.
    [[nodiscard]] std::string take() { return std::move(reply_); }

private:
    void append(std::string_view line);

    std::string reply_;
    std::size_t lines_left_;
    std::size_t max_bytes_;
};

/// A line of a reply.
struct record_line
{
    enum class kind : std::uint8_t
    {
        found,
        absent,
        not_here, ///< requested alone
        bad_token,
    };
    kind what = kind::absent;
    std::uint64_t revision = 0; ///< where found: 1 or more
    std::string_view record;    ///< where found: not yet decoded, and its id not yet compared
};

/// Reads the reply to a request of `lines` lines; the records are views of `reply`. Fails with
/// malformed_reply for another number of lines, and for a line of another form. The caller decodes
/// the records, and treats one with an id other than the requested one as a malformed reply.
/// Thread-safe.
[[nodiscard]] result<std::vector<record_line>> read_record_lines(std::string_view reply, std::size_t lines);

/// Members of a metadata record as JSON strings, with their quotes.
struct raw_metadata
{
    std::string_view title;
    std::string_view genre;
    std::string_view summary;
};

/// The member of a cdnurl record as a JSON string, with its quotes.
struct raw_url
{
    std::string_view url;
};

/// Recognises a record of `id` exactly as encode() writes it, of printable ASCII with the escapes
/// of encode() only, within the limits of the contract, and sets `members` to views of it. They
/// equal what encode() makes of the decoded record. Free members are not looked at. False for
/// anything else, also for other JSON of the same meaning: the caller decodes it. Thread-safe.
[[nodiscard]] bool scan_record(std::string_view record, std::string_view id, raw_metadata& members) noexcept;
[[nodiscard]] bool scan_record(std::string_view record, std::string_view id, raw_url& members) noexcept;

} // namespace marquee
