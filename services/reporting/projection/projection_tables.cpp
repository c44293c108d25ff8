#include "services/reporting/projection/projection_tables.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <ostream>

namespace marquee
{
namespace
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
    : db_(db),
      save_(db,
            "UPDATE progress SET stream_id = ?, last_sequence = ?, last_timestamp = ?, messages = ?, forgotten = ?, "
            "applied = ?, "
            "duplicates = ?, rejected = ?, last_reject_sequence = ?, last_reject_reason = ?, rebuilt = ?, skipped = ?"),
      set_asset_(db,
                 "INSERT INTO assets (id, views) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET views = excluded.views"),
      set_user_(db,
                "INSERT INTO users (id, views) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET views = excluded.views"),
      save_block_(db, "INSERT OR REPLACE INTO last_times (block, times) VALUES (?, ?)"),
      last_like_(db, "SELECT id FROM first_uses WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1"),
      near_(db, "SELECT sequence, line, time, asset, user FROM first_uses WHERE id = ? AND time > ? AND time < ? "
                "ORDER BY sequence DESC, line DESC"),
      near_batch_(
          db,
          "SELECT sequence, time, lines FROM batches WHERE batch = ? AND time > ? AND time < ? ORDER BY sequence DESC"),
      knows_batch_(db, "SELECT EXISTS (SELECT 1 FROM batches WHERE batch = ?1) OR "
                       "EXISTS (SELECT 1 FROM first_uses WHERE id > ?1 || '.' AND id < ?1 || '/')"),
      take_id_(db, "INSERT INTO first_uses (sequence, line, time, id, asset, user) VALUES (?, ?, ?, ?, ?, ?)"),
      take_batch_(db, "INSERT INTO batches (sequence, time, batch, lines) VALUES (?, ?, ?, ?)"),
      oldest_(db, "SELECT min(a, b) FROM (SELECT coalesce((SELECT time FROM first_uses ORDER BY time LIMIT 1), "
                  "9223372036854775807) AS a, coalesce((SELECT time FROM batches ORDER BY time LIMIT 1), "
                  "9223372036854775807) AS b)"),
      prune_(db, "DELETE FROM first_uses WHERE use IN "
                 "(SELECT use FROM first_uses WHERE time <= ?1 AND sequence <= ?2 ORDER BY time LIMIT ?3)"),
      prune_batches_(db, "DELETE FROM batches WHERE sequence IN "
                         "(SELECT sequence FROM batches WHERE time <= ?1 AND sequence <= ?2 ORDER BY time LIMIT ?3)"),
      asset_views_(db, "SELECT views FROM assets WHERE id = ?"),
      user_views_(db, "SELECT views FROM users WHERE id = ?"),
      top_(db, "SELECT id, views FROM assets ORDER BY views DESC, id LIMIT ?")
{
}

counting_rule projection_tables::load(projection_progress& into, id_memory& memory, const counting_rule& rule)
{
    SQLite::Statement add(db_, "INSERT OR IGNORE INTO progress (one, dedupe_window, rule) VALUES (1, ?, ?)");
    add.bind(1, std::int64_t{rule.dedupe_window.count()});
    add.bind(2, rule.version);
    add.exec();
    SQLite::Statement read(
        db_, "SELECT stream_id, last_sequence, last_timestamp, messages, forgotten, applied, duplicates, rejected, "
             "last_reject_sequence, last_reject_reason, rebuilt, skipped, rule_since, rule, dedupe_window "
             "FROM progress");
    if (!read.executeStep())
        throw SQLite::Exception("no progress in the database");
    into.stream_id = read.getColumn(0).getString();
    into.last_sequence = count_at(read, 1);
    into.last_timestamp = std::chrono::nanoseconds(read.getColumn(2).getInt64());
    into.applied = count_at(read, 5);
    into.duplicates = count_at(read, 6);
    into.rejected = count_at(read, 7);
    into.last_reject_sequence = count_at(read, 8);
    into.last_reject_reason = read.getColumn(9).getString();
    into.rebuilt = read.getColumn(10).getInt() != 0;
    into.skipped = count_at(read, 11);
    into.rule_since = count_at(read, 12);
    const counting_rule found{read.getColumn(13).getInt(), std::chrono::nanoseconds(read.getColumn(14).getInt64())};
    memory = id_memory(found.dedupe_window);
    bool whole = memory.restore(count_at(read, 3), read.getColumn(4).getString());
    SQLite::Statement blocks(db_, "SELECT block, times FROM last_times");
    while (blocks.executeStep())
        whole &= memory.restore_block(count_at(blocks, 0), blocks.getColumn(1).getString());
    if (!whole)
        throw SQLite::Exception("the times of the last messages make no sense", SQLITE_CORRUPT);
    return found;
}

void projection_tables::save(const projection_progress& p, const id_memory& memory, std::uint64_t written)
{
    const auto forgotten = memory.forgotten_bytes();
    const use_of guard(save_);
    save_.bindNoCopy(1, p.stream_id);
    save_.bind(2, number(p.last_sequence));
    save_.bind(3, std::int64_t{p.last_timestamp.count()});
    save_.bind(4, number(memory.messages()));
    save_.bindNoCopy(5, forgotten.data(), static_cast<int>(forgotten.size()));
    save_.bind(6, number(p.applied));
    save_.bind(7, number(p.duplicates));
    save_.bind(8, number(p.rejected));
    save_.bind(9, number(p.last_reject_sequence));
    save_.bindNoCopy(10, p.last_reject_reason);
    save_.bind(11, p.rebuilt ? 1 : 0);
    save_.bind(12, number(p.skipped));
    save_.exec();
    const auto first = std::max(written, memory.messages() -
                                             std::min<std::uint64_t>(memory.messages(), id_memory::messages_looked_at));
    for (auto message = first; message < memory.messages();)
    {
        const auto block = message / id_memory::block_size;
        const auto times = memory.block_bytes(block % id_memory::blocks);
        const use_of guard_block(save_block_);
        save_block_.bind(1, number(block % id_memory::blocks));
        save_block_.bindNoCopy(2, times.data(), static_cast<int>(times.size()));
        save_block_.exec();
        message = (block + 1) * id_memory::block_size;
    }
}

void projection_tables::set_rule(const counting_rule& rule, std::uint64_t since)
{
    SQLite::Statement set(db_, "UPDATE progress SET rule = ?, dedupe_window = ?, rule_since = ?");
    set.bind(1, rule.version);
    set.bind(2, std::int64_t{rule.dedupe_window.count()});
    set.bind(3, number(since));
    set.exec();
}

bool projection_tables::sums_match(std::uint64_t applied)
{
    const auto assets = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM assets").getInt64();
    const auto users = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM users").getInt64();
    return assets == number(applied) && users == number(applied);
}

void projection_tables::set_asset_views(const std::string& id, std::uint64_t views)
{
    set_views(set_asset_, id, views);
}

void projection_tables::set_user_views(const std::string& id, std::uint64_t views) { set_views(set_user_, id, views); }

std::string& projection_tables::greatest_like(const std::string& id)
{
    const auto first = static_cast<unsigned char>(id.c_str()[0]);
    auto& known = greatest_.at(first);
    if (!known)
    {
        const std::string from(1, static_cast<char>(first));
        const std::string to(1, static_cast<char>(first + 1)); // ids are ASCII
        const use_of guard(last_like_);
        last_like_.bindNoCopy(1, from);
        last_like_.bindNoCopy(2, to);
        known = last_like_.executeStep() ? last_like_.getColumn(0).getString() : std::string();
    }
    return *known;
}

bool projection_tables::any_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit)
{
    if (id > greatest_like(id))
        return false;
    const use_of guard(near_);
    near_.bindNoCopy(1, id);
    near_.bind(2, from);
    near_.bind(3, to);
    while (near_.executeStep())
        if (visit({near_.getColumn(3).getString(), near_.getColumn(4).getString(), count_at(near_, 0),
                   count_at(near_, 1)},
                  near_.getColumn(2).getInt64()))
            return true;
    return false;
}

