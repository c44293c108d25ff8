#include "services/reporting/projection/backup.hpp"

#include "services/reporting/projection/database.hpp"
#include "services/reporting/projection/database_file.hpp"
#include "services/reporting/projection/paired_log.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Statement.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace marquee
{
namespace
{

namespace fs = std::filesystem;

constexpr int attempts = 5; // a swap may replace the file while it is opened

struct file_identity
{
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

file_identity identity_of(const std::string& path)
{
    struct ::stat found = {};
    return ::stat(path.c_str(), &found) == 0 ? file_identity{found.st_dev, found.st_ino} : file_identity{};
}

result<void> sync_file(const std::string& path, int flags)
{
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    const bool synced = fd >= 0 && (::fsync(fd) == 0 || errno == EINVAL);
    auto problem =
        synced ? result<void>() : fail(errc::unavailable, "cannot sync " + path + ": " + std::strerror(errno));
    if (fd >= 0)
        ::close(fd);
    return problem;
}

/// The copy needs no log, and no log that is put beside it later belongs to it.
backup_contents copy_all(SQLite::Database& from, const std::string& to)
{
    SQLite::Database copy(to, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    struct ::stat source = {};
    if (::stat(from.getFilename().c_str(), &source) == 0) // the same people may read it
        (void)::chmod(to.c_str(), source.st_mode & 0777);
    {
        SQLite::Backup copying(copy, from);
        if (const int done = copying.executeStep(-1); done != SQLITE_DONE)
            throw SQLite::Exception("the database is busy", done);
    }
    copy.exec("PRAGMA journal_mode = DELETE");
    set_own_token(copy);
    SQLite::Statement read(copy, "SELECT last_sequence, applied FROM progress");
    backup_contents found;
    if (read.executeStep())
        found = {static_cast<std::uint64_t>(read.getColumn(0).getInt64()),
                 static_cast<std::uint64_t>(read.getColumn(1).getInt64())};
    return found;
}

/// For a file that no instance uses: its log may be one of another backup.
result<void> check_pair(const std::string& path)
{
    try
    {
        (void)open_database(path);
        return {};
    }
    catch (const SQLite::Exception& e)
    {
        return database_error(path, e);
    }
}

/// None where a swap has replaced the file meanwhile.
result<std::optional<backup_contents>> try_once(const std::string& path, const std::string& part)
{
    const auto lock = file_lock::take(path + ".lock");
    if (lock.has_value())
        if (auto sound = check_pair(path); sound.has_error())
            return sound.error();
    try
    {
        const auto before = identity_of(path);
        SQLite::Database from(path, SQLite::OPEN_READWRITE |
                                        SQLite::OPEN_NOMUTEX); // a reader of a log needs its index, which is written
        from.setBusyTimeout(10'000);
        from.exec("PRAGMA query_only = 1");
        from.exec("BEGIN");
        if (from.execAndGet("SELECT count(*) FROM pragma_table_info('pairing')").getInt() == 0)
            return fail(errc::unavailable, path + " is no database of this version");
        if (identity_of(path) != before)
            return std::optional<backup_contents>();
        from.exec("COMMIT");
        auto copied = copy_all(from, part);
        if (identity_of(path) != before)
            return std::optional<backup_contents>();
        return std::optional(copied);
    }
    catch (const SQLite::Exception& e)
    {
        return database_error(path, e);
    }
}

} // namespace

result<backup_contents> back_up(const std::string& path, const std::string& copy)
{
    std::error_code ec;
    if (!fs::exists(path, ec))
        return fail(errc::unavailable, "there is no database " + path);
    if (copy.empty() || fs::is_directory(copy, ec) || fs::equivalent(path, copy, ec))
        return fail(errc::bad_request, "the copy needs a file of its own");
    const auto part = copy + ".part";
    for (int attempt = 0; attempt < attempts; ++attempt)
    {
        if (auto gone = delete_database(part); gone.has_error())
            return gone.error();
        const auto copied = try_once(path, part);
        if (copied.has_error())
        {
            (void)delete_database(part);
            return copied.error();
        }
        if (!*copied)
            continue;
        if (auto synced = sync_file(part, O_RDONLY); synced.has_error())
            return synced.error();
        for (const auto* suffix : {"-wal", "-shm"}) // of the file that is replaced
            ::unlink((copy + suffix).c_str());
        if (std::rename(part.c_str(), copy.c_str()) != 0)
            return fail(errc::unavailable, "cannot rename " + part + " to " + copy + ": " + std::strerror(errno));
        const auto folder = fs::path(copy).parent_path();
        if (auto synced = sync_file(folder.empty() ? "." : folder.string(), O_RDONLY | O_DIRECTORY); synced.has_error())
            return synced.error();
        return **copied;
    }
    return fail(errc::unavailable, "the database " + path + " is being replaced; try again later");
}

} // namespace marquee
