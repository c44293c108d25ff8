// The statements of a projection, prepared once. Everything here throws SQLite::Exception and is part of the caller's transaction.
#pragma once

#include "services/reporting/counting_rule.hpp"
#include "services/reporting/projection.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include <functional>
#include <iosfwd>
#include <string>

namespace marquee
{

/// What an event id is taken for. References: for the call only.
struct id_use
{
    std::uint64_t sequence;
    std::int64_t time; ///< of the message, nanoseconds
    const std::string& asset;
    const std::string& user;
};

class projection_tables
{
public:
    explicit projection_tables(SQLite::Database& db);

    /// Reads everything that is no count. A new database gets `rule`; answers the one that is in the database.
    counting_rule load(projection_progress& into, id_memory& memory, const counting_rule& rule);

    /// What has changed in `memory` since it had `written` messages is written, too.
    void save(const projection_progress& p, const id_memory& memory, std::uint64_t written);

    void set_rule(const counting_rule& rule, std::uint64_t since);

    /// True where the views of all assets, and of all users, are `applied` in sum.
    bool sums_match(std::uint64_t applied);

    void set_asset_views(const std::string& id, std::uint64_t views);
    void set_user_views(const std::string& id, std::uint64_t views);

    /// A use of an id. The views are valid during the call.
    using use_visitor = std::function<bool(std::int64_t sequence, std::int64_t time)>;

    /// True where `visit` is, for a use of the id with a time between the two (and not at them); the latest in the stream first.
    bool any_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit);

    /// The event at that sequence, which has taken an id.
    first_use use_at(std::int64_t sequence);

    /// Takes the id, whatever it was taken for before.
    void take_id(const std::string& id, const id_use& use);

    /// Deletes uses that are forgotten, the earliest first, at most `limit`. Answers how many.
    std::size_t prune(const forgotten_until& what, std::size_t limit);

    /// The sequences of all uses become smaller by the same, which is answered, so that none is beyond `last`: another stream begins anew there.
    std::int64_t lower_uses(std::uint64_t last);

    std::uint64_t asset_views(const std::string& id);
    std::uint64_t user_views(const std::string& id);
    std::vector<views_reply> top(std::size_t limit);
    void dump(std::ostream& out, const id_memory& memory);

private:
    SQLite::Database& db_;
    SQLite::Statement save_;
    SQLite::Statement set_asset_;
    SQLite::Statement set_user_;
    SQLite::Statement save_block_;
    SQLite::Statement near_;
    SQLite::Statement use_at_;
    SQLite::Statement take_id_;
    SQLite::Statement oldest_;
    SQLite::Statement prune_;
    SQLite::Statement asset_views_;
    SQLite::Statement user_views_;
    SQLite::Statement top_;
};

} // namespace marquee
