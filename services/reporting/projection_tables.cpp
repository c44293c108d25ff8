#include "services/reporting/projection_tables.hpp"

#include <ostream>

namespace marquee
{
namespace
{

/// An unfinished SELECT would hold back the log's checkpoint; a finished one must be reset before it runs again.
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

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::uint64_t count_at(SQLite::Statement& row, int column)
{
    return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

void set_views(SQLite::Statement& statement, const std::string& id, std::uint64_t views)
{
    const use_of guard(statement);
    statement.bindNoCopy(1, id);
    statement.bind(2, number(views));
    statement.exec();
}

std::uint64_t read_views(SQLite::Statement& statement, const std::string& id)
{
    const use_of guard(statement);
    statement.bindNoCopy(1, id);
    return statement.executeStep() ? count_at(statement, 0) : 0;
}

} // namespace

projection_tables::projection_tables(SQLite::Database& db)
    : db_(db), save_(db, "UPDATE progress SET stream_id = ?, last_sequence = ?, last_timestamp = ?, stream_time = ?, "
                         "applied = ?, duplicates = ?, rejected = ?, last_reject_sequence = ?, last_reject_reason = ?"),
      set_asset_(db, "INSERT INTO assets (id, views) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET views = excluded.views"),
      set_user_(db, "INSERT INTO users (id, views) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET views = excluded.views"),
      time_of_id_(db, "SELECT time FROM first_uses WHERE id = ?"),
      take_id_(db, "INSERT INTO first_uses (sequence, time, id, asset, user) VALUES (?, ?, ?, ?, ?) "
                   "ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, time = excluded.time, asset = excluded.asset, "
                   "user = excluded.user"),
      oldest_(db, "SELECT time FROM first_uses ORDER BY sequence LIMIT 1"),
      prunable_(db,
                "SELECT max(sequence) FROM (SELECT sequence, time FROM first_uses ORDER BY sequence LIMIT ?2) WHERE time <= ?1"),
      prune_(db, "DELETE FROM first_uses WHERE sequence <= ?"), asset_views_(db, "SELECT views FROM assets WHERE id = ?"),
      user_views_(db, "SELECT views FROM users WHERE id = ?"),
      top_(db, "SELECT id, views FROM assets ORDER BY views DESC, id LIMIT ?"),
      find_use_(db, "SELECT asset, user, sequence FROM first_uses WHERE id = ? AND time > ?")
{
}

std::int64_t projection_tables::load(projection_progress& into, std::int64_t window)
{
    SQLite::Statement add(db_, "INSERT OR IGNORE INTO progress (one, dedupe_window) VALUES (1, ?)");
    add.bind(1, window);
    add.exec();
    SQLite::Statement read(db_, "SELECT stream_id, last_sequence, last_timestamp, stream_time, applied, duplicates, rejected, "
                                "last_reject_sequence, last_reject_reason, dedupe_window FROM progress");
    if (!read.executeStep())
        throw SQLite::Exception("no progress in the database");
    into.stream_id = read.getColumn(0).getString();
    into.last_sequence = count_at(read, 1);
    into.last_timestamp = std::chrono::nanoseconds(read.getColumn(2).getInt64());
    into.stream_time = std::chrono::nanoseconds(read.getColumn(3).getInt64());
    into.applied = count_at(read, 4);
    into.duplicates = count_at(read, 5);
    into.rejected = count_at(read, 6);
    into.last_reject_sequence = count_at(read, 7);
    into.last_reject_reason = read.getColumn(8).getString();
    return read.getColumn(9).getInt64();
}

void projection_tables::save(const projection_progress& p)
{
    const use_of guard(save_);
    save_.bindNoCopy(1, p.stream_id);
    save_.bind(2, number(p.last_sequence));
    save_.bind(3, std::int64_t{p.last_timestamp.count()});
    save_.bind(4, std::int64_t{p.stream_time.count()});
    save_.bind(5, number(p.applied));
    save_.bind(6, number(p.duplicates));
    save_.bind(7, number(p.rejected));
    save_.bind(8, number(p.last_reject_sequence));
    save_.bindNoCopy(9, p.last_reject_reason);
    save_.exec();
}

bool projection_tables::sums_match(std::uint64_t applied)
{
    const auto assets = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM assets").getInt64();
    const auto users = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM users").getInt64();
    return assets == number(applied) && users == number(applied);
}

void projection_tables::set_asset_views(const std::string& id, std::uint64_t views) { set_views(set_asset_, id, views); }

void projection_tables::set_user_views(const std::string& id, std::uint64_t views) { set_views(set_user_, id, views); }

std::optional<std::int64_t> projection_tables::time_of_id(const std::string& id)
{
    const use_of guard(time_of_id_);
    time_of_id_.bindNoCopy(1, id);
    if (!time_of_id_.executeStep())
        return std::nullopt;
    return time_of_id_.getColumn(0).getInt64();
}

void projection_tables::take_id(const std::string& id, const id_use& use)
{
    const use_of guard(take_id_);
    take_id_.bind(1, number(use.sequence));
    take_id_.bind(2, use.time);
    take_id_.bindNoCopy(3, id);
    take_id_.bindNoCopy(4, use.asset);
    take_id_.bindNoCopy(5, use.user);
    take_id_.exec();
}

void projection_tables::lower_uses(std::uint64_t last)
{
    const auto highest = db_.execAndGet("SELECT coalesce(max(sequence), 0) FROM first_uses").getInt64();
    const auto by = highest - number(last);
    if (by <= 0)
        return;
    constexpr std::int64_t far = std::int64_t{1} << 62; // twice: no row meets one that has not moved yet
    db_.exec("UPDATE first_uses SET sequence = sequence - " + std::to_string(far));
    db_.exec("UPDATE first_uses SET sequence = sequence + " + std::to_string(far - by));
}

void projection_tables::prune(std::int64_t forgotten, std::size_t limit)
{
    {
        const use_of guard(oldest_);
        if (!oldest_.executeStep() || oldest_.getColumn(0).getInt64() > forgotten)
            return;
    }
    const use_of guard(prunable_);
    prunable_.bind(1, forgotten);
    prunable_.bind(2, number(limit));
    prunable_.executeStep();
    const std::int64_t last = prunable_.getColumn(0).getInt64();
    const use_of guard_prune(prune_);
    prune_.bind(1, last);
    prune_.exec();
}

std::uint64_t projection_tables::asset_views(const std::string& id) { return read_views(asset_views_, id); }

std::uint64_t projection_tables::user_views(const std::string& id) { return read_views(user_views_, id); }

std::vector<views_reply> projection_tables::top(std::size_t limit)
{
    const use_of guard(top_);
    top_.bind(1, number(limit));
    std::vector<views_reply> found;
    while (top_.executeStep())
        found.push_back({top_.getColumn(0).getString(), count_at(top_, 1)});
    return found;
}

std::optional<first_use> projection_tables::find_use(const std::string& id, std::int64_t forgotten)
{
    const use_of guard(find_use_);
    find_use_.bindNoCopy(1, id);
    find_use_.bind(2, forgotten);
    if (!find_use_.executeStep())
        return std::nullopt;
    return first_use{find_use_.getColumn(0).getString(), find_use_.getColumn(1).getString(), count_at(find_use_, 2)};
}

void projection_tables::dump(std::ostream& out, std::int64_t forgotten)
{
    SQLite::Statement assets(db_, "SELECT id, views FROM assets ORDER BY id");
    while (assets.executeStep())
        out << "asset " << assets.getColumn(0).getText() << ' ' << assets.getColumn(1).getInt64() << '\n';
    SQLite::Statement users(db_, "SELECT id, views FROM users ORDER BY id");
    while (users.executeStep())
        out << "user " << users.getColumn(0).getText() << ' ' << users.getColumn(1).getInt64() << '\n';
    SQLite::Statement uses(db_, "SELECT sequence, time, id, asset, user FROM first_uses WHERE time > ? ORDER BY sequence");
    uses.bind(1, forgotten);
    while (uses.executeStep())
        out << "id " << uses.getColumn(2).getText() << ' ' << uses.getColumn(0).getInt64() << ' ' << uses.getColumn(1).getInt64()
            << ' ' << uses.getColumn(3).getText() << ' ' << uses.getColumn(4).getText() << '\n';
}

} // namespace marquee
