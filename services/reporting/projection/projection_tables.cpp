#include "services/reporting/projection/projection_tables.hpp"

#include "schemas/base32_sha256.hpp"
#include "schemas/event_lines.hpp"
#include "services/reporting/projection/statement_use.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <ostream>

namespace marquee
{
namespace
{

// No id begins with one of these. What is hidden has a mark by its form, so that ids of the other
// form are not looked for among it.
constexpr char hash_mark = '#'; ///< of ids of any form, as earlier versions hid them; and of users
constexpr char single_mark = '$';
constexpr char batch_mark = '@'; ///< of BATCH.LINE, where BATCH alone is a hash

std::string hash_of(const std::string& id) { return hash_mark + base32_sha256(id); }

std::string hidden_batch(std::string_view batch) { return batch_mark + base32_sha256(batch); }

/// The id of a use whose user was erased.
std::string hidden_id(const std::string& id)
{
    if (const auto of_batch = parse_batch_event_id(id))
        return hidden_batch(of_batch->batch) + '.' + std::to_string(of_batch->line);
    return single_mark + base32_sha256(id);
}

} // namespace

projection_tables::projection_tables(SQLite::Database& db)
    : db_(db), counters_(db), steps_(db),
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
      any_erasure_(db, "SELECT EXISTS (SELECT 1 FROM erasures)"),
      erased_at_(db, "SELECT sequence FROM erasures WHERE user = ?")
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
    if (find_use(id, from, to, visit) || (has_any(hash_mark) && find_use(hash_of(id), from, to, visit)))
        return true;
    return has_any(parse_batch_event_id(id) ? batch_mark : single_mark) && find_use(hidden_id(id), from, to, visit);
}

bool projection_tables::find_use(const std::string& id, std::int64_t from, std::int64_t to, const use_visitor& visit)
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
    if (has_any(hash_mark)) // one may be of this batch
        return true;
    return has_batch(batch) || (has_any(batch_mark) && has_batch(hidden_batch(batch)));
}

bool projection_tables::has_batch(const std::string& batch)
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
    take_id_.bind(7, use.viewed);
    take_id_.exec();
    if (auto& greatest = greatest_like(id); id > greatest)
        greatest = id;
}

void projection_tables::take_batch(const batch_row& row)
{
    const auto views = pack_views(row.views, step_of(step_kind::hour, row.time / 1'000'000));
    const use_of guard(take_batch_);
    take_batch_.bind(1, number(row.sequence));
    take_batch_.bind(2, row.time);
    take_batch_.bindNoCopy(3, row.batch);
    take_batch_.bindNoCopy(4, row.lines.bytes().data(), static_cast<int>(row.lines.bytes().size()));
    take_batch_.bindNoCopy(5, views.data(), static_cast<int>(views.size()));
    take_batch_.exec();
}

std::int64_t projection_tables::lower_uses(std::uint64_t last)
{
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
    if (pruned > 0) // the last hash may be gone: then ids need not be looked up twice any more
        for (const auto mark : {hash_mark, single_mark, batch_mark})
            greatest_.at(static_cast<std::size_t>(mark)).reset();
    return pruned;
}

void projection_tables::hide_uses_of(const std::string& user)
{
    std::vector<std::pair<std::int64_t, std::string>> uses;
    {
        SQLite::Statement of_user(db_, "SELECT use, id FROM first_uses WHERE user = ?"); // reads the window's ids
        of_user.bindNoCopy(1, user);
        while (of_user.executeStep())
            uses.emplace_back(of_user.getColumn(0).getInt64(), of_user.getColumn(1).getString());
    }
    SQLite::Statement hide(db_, "UPDATE first_uses SET id = ?, asset = '', user = '', viewed = -1 WHERE use = ?");
    for (const auto& [use, id] : uses)
    {
        const auto hash = hidden_id(id);
        const use_of guard(hide);
        hide.bindNoCopy(1, hash);
        hide.bind(2, use);
        hide.exec();
        if (auto& greatest = greatest_like(hash); hash > greatest)
            greatest = hash;
    }
}

void projection_tables::note_erasure(const std::string& user, std::uint64_t sequence, std::int64_t time,
                                     std::int64_t window)
{
    SQLite::Statement note(db_, "INSERT OR REPLACE INTO erasures (user, sequence, time) VALUES (?, ?, ?)");
    note.bind(1, hash_of(user));
    note.bind(2, number(sequence));
    note.bind(3, time);
    note.exec();
    if (window == 0)
        return;
    SQLite::Statement drop(db_, "DELETE FROM erasures WHERE time <= ?");
    drop.bind(1, time - window);
    drop.exec();
}

std::uint64_t projection_tables::erased_at(const std::string& user)
{
    {
        const use_of guard(any_erasure_); // mostly there is none, and no hash to be made
        if (!any_erasure_.executeStep() || any_erasure_.getColumn(0).getInt() == 0)
            return 0;
    }
    const use_of guard(erased_at_);
    erased_at_.bind(1, hash_of(user));
    return erased_at_.executeStep() ? count_at(erased_at_, 0) : 0;
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
