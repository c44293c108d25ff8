#include "services/reporting/projection/database.hpp"

#include "services/reporting/projection/paired_log.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <optional>

namespace marquee
{
namespace
{

constexpr int application = 0x4d717270; // "Mqrp", in the file's header
constexpr int format = 4;

// Rows are appended to `first_uses`
// and `batches` in the order of the stream and the oldest are deleted, so that only the indexes of
// the ids are written at random places.
constexpr const char* counters = R"sql(
CREATE TABLE assets (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, views INTEGER NOT NULL, viewers INTEGER NOT NULL DEFAULT 0,
    last INTEGER NOT NULL DEFAULT -1);
CREATE INDEX assets_by_views ON assets (views DESC, id);
CREATE TABLE users (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, views INTEGER NOT NULL, last INTEGER NOT NULL DEFAULT -1,
    recent BLOB NOT NULL DEFAULT x'');
CREATE TABLE seen (number INTEGER PRIMARY KEY, list BLOB NOT NULL);
)sql";
constexpr const char* steps = R"sql(
CREATE TABLE hours (place INTEGER PRIMARY KEY, views INTEGER NOT NULL, counts BLOB NOT NULL);
CREATE TABLE days (place INTEGER PRIMARY KEY, views INTEGER NOT NULL, counts BLOB NOT NULL);
)sql";
constexpr const char* uses = R"sql(
CREATE TABLE first_uses (
    use INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL, id TEXT NOT NULL,
    asset TEXT NOT NULL, user TEXT NOT NULL, viewed INTEGER NOT NULL DEFAULT -1);
CREATE TABLE batches (
    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, batch TEXT NOT NULL, lines BLOB NOT NULL,
    views BLOB NOT NULL DEFAULT x'');
)sql";
constexpr const char* indexes_of_uses = R"sql(
CREATE INDEX uses_by_id ON first_uses (id, time);
CREATE INDEX uses_by_time ON first_uses (time);
CREATE INDEX batches_by_id ON batches (batch, time);
CREATE INDEX batches_by_time ON batches (time);
)sql";
constexpr const char* last_times = R"sql(
CREATE TABLE last_times (block INTEGER PRIMARY KEY, times BLOB NOT NULL);
)sql";
/// In every database: those of this format had none at first.
constexpr const char* erasures = R"sql(
CREATE TABLE IF NOT EXISTS erasures (
    user TEXT PRIMARY KEY, sequence INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hidings (
    number INTEGER PRIMARY KEY, user TEXT NOT NULL, sequence INTEGER NOT NULL, last INTEGER NOT NULL);
)sql";
constexpr const char* progress = R"sql(
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), dedupe_window INTEGER NOT NULL, rule INTEGER NOT NULL DEFAULT 1,
    rule_since INTEGER NOT NULL DEFAULT 0, rebuilt INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0,
    stream_id TEXT NOT NULL DEFAULT '', last_sequence INTEGER NOT NULL DEFAULT 0,
    last_timestamp INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0, forgotten BLOB NOT NULL DEFAULT x'', applied INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
    last_reject_sequence INTEGER NOT NULL DEFAULT 0, last_reject_reason TEXT NOT NULL DEFAULT '',
    retracted INTEGER NOT NULL DEFAULT 0, erased INTEGER NOT NULL DEFAULT 0,
    next_asset INTEGER NOT NULL DEFAULT 1, next_user INTEGER NOT NULL DEFAULT 1);
)sql";

constexpr const char* not_a_pair =
    "the file and its log FILE-wal do not belong together: one of them was put back from a backup. A backup made by "
    "--backup needs no log: delete FILE-wal and FILE-shm, and what the backup lacks is counted from the stream; or "
    "count all of it anew (--rebuild)";

int pragma(SQLite::Database& db, const char* name) { return db.execAndGet(std::string("PRAGMA ") + name).getInt(); }

void set_format(SQLite::Database& db) { db.exec("PRAGMA user_version = " + std::to_string(format)); }

void create_tables(SQLite::Database& db)
{
    SQLite::Transaction transaction(db);
    for (const auto* part : {counters, steps, uses, indexes_of_uses, last_times, progress, pairing_table})
        db.exec(part);
    db.exec("PRAGMA application_id = " + std::to_string(application));
    set_format(db);
    transaction.commit();
}

void add_column(SQLite::Database& db, const std::string& table, const std::string& name, const std::string& type)
{
    const auto there = "SELECT count(*) FROM pragma_table_info('" + table + "') WHERE name = '" + name + "'";
    if (db.execAndGet(there).getInt() == 0)
        db.exec("ALTER TABLE " + table + " ADD COLUMN " + name + " " + type);
}

