// What every use of a prepared statement needs. Private to this room.
#pragma once

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>

namespace marquee
{

/// Resets a statement: an unfinished SELECT holds back checkpoints, and a finished one cannot run
/// again.
class use_of
{
public:
    explicit use_of(SQLite::Statement& statement) : statement_(statement) {}
    ~use_of() { statement_.tryReset(); }
    use_of(const use_of&) = delete;
    use_of& operator=(const use_of&) = delete;

private:
    SQLite::Statement& statement_;
};

[[nodiscard]] inline std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

[[nodiscard]] inline std::uint64_t count_at(SQLite::Statement& row, int column)
{
    return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

[[nodiscard]] inline std::uint32_t number_at(SQLite::Statement& row, int column)
{
    return static_cast<std::uint32_t>(row.getColumn(column).getInt64());
}

} // namespace marquee
