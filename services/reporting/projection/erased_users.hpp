// Who was erased, and whose ids are still to be hidden. Private to this room.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marquee
{

/// The tables `erasures` and `hidings`. The uses of ids by an erased user are found by going
/// through all rows of first_uses, so they are hidden in parts, after the erasure is written; until
/// then hides() tells which rows count as hidden. Single-threaded; every function is part of the
/// caller's transaction and throws SQLite::Exception. The database must outlive it.
class erased_users
{
public:
    explicit erased_users(SQLite::Database& db);

    /// Keeps that the message `sequence`, stored at `time`, erased the user, by a hash of the
    /// user's id. Forgets the erasures that are `window` older; 0: none is forgotten.
    void note(const std::string& user, std::uint64_t sequence, std::int64_t time, std::int64_t window);

    /// The sequence of the message that erased the user last, as far as it is kept; else 0.
    [[nodiscard]] std::uint64_t erased_at(const std::string& user);

    /// The last erasures by messages after `after`, up to `through`: the hash of the user's id
    /// (base32_sha256) and the sequence; `limit` at most.
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> between(std::uint64_t after, std::uint64_t through,
                                                                             std::size_t limit);

    /// The uses that are written, by events of the user, are to be hidden. In effect with begun(),
    /// once that is committed.
    void begin_hiding(const std::string& user, std::uint64_t sequence);
    void begun();

    /// Reads what is to be hidden: at the start, and after a transaction that failed.
    void read_hidings();

    [[nodiscard]] bool has_hidings() const noexcept { return !hidings_.empty(); }

    /// Whether a use, by a message at `sequence` for the user, counts as hidden. Below 0 are those
    /// of a stream before this one.
    [[nodiscard]] bool hides(const std::string& user, std::int64_t sequence) const;

    /// Rows of first_uses to be hidden: their keys and ids.
    struct part
    {
        std::vector<std::pair<std::int64_t, std::string>> uses;
        std::int64_t through = 0; ///< the last row that was looked at
        bool ends_pass = false;
    };

    /// Looks at the next rows, about `rows`. A pass goes through all of them for all users who are
    /// to be hidden when it begins; a restart begins it again. Only while has_hidings().
    [[nodiscard]] part next_part(std::size_t rows);

    /// Writes that a part is hidden, which forget_part() then makes known.
    void save_part(const part& hidden);
    void forget_part(const part& hidden);

private:
    struct hiding
    {
        std::int64_t number = 0; ///< in the table, ascending
        std::int64_t last = 0;   ///< row
    };

    SQLite::Database& db_;
    struct
    {
        hiding which;
        std::string user;
        std::uint64_t sequence = 0;
    } begun_; ///< by begin_hiding()
    std::vector<hiding> hidings_;
    std::unordered_map<std::string, std::uint64_t> hidden_; ///< users, and the sequence of their last erasure
    std::size_t in_pass_ = 0;                               ///< of hidings_; 0: none is under way
    std::int64_t passed_ = 0;                               ///< rows up to here are done
    SQLite::Statement any_erasure_;
    SQLite::Statement erased_at_;
    SQLite::Statement uses_;
    SQLite::Statement first_row_;
};

} // namespace marquee
