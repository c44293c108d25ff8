// The SQLite file of a projection: opened, locked against a second process, its tables in place.
#pragma once

#include "schemas/error.hpp"

#include <SQLiteCpp/Database.h>

#include <string>

namespace marquee
{

/// Holds an advisory lock on a file beside the database until it is destroyed; the kernel drops it when the process dies.
class file_lock
{
public:
    /// Fails with `unavailable`: another process holds it, or the file cannot be made.
    [[nodiscard]] static result<file_lock> take(const std::string& path);

    file_lock(file_lock&& other) noexcept;
    file_lock& operator=(file_lock&&) = delete;
    file_lock(const file_lock&) = delete;
    ~file_lock();

private:
    explicit file_lock(int fd) : fd_(fd) {}
    int fd_;
};

/// Deletes a database with all that belongs to it. A missing file is fine. Take its lock first.
[[nodiscard]] result<void> delete_database(const std::string& path);

/// Opens or creates the database; one of an older version gets the tables of this one. Throws SQLite::Exception; one that is no projection is
/// SQLITE_NOTADB. Refuses, and leaves as they are, a file and a log that do not belong together (paired_log.hpp). What is written has to go
/// through a paired_log. Take its lock first: another process may only read.
[[nodiscard]] SQLite::Database open_database(const std::string& path);

/// The change was not made for want of room; nothing is damaged.
[[nodiscard]] bool is_disk_full(const SQLite::Exception& e) noexcept;

/// What SQLite said, with the file, for people.
[[nodiscard]] error database_error(const std::string& path, const SQLite::Exception& e);

} // namespace marquee
