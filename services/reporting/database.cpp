#include "services/reporting/database.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace marquee
{
namespace
{

constexpr int application = 0x4d717270; // "Mqrp", in the file's header
constexpr int format = 1;

// A WITHOUT ROWID table is its own index: one B-tree a table. `first_uses` is keyed by sequence instead, because a row is appended to it for
// every event and the oldest are pruned: only the index of the ids is hit at random.
constexpr const char* tables = R"sql(
CREATE TABLE assets (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX assets_by_views ON assets (views DESC, id);
CREATE TABLE users (id TEXT PRIMARY KEY, views INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE first_uses (
    sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, asset TEXT NOT NULL, user TEXT NOT NULL);
CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1), dedupe_window INTEGER NOT NULL,
    stream_id TEXT NOT NULL DEFAULT '', last_sequence INTEGER NOT NULL DEFAULT 0, last_timestamp INTEGER NOT NULL DEFAULT 0,
    stream_time INTEGER NOT NULL DEFAULT 0, applied INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0, last_reject_sequence INTEGER NOT NULL DEFAULT 0,
    last_reject_reason TEXT NOT NULL DEFAULT '');
)sql";

int pragma(SQLite::Database& db, const char* name) { return db.execAndGet(std::string("PRAGMA ") + name).getInt(); }

void create_tables(SQLite::Database& db)
{
    SQLite::Transaction transaction(db);
    db.exec(tables);
    db.exec("PRAGMA application_id = " + std::to_string(application));
    db.exec("PRAGMA user_version = " + std::to_string(format));
    transaction.commit();
}

/// A database of an older version has no place for the stream's id.
void add_stream_id(SQLite::Database& db)
{
    const auto* there = "SELECT count(*) FROM pragma_table_info('progress') WHERE name = 'stream_id'";
    if (db.execAndGet(there).getInt() == 0)
        db.exec("ALTER TABLE progress ADD COLUMN stream_id TEXT NOT NULL DEFAULT ''");
}

} // namespace

result<file_lock> file_lock::take(const std::string& path)
{
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(errc::unavailable, "cannot open " + path + ": " + std::strerror(errno));
    file_lock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (errno == EWOULDBLOCK)
        return fail(errc::unavailable, "another process uses this database: " + path + " is locked");
    return fail(errc::unavailable, "cannot lock " + path + ": " + std::strerror(errno));
}

file_lock::file_lock(file_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

file_lock::~file_lock()
{
    if (fd_ >= 0)
        ::close(fd_);
}

result<void> delete_database(const std::string& path)
{
    for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) // the database first: without its log it may be taken for whole
        if (const auto file = path + suffix; ::unlink(file.c_str()) != 0 && errno != ENOENT)
            return fail(errc::unavailable, "cannot delete " + file + ": " + std::strerror(errno));
    return {};
}

SQLite::Database open_database(const std::string& path)
{
    SQLite::Database db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX); // one thread uses it
    db.exec("PRAGMA locking_mode = EXCLUSIVE"); // no other program between our transactions; needs no shared memory
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = NORMAL");       // after a power cut the last transactions may be gone: replayed from the stream
    db.exec("PRAGMA cache_size = -65536");        // KiB
    db.exec("PRAGMA wal_autocheckpoint = 16384"); // pages; a checkpoint writes each changed page once, however often it changed
    const int marked = pragma(db, "application_id");
    const int version = pragma(db, "user_version");
    if (marked == 0 && version == 0 && pragma(db, "schema_version") == 0)
        create_tables(db);
    else if (marked != application || version != format)
        throw SQLite::Exception("not a projection of this version", SQLITE_NOTADB);
    add_stream_id(db);
    SQLite::Transaction probe(db, SQLite::TransactionBehavior::IMMEDIATE); // a file that cannot be written shows itself now
    probe.commit();
    return db;
}

bool is_disk_full(const SQLite::Exception& e) noexcept { return e.getErrorCode() == SQLITE_FULL; }

error database_error(const std::string& path, const SQLite::Exception& e)
{
    const int code = e.getErrorCode();
    const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return fail(errc::unavailable, "database " + path + ": " + e.what() + (damaged ? " (--rebuild is the cure)" : ""));
}

} // namespace marquee
