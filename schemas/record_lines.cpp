#include "schemas/record_lines.hpp"

#include "schemas/free_members.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>
#include <optional>

namespace marquee
{

namespace
{

constexpr std::string_view absent_line = "-";
constexpr std::string_view not_here_line = "!";
constexpr std::string_view bad_token_line = "400";

/// For the longest line that has no record, and its line feed.
constexpr std::size_t reserve_per_line = bad_token_line.size() + 1;

bool has_line_break(std::string_view text) noexcept
{
    return text.find('\n') != std::string_view::npos || text.find('\r') != std::string_view::npos;
}

std::optional<record_line> read_line(std::string_view line)
{
    using kind = record_line::kind;
    if (line == absent_line)
        return record_line{kind::absent, 0, {}};
    if (line == not_here_line)
        return record_line{kind::not_here, 0, {}};
    if (line == bad_token_line)
        return record_line{kind::bad_token, 0, {}};
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.front() == '0')
        return std::nullopt;
    const auto revision = parse_number<std::uint64_t>(line.substr(0, space));
    const auto record = line.substr(space + 1);
    const bool object = record.size() >= 2 && record.front() == '{' && record.back() == '}';
    if (!revision || !object || record.find('\r') != std::string_view::npos)
        return std::nullopt;
    return record_line{kind::found, *revision, record};
}

/// Removes `expected` from the front of `text`; false if it begins otherwise.
bool skip(std::string_view& text, std::string_view expected) noexcept
{
    if (!text.starts_with(expected))
        return false;
    text.remove_prefix(expected.size());
    return true;
}

/// The size of the escape at the front of `text`, if encode() writes it; else 0. A text without
/// control characters has the escapes of two characters only.
std::size_t escape_size(std::string_view text, bool controls) noexcept
{
    if (text.size() >= 2 && (text[1] == '"' || text[1] == '\\'))
        return 2;
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    const bool unicode = controls && text.size() >= 6 && text.substr(1, 3) == "u00" &&
                         (text[4] == '0' || text[4] == '1') && is_hex(text[5]);
    return unicode ? 6 : 0;
}

/// Removes a JSON string of at most `most` bytes from the front of `text`, and sets `string` to it.
/// The bytes are counted as written, so that no decoded text is longer.
bool skip_string(std::string_view& text, std::string_view& string, std::size_t most, bool controls) noexcept
{
    if (!text.starts_with('"'))
        return false;
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"')
    {
        if (text[at] < 0x20 || text[at] > 0x7e) // bytes from 0x80 are either, by the sign of char
            return false;
        const auto size = text[at] == '\\' ? escape_size(text.substr(at), controls) : 1;
        if (size == 0)
            return false;
        at += size;
    }
    if (at >= text.size() || at - 1 > most)
        return false;
    string = text.substr(0, at + 1);
    text.remove_prefix(at + 1);
    return true;
}

/// Removes `{"id":ID`. False for an id that has to be escaped.
bool skip_id(std::string_view& text, std::string_view id) noexcept
{
    std::string_view found;
    return skip(text, "{\"id\":") && skip_string(text, found, 128, false) &&
           found.find('\\') == std::string_view::npos && found.substr(1, found.size() - 2) == id;
}

} // namespace

result<std::vector<std::string_view>> read_gets_request(std::string_view request)
{
    if (request.size() > max_gets_request_bytes)
        return fail(errc::bad_request, "a request has at most 65536 bytes");
    if (request.ends_with('\n'))
        request.remove_suffix(1);
    if (request.empty())
        return fail(errc::bad_request, "a request has at least one id");
    const auto count = static_cast<std::size_t>(std::count(request.begin(), request.end(), '\n')) + 1;
    if (count > max_gets_ids)
        return fail(errc::bad_request, "a request has at most 1000 ids");
    std::vector<std::string_view> lines;
    lines.reserve(count);
    while (lines.size() + 1 < count)
    {
        const auto end = request.find('\n');
        lines.push_back(request.substr(0, end));
        request.remove_prefix(end + 1);
    }
    lines.push_back(request);
    return lines;
}

record_lines_writer::record_lines_writer(std::size_t lines, std::size_t max_bytes)
    : lines_left_(lines), max_bytes_(max_bytes)
{
}

void record_lines_writer::append(std::string_view line)
{
    (reply_ += line) += '\n';
    lines_left_ -= lines_left_ > 0 ? 1 : 0;
}

void record_lines_writer::found(std::uint64_t revision, std::string_view record)
{
    std::string shorter;
    if (has_line_break(record))
    {
        append_compact(shorter, record);
        record = shorter;
    }
    if (has_line_break(record)) // within a string: no JSON, and so no record
        return absent();
    const auto number = std::to_string(revision);
    const auto others = lines_left_ > 0 ? (lines_left_ - 1) * reserve_per_line : 0;
    if (reply_.size() + number.size() + 1 + record.size() + 1 + others > max_bytes_)
        return append(not_here_line);
    (reply_ += number) += ' ';
    append(record);
}

void record_lines_writer::absent() { append(absent_line); }

void record_lines_writer::bad_token() { append(bad_token_line); }

result<std::vector<record_line>> read_record_lines(std::string_view reply, std::size_t lines)
{
    std::vector<record_line> read;
    read.reserve(std::min(lines, max_gets_ids));
    while (!reply.empty())
    {
        const auto end = reply.find('\n');
        if (end == std::string_view::npos || read.size() == lines)
            return fail(errc::malformed_reply, "a reply has one line for each id");
        const auto line = read_line(reply.substr(0, end));
        if (!line)
            return fail(errc::malformed_reply, "a line is a revision and a record, or -, ! or 400");
        read.push_back(*line);
        reply.remove_prefix(end + 1);
    }
    if (read.size() != lines)
        return fail(errc::malformed_reply, "a reply has one line for each id");
    return read;
}

bool scan_record(std::string_view record, std::string_view id, raw_metadata& members) noexcept
{
    raw_metadata found;
    const bool same = skip_id(record, id) && skip(record, ",\"title\":") &&
                      skip_string(record, found.title, 1024, true) && skip(record, ",\"genre\":") &&
                      skip_string(record, found.genre, 1024, true) && skip(record, ",\"summary\":") &&
                      skip_string(record, found.summary, 16384, true) &&
                      (record == "}" || (record.starts_with(",\"") && record.ends_with('}')));
    if (same)
        members = found;
    return same;
}

bool scan_record(std::string_view record, std::string_view id, raw_url& members) noexcept
{
    raw_url found;
    const bool same = skip_id(record, id) && skip(record, ",\"url\":") && skip_string(record, found.url, 4096, false) &&
                      found.url.size() > 2 && record == "}";
    if (same)
        members = found;
    return same;
}

} // namespace marquee
