#include "services/reporting/projection/counter_tables.hpp"

#include "services/reporting/projection/statement_use.hpp"

#include <cstring>
#include <map>
#include <ostream>
#include <sqlite3.h>

namespace marquee
{
namespace
{

std::vector<seen_asset> read_seen(const SQLite::Column& bytes)
{
    const auto size = static_cast<std::size_t>(bytes.getBytes());
    if (size % sizeof(seen_asset) != 0)
        throw SQLite::Exception("what a user has seen makes no sense", SQLITE_CORRUPT);
    std::vector<seen_asset> seen(size / sizeof(seen_asset));
    if (size > 0)
        std::memcpy(seen.data(), bytes.getBlob(), size);
    return seen;
}

/// The list with its recent entries in place of those that it had.
user_row with_recent(user_row row, const std::vector<seen_asset>& recent)
{
    for (const auto& each : recent)
    {
        const auto at = row.find(each.asset);
        if (at != row.seen.end() && at->asset == each.asset)
            *at = each;
        else
            row.seen.insert(at, each);
        row.recent.push_back(each.asset);
    }
    return row;
}

void bind_seen(SQLite::Statement& to, int index, const std::vector<seen_asset>& seen)
{
    const void* bytes = seen.empty() ? static_cast<const void*>("") : seen.data();
    to.bindNoCopy(index, bytes, static_cast<int>(seen.size() * sizeof(seen_asset)));
}

std::uint64_t first_count(SQLite::Statement& statement, const std::string& id)
{
    const use_of guard(statement);
    statement.bindNoCopy(1, id);
    return statement.executeStep() ? count_at(statement, 0) : 0;
}

} // namespace

counter_tables::counter_tables(SQLite::Database& db)
    : db_(db), load_asset_(db, "SELECT number, views, viewers, last FROM assets WHERE id = ?"),
      load_user_(db, "SELECT number, views, last, recent, seen.list FROM users LEFT JOIN seen USING (number) "
                     "WHERE id = ?"),
      asset_views_(db, "SELECT views FROM assets WHERE id = ?"),
      user_views_(db, "SELECT views FROM users WHERE id = ?"),
      save_asset_(db, "INSERT INTO assets (number, id, views, viewers, last) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
                      "(number) DO UPDATE SET views = excluded.views, viewers = excluded.viewers, last = "
                      "excluded.last"),
      save_user_(db, "INSERT INTO users (number, id, views, last, recent) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
                     "(number) DO UPDATE SET views = excluded.views, last = excluded.last, recent = excluded.recent"),
      save_seen_(db, "INSERT OR REPLACE INTO seen (number, list) VALUES (?, ?)"),
      asset_id_(db, "SELECT id FROM assets WHERE number = ?"),
      ids_after_(db, "SELECT id, number FROM assets WHERE id > ? ORDER BY id"),
      top_(db, "SELECT id, views FROM assets ORDER BY views DESC, id LIMIT ?"),
      after_(db, "SELECT id, number, views, viewers, last FROM assets WHERE id > ? ORDER BY id LIMIT ?")
{
}

template <>
asset_row counter_tables::load<asset_row>(const std::string& id)
{
    const use_of guard(load_asset_);
    load_asset_.bindNoCopy(1, id);
    if (!load_asset_.executeStep())
        return {};
    return {number_at(load_asset_, 0), count_at(load_asset_, 1), count_at(load_asset_, 2),
            load_asset_.getColumn(3).getInt64()};
}

template <>
user_row counter_tables::load<user_row>(const std::string& id)
{
    const use_of guard(load_user_);
    load_user_.bindNoCopy(1, id);
    if (!load_user_.executeStep())
        return {};
    user_row row{number_at(load_user_, 0),
                 count_at(load_user_, 1),
                 load_user_.getColumn(2).getInt64(),
                 read_seen(load_user_.getColumn(4)),
                 {}};
    return with_recent(std::move(row), read_seen(load_user_.getColumn(3)));
}

template <>
std::uint64_t counter_tables::views<asset_row>(const std::string& id)
{
    return first_count(asset_views_, id);
}

template <>
std::uint64_t counter_tables::views<user_row>(const std::string& id)
{
    return first_count(user_views_, id);
}

void counter_tables::save(const std::string& id, const asset_row& row)
{
    const use_of guard(save_asset_);
    save_asset_.bind(1, std::int64_t{row.number});
    save_asset_.bindNoCopy(2, id);
    save_asset_.bind(3, number(row.views));
    save_asset_.bind(4, number(row.viewers));
    save_asset_.bind(5, row.last);
    save_asset_.exec();
}

void counter_tables::save(const std::string& id, const user_snapshot& row)
{
    {
        const use_of guard(save_user_);
        save_user_.bind(1, std::int64_t{row.number});
        save_user_.bindNoCopy(2, id);
        save_user_.bind(3, number(row.views));
        save_user_.bind(4, row.last);
        bind_seen(save_user_, 5, row.recent);
        save_user_.exec();
    }
    if (!row.whole)
        return;
    const use_of guard(save_seen_);
    save_seen_.bind(1, std::int64_t{row.number});
    bind_seen(save_seen_, 2, row.seen);
    save_seen_.exec();
}

void counter_tables::remove_asset(std::uint32_t number)
{
    db_.exec("DELETE FROM assets WHERE number = " + std::to_string(number));
}

void counter_tables::remove_user(std::uint32_t number)
{
    for (const std::string table : {"users", "seen"})
        db_.exec("DELETE FROM " + table + " WHERE number = " + std::to_string(number));
}

std::optional<std::string> counter_tables::asset_id(std::uint32_t number)
{
    const use_of guard(asset_id_);
    asset_id_.bind(1, std::int64_t{number});
    return asset_id_.executeStep() ? std::optional(asset_id_.getColumn(0).getString()) : std::nullopt;
}

void counter_tables::each_id_after(const std::string& after,
                                   const std::function<bool(std::string_view, std::uint32_t)>& visit)
{
    const use_of guard(ids_after_);
    ids_after_.bindNoCopy(1, after);
    while (ids_after_.executeStep())
    {
        const auto id = ids_after_.getColumn(0);
        if (!visit({id.getText(), static_cast<std::size_t>(id.getBytes())}, number_at(ids_after_, 1)))
            return;
    }
}

std::optional<std::string> counter_tables::user_id(std::uint32_t number)
{
    SQLite::Statement read(db_, "SELECT id FROM users WHERE number = ?");
    read.bind(1, std::int64_t{number});
    return read.executeStep() ? std::optional(read.getColumn(0).getString()) : std::nullopt;
}

std::vector<views_reply> counter_tables::top(std::size_t limit)
{
    const use_of guard(top_);
    top_.bind(1, number(limit));
    std::vector<views_reply> found;
    while (top_.executeStep())
        found.push_back({top_.getColumn(0).getString(), count_at(top_, 1)});
    return found;
}

std::vector<std::pair<std::string, asset_row>> counter_tables::assets_after(const std::string& after, std::size_t limit)
{
    const use_of guard(after_);
    after_.bindNoCopy(1, after);
    after_.bind(2, number(limit));
    std::vector<std::pair<std::string, asset_row>> found;
    while (after_.executeStep())
        found.emplace_back(
            after_.getColumn(0).getString(),
            asset_row{number_at(after_, 1), count_at(after_, 2), count_at(after_, 3), after_.getColumn(4).getInt64()});
    return found;
}

bool counter_tables::sums_match(std::uint64_t assets, std::uint64_t users)
{
    const auto of_assets = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM assets").getInt64();
    const auto of_users = db_.execAndGet("SELECT coalesce(sum(views), 0) FROM users").getInt64();
    return of_assets == number(assets) && of_users == number(users);
}

void counter_tables::dump(std::ostream& out)
{
    std::map<std::uint32_t, std::string> names;
    SQLite::Statement assets(db_, "SELECT id, views, viewers, last, number FROM assets ORDER BY id");
    while (assets.executeStep())
    {
        out << "asset " << assets.getColumn(0).getText() << ' ' << assets.getColumn(1).getInt64() << ' '
            << assets.getColumn(2).getInt64() << ' ' << assets.getColumn(3).getInt64() << '\n';
        names[number_at(assets, 4)] = assets.getColumn(0).getString();
    }
    SQLite::Statement users(db_, "SELECT id, views, last FROM users ORDER BY id");
    while (users.executeStep())
    {
        const auto user = users.getColumn(0).getString();
        out << "user " << user << ' ' << users.getColumn(1).getInt64() << ' ' << users.getColumn(2).getInt64() << '\n';
        std::map<std::string, seen_asset> seen;
        for (const auto& each : load<user_row>(user).seen)
            seen[names[each.asset]] = each;
        for (const auto& [id, of] : seen)
            out << "seen " << user << ' ' << id << ' ' << of.views << ' ' << of.last << '\n';
    }
}

} // namespace marquee