bool projection_tables::any_use_in_batch(const std::string& batch, std::size_t line, std::int64_t from, std::int64_t to,
                                         const use_visitor& visit)
{
    const use_of guard(near_batch_);
    near_batch_.bindNoCopy(1, batch);
    near_batch_.bind(2, from);
    near_batch_.bind(3, to);
    while (near_batch_.executeStep())
    {
        const auto lines = near_batch_.getColumn(2).getString();
        if (line_set::has(lines, line) &&
            visit({{}, {}, count_at(near_batch_, 0), line}, near_batch_.getColumn(1).getInt64()))
            return true;
    }
    return false;
}

bool projection_tables::knows_batch(const std::string& batch)
{
    const use_of guard(knows_batch_);
    knows_batch_.bindNoCopy(1, batch);
    return knows_batch_.executeStep() && knows_batch_.getColumn(0).getInt() != 0;
}

void projection_tables::take_id(const std::string& id, const id_use& use)
{
    const use_of guard(take_id_);
    take_id_.bind(1, number(use.sequence));
    take_id_.bind(2, number(use.line));
    take_id_.bind(3, use.time);
    take_id_.bindNoCopy(4, id);
    take_id_.bindNoCopy(5, use.asset);
    take_id_.bindNoCopy(6, use.user);
    take_id_.exec();
    if (auto& greatest = greatest_like(id); id > greatest)
        greatest = id;
}

