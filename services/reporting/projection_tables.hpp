// The statements of a projection, prepared once. Everything here throws SQLite::Exception and is part of the caller's transaction.
#pragma once

#include "services/reporting/projection.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <iosfwd>
#include <string>

namespace marquee
{

/// What an event id is taken for. References: for the call only.
struct id_use
{
    std::uint64_t sequence;
    std::int64_t time; ///< stream time, nanoseconds
    const std::string& asset;
    const std::string& user;
};

class projection_tables
{
public:
    explicit projection_tables(SQLite::Database& db);

    /// Reads the progress; a new database gets `window`. Answers the window the database was made with.
    std::int64_t load(projection_progress& into, std::int64_t window);
    void save(const projection_progress& p);

    /// True where the views of all assets, and of all users, are `applied` in sum.
    bool sums_match(std::uint64_t applied);

    void set_asset_views(const std::string& id, std::uint64_t views);
    void set_user_views(const std::string& id, std::uint64_t views);

    /// When the id was last taken, in stream time; none where it is unknown or was pruned.
    std::optional<std::int64_t> time_of_id(const std::string& id);

    /// Takes the id, whatever it was taken for before.
    void take_id(const std::string& id, const id_use& use);

    /// Moves the sequences of ids taken down, in their order, until none is above `last`: a stream that ends there gives the others out again.
    void lower_uses(std::uint64_t last);

    /// Forgets ids taken at stream time `forgotten` or earlier: the oldest first, at most `limit`.
    void prune(std::int64_t forgotten, std::size_t limit);

    std::uint64_t asset_views(const std::string& id);
    std::uint64_t user_views(const std::string& id);
    std::vector<views_reply> top(std::size_t limit);
    std::optional<first_use> find_use(const std::string& id, std::int64_t forgotten);
    void dump(std::ostream& out, std::int64_t forgotten);

private:
    SQLite::Database& db_;
    SQLite::Statement save_;
    SQLite::Statement set_asset_;
    SQLite::Statement set_user_;
    SQLite::Statement time_of_id_;
    SQLite::Statement take_id_;
    SQLite::Statement oldest_;
    SQLite::Statement prunable_;
    SQLite::Statement prune_;
    SQLite::Statement asset_views_;
    SQLite::Statement user_views_;
    SQLite::Statement top_;
    SQLite::Statement find_use_;
};

} // namespace marquee
