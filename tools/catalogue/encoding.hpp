// Texts of files in UTF-8 and in two encodings of one byte a character.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee::catalogue_files
{

enum class encoding : std::uint8_t
{
    utf8,
    latin1,      ///< ISO 8859-1
    windows_1252 ///< what spreadsheets mean by "ANSI"
};

/// `utf8`, `latin1` or `windows-1252`, also as `utf-8`, `iso-8859-1`, `cp1252`.
[[nodiscard]] std::optional<encoding> parse_encoding(std::string_view name);

/// Turns `text` into UTF-8. Returns why it cannot be that, and then `text` is undefined; empty: it
/// is. Control characters other than line breaks and tabs are faults. Thread-safe.
[[nodiscard]] std::string decode_text(std::string& text, encoding from);

} // namespace marquee::catalogue_files