void projection_tables::take_batch(const batch_row& row)
{
    const use_of guard(take_batch_);
    take_batch_.bind(1, number(row.sequence));
    take_batch_.bind(2, row.time);
    take_batch_.bindNoCopy(3, row.batch);
    take_batch_.bindNoCopy(4, row.lines.bytes().data(), static_cast<int>(row.lines.bytes().size()));
    take_batch_.exec();
}

std::int64_t projection_tables::lower_uses(std::uint64_t last)
{
    const auto highest = db_.execAndGet("SELECT max((SELECT coalesce(max(sequence), 0) FROM first_uses), "
                                        "(SELECT coalesce(max(sequence), 0) FROM batches))")
                             .getInt64();
    const auto by = highest - number(last);
    if (by <= 0)
        return 0;
    constexpr std::int64_t far = std::int64_t{1} << 62; // in two moves: no row meets one that is still in place
    db_.exec("UPDATE first_uses SET sequence = sequence - " + std::to_string(by));
    db_.exec("UPDATE batches SET sequence = sequence - " + std::to_string(far));
    db_.exec("UPDATE batches SET sequence = sequence + " + std::to_string(far - by));
    return by;
}

std::size_t projection_tables::prune(const forgotten_until& what, std::size_t limit)
{
    {
        const use_of guard(oldest_);
        if (!oldest_.executeStep() || oldest_.getColumn(0).getInt64() > what.time)
            return 0;
    }
    std::size_t pruned = 0;
    for (auto* table : {&prune_, &prune_batches_})
    {
        const use_of guard(*table);
        table->bind(1, what.time);
        table->bind(2, what.sequence);
        table->bind(3, number(limit));
        pruned += static_cast<std::size_t>(table->exec());
    }
    return pruned;
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

void projection_tables::dump(std::ostream& out, const id_memory& memory)
{
    SQLite::Statement assets(db_, "SELECT id, views FROM assets ORDER BY id");
    while (assets.executeStep())
        out << "asset " << assets.getColumn(0).getText() << ' ' << assets.getColumn(1).getInt64() << '\n';
    SQLite::Statement users(db_, "SELECT id, views FROM users ORDER BY id");
    while (users.executeStep())
        out << "user " << users.getColumn(0).getText() << ' ' << users.getColumn(1).getInt64() << '\n';
    SQLite::Statement uses(db_, "SELECT sequence, time, id, asset, user, line FROM first_uses ORDER BY sequence, line");
    while (uses.executeStep())
        if (!memory.is_forgotten(uses.getColumn(0).getInt64(), uses.getColumn(1).getInt64()))
            out << "id " << uses.getColumn(2).getText() << ' ' << uses.getColumn(0).getInt64() << ' '
                << uses.getColumn(1).getInt64() << ' ' << uses.getColumn(3).getText() << ' '
                << uses.getColumn(4).getText() << ' ' << uses.getColumn(5).getInt64() << '\n';
    SQLite::Statement batches(db_, "SELECT sequence, time, batch, hex(lines) FROM batches ORDER BY sequence");
    while (batches.executeStep())
        if (!memory.is_forgotten(batches.getColumn(0).getInt64(), batches.getColumn(1).getInt64()))
            out << "batch " << batches.getColumn(2).getText() << ' ' << batches.getColumn(0).getInt64() << ' '
                << batches.getColumn(1).getInt64() << ' ' << batches.getColumn(3).getText() << '\n';
}

} // namespace marquee
