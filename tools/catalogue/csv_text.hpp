// Writing CSV (RFC 4180).
#pragma once

#include <string>
#include <vector>

namespace marquee::catalogue_files
{

/// A row without a line end. A field is in quotes where it has the delimiter, a quote or a line
/// break, and where it is the only one and empty. Thread-safe.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields, char delimiter);

} // namespace marquee::catalogue_files