/// From formats 1 to 3, which had counts by id alone.
void add_numbers(SQLite::Database& db)
{
    db.exec("DROP INDEX assets_by_views");
    for (const auto* table : {"assets", "users"})
        db.exec(std::string("ALTER TABLE ") + table + " RENAME TO older_" + table);
    db.exec(counters);
    db.exec(steps);
    for (const std::string table : {"asset", "user"})
    {
        db.exec("INSERT INTO " + table + "s (id, views) SELECT id, views FROM older_" + table + "s ORDER BY id");
        db.exec("DROP TABLE older_" + table + "s");
        add_column(db, "progress", "next_" + table, "INTEGER NOT NULL DEFAULT 1");
        db.exec("UPDATE progress SET next_" + table + " = (SELECT coalesce(max(number), 0) + 1 FROM " + table + "s)");
    }
    add_column(db, "progress", "retracted", "INTEGER NOT NULL DEFAULT 0");
    add_column(db, "progress", "erased", "INTEGER NOT NULL DEFAULT 0");
    add_column(db, "first_uses", "viewed", "INTEGER NOT NULL DEFAULT -1");
    add_column(db, "batches", "views", "BLOB NOT NULL DEFAULT x''");
}

/// From formats 1 and 2, which took a message for one event: a row for each sequence.
void add_lines_to_uses(SQLite::Database& db)
{
    db.exec("ALTER TABLE first_uses RENAME TO older_uses");
    db.exec(uses);
    db.exec("INSERT INTO first_uses (sequence, line, time, id, asset, user) "
            "SELECT sequence, 0, time, id, asset, user FROM older_uses ORDER BY sequence");
    db.exec("DROP TABLE older_uses");
    db.exec(indexes_of_uses);
}

/// Format 1 was counted by version 1 of the rule: one row per id, with the latest timestamp so far
/// in place of the message's own.
void upgrade(SQLite::Database& db, int from)
{
    SQLite::Transaction transaction(db);
    if (from < 3)
        add_lines_to_uses(db);
    add_numbers(db);
    if (from == 1)
    {
        db.exec(last_times);
        for (const auto* number : {"rule_since", "rebuilt", "skipped", "messages"})
            add_column(db, "progress", number, "INTEGER NOT NULL DEFAULT 0");
        add_column(db, "progress", "rule", "INTEGER NOT NULL DEFAULT 1");
        add_column(db, "progress", "stream_id", "TEXT NOT NULL DEFAULT ''");
        add_column(db, "progress", "forgotten", "BLOB NOT NULL DEFAULT x''");
        db.exec(pairing_table);
    }
    set_format(db);
    transaction.commit();
}

/// Closing moves the log into the database, which only a pair may do.
void checkpoint_on_close(SQLite::Database& db, bool yes)
{
    sqlite3_db_config(db.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

/// Throws where the log does not belong to the file. `token`: of the file without its log; none
/// where that cannot be read. Pages of two files together may be corrupt.
void require_pair(SQLite::Database& db, std::optional<std::int64_t> token)
{
    bool paired = false;
    try
    {
        db.exec("PRAGMA journal_mode = WAL");
        paired = !token || is_paired(db, *token);
    }
    catch (const SQLite::Exception& e)
    {
        if (!token || e.getErrorCode() != SQLITE_CORRUPT)
            throw;
    }
    if (!paired)
        throw SQLite::Exception(not_a_pair, SQLITE_MISMATCH);
}

} // namespace

SQLite::Database open_database(const std::string& path)
{
    const auto token = has_log(path) ? token_without_log(path) : std::nullopt;
    SQLite::Database db(path,
                        SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX); // one thread uses it
    checkpoint_on_close(db, false);
    db.setBusyTimeout(2000); // for a backup's reader, or a process just killed
    require_pair(db, token);
    db.exec(
        "PRAGMA synchronous = NORMAL"); // after a power cut the last transactions may be gone: replayed from the stream
    db.exec("PRAGMA secure_delete = ON");     // what is deleted or replaced is overwritten: erased users
    db.exec("PRAGMA cache_size = -65536");    // KiB
    db.exec("PRAGMA wal_autocheckpoint = 0"); // paired_log makes them
    const int marked = pragma(db, "application_id");
    const int version = pragma(db, "user_version");
    if (marked == 0 && version == 0 && pragma(db, "schema_version") == 0)
        create_tables(db);
    else if (marked == application && version >= 1 && version < format)
        upgrade(db, version);
    else if (marked != application || version != format)
        throw SQLite::Exception("not a projection of this version", SQLITE_NOTADB);
    SQLite::Transaction probe(db,
                              SQLite::TransactionBehavior::IMMEDIATE); // a file that cannot be written shows itself now
    db.exec(erasures);
    probe.commit();
    checkpoint_on_close(db, true);
    return db;
}

bool is_disk_full(const SQLite::Exception& e) noexcept
{
    return e.getErrorCode() == SQLITE_FULL || e.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE; // of the log's index
}

error database_error(const std::string& path, const SQLite::Exception& e)
{
    const int code = e.getErrorCode();
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return fail(errc::unavailable, "database " + path + ": " + e.what() + (damaged ? " (--rebuild is the cure)" : ""));
}

} // namespace marquee
