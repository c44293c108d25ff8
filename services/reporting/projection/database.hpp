// Opens the SQLite file of a projection. Private to this room.
#pragma once

#include "schemas/error.hpp"

#include <SQLiteCpp/Database.h>

#include <string>

namespace marquee
{

/// Opens or creates the database at `path`; one of an older format is upgraded. Throws
/// SQLite::Exception, with SQLITE_NOTADB for a file that is no projection. A file and a log that do
/// not belong together (paired_log.hpp) are refused and left as they are. The caller must hold the
/// lock and write through a paired_log; other processes may only read.
[[nodiscard]] SQLite::Database open_database(const std::string& path);

/// True where a change failed for want of disk space: nothing is damaged, and it may be tried
/// again.
[[nodiscard]] bool is_disk_full(const SQLite::Exception& e) noexcept;

/// `unavailable`, with the file and what SQLite said; a damaged file is named with its cure.
[[nodiscard]] error database_error(const std::string& path, const SQLite::Exception& e);

} // namespace marquee
