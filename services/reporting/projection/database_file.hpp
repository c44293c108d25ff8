// The database as files: its lock and its deletion. The part of the room's interface that callers
// need beside projection.hpp.
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace marquee
{

/// An advisory lock (flock) on a file beside the database, held until it is destroyed. The kernel
/// releases it when the process dies.
class file_lock
{
public:
    /// Fails with `unavailable` where another process holds the lock, or the file at `path` cannot
    /// be created.
    [[nodiscard]] static result<file_lock> take(const std::string& path);

    file_lock(file_lock&& other) noexcept;
    file_lock& operator=(file_lock&&) = delete;
    file_lock(const file_lock&) = delete;
    ~file_lock();

private:
    explicit file_lock(int fd) : fd_(fd) {}
    int fd_;
};

/// Deletes the database at `path` with its log, index and journal. A missing file is no error. The
/// caller must hold the lock.
[[nodiscard]] result<void> delete_database(const std::string& path);

} // namespace marquee
