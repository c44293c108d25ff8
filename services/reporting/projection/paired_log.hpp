// Tells a database and its write-ahead log from two files of different backups. Private to this
// room.
//
// SQLite applies any log that is whole to any database of that name. Here each checkpoint leaves a
// new random token in the database, and the first transaction after it records, in the new log,
// which token it follows (`base`). So a log belongs to a database whose token, read without the
// log, is either the base of the log or the token that the log brings (where a crash cut off a
// checkpoint). For that, all checkpoints are made here.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <optional>
#include <string>

namespace marquee
{

/// The token in the database file without its log; 0: it has none yet. None where the file is
/// missing, empty or cannot be read so. To be called before this process opens the file.
[[nodiscard]] std::optional<std::int64_t> token_without_log(const std::string& path);

/// True where the database at `path` has a log that is not empty.
[[nodiscard]] bool has_log(const std::string& path);

/// Whether the log that `db` was opened with belongs to a file with `token`. Throws
/// SQLite::Exception.
[[nodiscard]] bool is_paired(SQLite::Database& db, std::int64_t token);

/// Gives a copy a token of its own: no log belongs to it. Throws SQLite::Exception.
void set_own_token(SQLite::Database& copy);

/// SQL of the table of tokens, part of the database's tables.
extern const char* const pairing_table;

/// Makes the checkpoints of an open database, which must outlive it. Functions that are not
/// noexcept throw SQLite::Exception. Single-threaded.
class paired_log
{
public:
    /// Empties the log into the database. The table must exist.
    explicit paired_log(SQLite::Database& db);
    ~paired_log();
    paired_log(const paired_log&) = delete;
    paired_log& operator=(const paired_log&) = delete;

    /// To be called in each transaction that writes, before its commit.
    void writing();

    /// To be called after the commit. Makes a checkpoint where the log has become long; where that
    /// fails, a later call tries again.
    void written() noexcept;

    /// Moves all of the log into the database and empties it; false where another process reads
    /// from it, or there is no disk space.
    [[nodiscard]] bool empty() noexcept;

private:
    bool checkpoint(int mode);

    SQLite::Database& db_;
    int pages_ = 0;             ///< in the log
    bool at_start_ = false;     ///< nothing was written since a checkpoint emptied the log
    bool token_is_new_ = false; ///< the next checkpoint brings a token that the database has not had
};

} // namespace marquee
