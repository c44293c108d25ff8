#include "services/reporting/projection/paired_log.hpp"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <array>
#include <filesystem>
#include <random>
#include <system_error>

namespace marquee
{

const char* const pairing_table =
    "CREATE TABLE pairing (one INTEGER PRIMARY KEY CHECK (one = 1), token INTEGER NOT NULL, base INTEGER NOT NULL);";

namespace
{

constexpr int checkpoint_pages = 16384; // a checkpoint writes each changed page once, however often it changed

struct pairing
{
    std::int64_t token = 0;
    std::int64_t base = 0;
};

std::int64_t new_token()
{
    std::random_device random;
    return static_cast<std::int64_t>((std::uint64_t{random()} << 31U | random()) & 0x7fff'ffff'ffff'ffffU) | 1;
}

/// None in a database of an older format.
std::optional<pairing> read_pairing(SQLite::Database& db)
{
    if (!db.tableExists("pairing"))
        return std::nullopt;
    SQLite::Statement read(db, "SELECT token, base FROM pairing");
    if (!read.executeStep())
        return std::nullopt;
    return pairing{read.getColumn(0).getInt64(), read.getColumn(1).getInt64()};
}

std::string as_uri(const std::string& path)
{
    constexpr std::string_view plain = "/-_.~";
    std::string out = "file:";
    for (const char c : path)
    {
        if ((std::isalnum(static_cast<unsigned char>(c)) != 0) || plain.find(c) != std::string_view::npos)
            out += c;
        else
        {
            std::array<char, 4> hex{};
            std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned char>(c));
            out += hex.data();
        }
    }
    return out + "?immutable=1";
}

} // namespace

std::optional<std::int64_t> token_without_log(const std::string& path)
{
    std::error_code ec;
    if (const auto size = std::filesystem::file_size(path, ec); ec || size == 0)
        return std::nullopt;
    try
    {
        SQLite::Database alone(as_uri(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI);
        const auto found = read_pairing(alone);
        return found ? found->token : 0;
    }
    catch (const SQLite::Exception&)
    {
        return std::nullopt; // opening it with its log gives the reason
    }
}

bool has_log(const std::string& path)
{
    std::error_code ec;
    const auto size = std::filesystem::file_size(path + "-wal", ec);
    return !ec && size > 0;
}

bool is_paired(SQLite::Database& db, std::int64_t token)
{
    const auto both = read_pairing(db);
    return both ? token == both->base || token == both->token : token == 0;
}

void set_own_token(SQLite::Database& copy)
{
    copy.exec("UPDATE pairing SET base = token, token = " + std::to_string(new_token()));
}

paired_log::paired_log(SQLite::Database& db) : db_(db)
{
    const auto found = read_pairing(db);
    if (!found)
        db.exec("INSERT OR REPLACE INTO pairing (one, token, base) VALUES (1, " + std::to_string(new_token()) + ", 0)");
    token_is_new_ = !found || found->token != found->base;
    sqlite3_wal_hook(
        db.getHandle(),
        [](void* self, sqlite3*, const char*, int pages)
        {
            static_cast<paired_log*>(self)->pages_ = pages;
            return SQLITE_OK;
        },
        this);
    (void)checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

paired_log::~paired_log() { sqlite3_wal_hook(db_.getHandle(), nullptr, nullptr); }

void paired_log::writing()
{
    if (at_start_)
        db_.exec("UPDATE pairing SET base = token");
}

void paired_log::written() noexcept
{
    at_start_ = false;
    if (pages_ < checkpoint_pages)
        return;
    try
    {
        (void)checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    }
    catch (const SQLite::Exception&) // no disk space: the log grows on
    {
    }
}

bool paired_log::empty() noexcept
{
    try
    {
        return checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
    }
    catch (const SQLite::Exception&)
    {
        return false;
    }
}

/// True where the database has all of the log.
bool paired_log::checkpoint(int mode)
{
    if (!token_is_new_ && !at_start_)
    {
        db_.exec("UPDATE pairing SET token = " + std::to_string(new_token()));
        token_is_new_ = true;
    }
    int in_log = 0;
    int done = 0;
    const int code = sqlite3_wal_checkpoint_v2(db_.getHandle(), nullptr, mode, &in_log, &done);
    if (code == SQLITE_BUSY)
        return false;
    if (code != SQLITE_OK)
        throw SQLite::Exception(db_.getHandle(), code);
    if (in_log != done)
        return false;
    at_start_ = true;
    token_is_new_ = false;
    pages_ = 0;
    return true;
}

} // namespace marquee
