// The files of a rebuild: FILE.new is counted while FILE serves, then takes its place; FILE.old is
// the former FILE.
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace marquee
{

[[nodiscard]] inline std::string file_of_rebuild(const std::string& path) { return path + ".new"; }
[[nodiscard]] inline std::string file_before_rebuild(const std::string& path) { return path + ".old"; }

/// Renames FILE to FILE.old and FILE.new to FILE, and syncs the folder. Both must be closed;
/// FILE.new must be marked as rebuilt and have an empty log. A FILE that could not be opened keeps
/// its log. A crash between the two renames leaves no FILE and a whole FILE.new: another call then
/// completes the swap. The caller must hold the lock of FILE. Fails with `unavailable`.
[[nodiscard]] result<void> swap_databases(const std::string& path);

} // namespace marquee
