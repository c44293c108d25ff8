#include "services/reporting/projection/projection_tables.hpp"

#include "services/reporting/projection/statement_use.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <ostream>

namespace marquee
{
namespace
{

constexpr std::size_t everything = std::size_t{1} << 40U; ///< rows

} // namespace

projection_tables::projection_tables(SQLite::Database& db)
    : db_(db), counters_(db), steps_(db), erased_(db),
      save_(db,
            "UPDATE progress SET stream_id = ?, last_sequence = ?, last_timestamp = ?, messages = ?, forgotten = ?, "
            "applied = ?, "
            "duplicates = ?, rejected = ?, last_reject_sequence = ?, last_reject_reason = ?, rebuilt = ?, skipped = ?, "
            "retracted = ?, erased = ?, next_asset = ?, next_user = ?"),
      save_block_(db, "INSERT OR REPLACE INTO last_times (block, times) VALUES (?, ?)"),
      last_like_(db, "SELECT id FROM first_uses WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1"),
      near_(db, "SELECT sequence, line, time, asset, user FROM first_uses WHERE id = ? AND time > ? AND time < ? "
                "ORDER BY sequence DESC, line DESC"),
      near_batch_(
          db,
          "SELECT sequence, time, lines FROM batches WHERE batch = ? AND time > ? AND time < ? ORDER BY sequence DESC"),
      knows_batch_(db, "SELECT EXISTS (SELECT 1 FROM batches WHERE batch = ?1) OR "
                       "EXISTS (SELECT 1 FROM first_uses WHERE id > ?1 || '.' AND id < ?1 || '/')"),
      take_id_(db,
               "INSERT INTO first_uses (sequence, line, time, id, asset, user, viewed) VALUES (?, ?, ?, ?, ?, ?, ?)"),
      take_batch_(db, "INSERT INTO batches (sequence, time, batch, lines, views) VALUES (?, ?, ?, ?, ?)"),
      oldest_(db, "SELECT min(a, b) FROM (SELECT coalesce((SELECT time FROM first_uses ORDER BY time LIMIT 1), "
                  "9223372036854775807) AS a, coalesce((SELECT time FROM batches ORDER BY time LIMIT 1), "
                  "9223372036854775807) AS b)"),
      prune_(db, "DELETE FROM first_uses WHERE use IN "
                 "(SELECT use FROM first_uses WHERE time <= ?1 AND sequence <= ?2 ORDER BY time LIMIT ?3)"),
      prune_batches_(db, "DELETE FROM batches WHERE sequence IN "
                         "(SELECT sequence FROM batches WHERE time <= ?1 AND sequence <= ?2 ORDER BY time LIMIT ?3)"),
      hide_(db, "UPDATE first_uses SET id = ?, asset = '', user = '', viewed = -1 WHERE use = ?")
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
             "last_reject_sequence, last_reject_reason, rebuilt, skipped, rule_since, rule, dedupe_window, retracted, "
             "erased, next_asset, next_user "
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
    into.retracted = count_at(read, 15);
    into.erased = count_at(read, 16);
    into.next_asset = number_at(read, 17);
    into.next_user = number_at(read, 18);
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
    save_.bind(13, number(p.retracted));
    save_.bind(14, number(p.erased));
    save_.bind(15, std::int64_t{p.next_asset});
    save_.bind(16, std::int64_t{p.next_user});
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

std::int64_t projection_tables::lower_uses(std::uint64_t last)
{
    while (erased_.has_hidings()) // which uses are to be hidden is told by the sequences that they have now
    {
        const auto part = erased_.next_part(everything);
        hide(part);
        erased_.save_part(part);
        erased_.forget_part(part);
    }
    db_.exec("UPDATE erasures SET sequence = min(sequence, " + std::to_string(last) + ")");
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

void projection_tables::dump(std::ostream& out, const id_memory& memory)
{
    counters_.dump(out);
    steps_.dump(out);
    SQLite::Statement uses(
        db_, "SELECT sequence, time, id, asset, user, line, viewed FROM first_uses ORDER BY sequence, line");
    while (uses.executeStep())
        if (!memory.is_forgotten(uses.getColumn(0).getInt64(), uses.getColumn(1).getInt64()))
            out << "id " << uses.getColumn(2).getText() << ' ' << uses.getColumn(0).getInt64() << ' '
                << uses.getColumn(1).getInt64() << ' ' << uses.getColumn(3).getText() << ' '
                << uses.getColumn(4).getText() << ' ' << uses.getColumn(5).getInt64() << ' '
                << uses.getColumn(6).getInt64() << '\n';
    SQLite::Statement erasures(db_, "SELECT user, sequence, time FROM erasures ORDER BY sequence");
    while (erasures.executeStep())
        out << "erasure " << erasures.getColumn(0).getText() << ' ' << erasures.getColumn(1).getInt64() << ' '
            << erasures.getColumn(2).getInt64() << '\n';
    SQLite::Statement batches(db_,
                              "SELECT sequence, time, batch, hex(lines), hex(views) FROM batches ORDER BY sequence");
    while (batches.executeStep())
        if (!memory.is_forgotten(batches.getColumn(0).getInt64(), batches.getColumn(1).getInt64()))
            out << "batch " << batches.getColumn(2).getText() << ' ' << batches.getColumn(0).getInt64() << ' '
                << batches.getColumn(1).getInt64() << ' ' << batches.getColumn(3).getText() << ' '
                << batches.getColumn(4).getText() << '\n';
}

} // namespace marquee
