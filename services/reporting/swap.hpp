// The files of a rebuild: FILE.new is counted while FILE serves, then takes its place; FILE.old is what stood there before.
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace marquee
{

[[nodiscard]] inline std::string file_of_rebuild(const std::string& path) { return path + ".new"; }
[[nodiscard]] inline std::string file_before_rebuild(const std::string& path) { return path + ".old"; }

/// Renames FILE to FILE.old and FILE.new to FILE, and syncs the folder. Both must be closed, FILE.new marked as rebuilt and with nothing in its log. A FILE
/// that could not be opened keeps the log it has. FILE is missing after a crash between the two renames only: then FILE.new is whole,
/// and calling this again ends the swap. The lock of FILE must be held all the time.
[[nodiscard]] result<void> swap_databases(const std::string& path);

} // namespace marquee
