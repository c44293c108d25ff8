// CSV as answers of the edge have it (RFC 4180). Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace marquee
{

/// The media type of what append_csv_id() is part of.
inline constexpr std::string_view csv_media_type = "text/csv; charset=utf-8; header=present";

/// Appends an id as one cell. A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` (or
/// one of these in full width) for a formula. So an id that begins so, or with an apostrophe, gets
/// an apostrophe before it: who takes one apostrophe from the front of each id that has one has the
/// ids as they are. The cell is in quotes where it has a quote, a comma, a semicolon, a blank or an
/// apostrophe.
void append_csv_id(std::string& to, std::string_view id);

} // namespace marquee
