// A database and its write-ahead log, told apart from a pair that was put together from two backups.
//
// SQLite applies any log that is whole to any database of that name. Here each checkpoint leaves a new random token in the database, and the
// first transaction after it writes down, into the new log, on which token it stands (`base`). So a log belongs to a database that holds, without
// the log, either the token the log stands on, or the one that the log itself brings (a checkpoint was cut off). All checkpoints are made here.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <optional>
#include <string>

namespace marquee
{

/// The token in a database file without its log; 0: it has none yet. None where there is no file, an empty one, or one that cannot be read so.
/// Only while this process has the file open nowhere else.
[[nodiscard]] std::optional<std::int64_t> token_without_log(const std::string& path);

/// True where there is a log with something in it.
[[nodiscard]] bool has_log(const std::string& path);

/// Whether the log that `db` was opened with belongs to the file that holds `token` without it.
[[nodiscard]] bool is_paired(SQLite::Database& db, std::int64_t token);

/// Gives a copy a token of its own: no log belongs to it.
void set_own_token(SQLite::Database& copy);

/// SQL of the table, part of the database's.
extern const char* const pairing_table;

/// Makes the checkpoints of an open database. Its statements throw SQLite::Exception unless told otherwise.
class paired_log
{
public:
    /// Empties the log into the database. The table must be there.
    explicit paired_log(SQLite::Database& db);
    ~paired_log();
    paired_log(const paired_log&) = delete;
    paired_log& operator=(const paired_log&) = delete;

    /// Part of each transaction that writes, before its commit.
    void writing();

    /// After the commit. Makes a checkpoint where the log has become long; where that fails, it is tried again later.
    void written() noexcept;

    /// Brings all of the log into the database and empties it; false where another process still reads from it, or there is no room.
    [[nodiscard]] bool empty() noexcept;

private:
    bool checkpoint(int mode);

    SQLite::Database& db_;
    int pages_ = 0;         ///< in the log
    bool at_start_ = false; ///< nothing was written since the database got all of the log
    bool token_is_new_ = false;
};

} // namespace marquee
