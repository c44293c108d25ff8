// The tables of assets and of users. Private to this room.
#pragma once

#include "schemas/view_messages.hpp"
#include "services/reporting/projection/counter_rows.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// As projection_tables. What a user has seen is a list in table `seen`, which is written seldom,
/// and in the user's row the entries that have changed since.
class counter_tables
{
public:
    explicit counter_tables(SQLite::Database& db);

    /// The row of an id; one with number 0 where there is none.
    template <class Row>
    [[nodiscard]] Row load(const std::string& id);

    /// 0 where there is none.
    template <class Row>
    [[nodiscard]] std::uint64_t views(const std::string& id);

    /// Adds a row, or replaces the one of its number.
    void save(const std::string& id, const asset_row& row);
    void save(const std::string& id, const user_snapshot& row);

    void remove_asset(std::uint32_t number);
    void remove_user(std::uint32_t number);

    /// None where there is none.
    [[nodiscard]] std::optional<std::string> asset_id(std::uint32_t number);
    [[nodiscard]] std::optional<std::string> user_id(std::uint32_t number);

    /// Calls `visit(id, number)` with the assets whose ids follow `after`, in byte order, while it
    /// returns true.
    void each_id_after(const std::string& after, const std::function<bool(std::string_view, std::uint32_t)>& visit);

    /// The most viewed assets, most first; equal ones in byte order of their ids.
    [[nodiscard]] std::vector<views_reply> top(std::size_t limit);

    /// The assets whose ids follow `after`, in byte order.
    [[nodiscard]] std::vector<std::pair<std::string, asset_row>> assets_after(const std::string& after,
                                                                              std::size_t limit);

    /// True where the views of all assets, and those of all users, add up to these.
    [[nodiscard]] bool sums_match(std::uint64_t assets, std::uint64_t users);

    /// In the order of the ids.
    void dump(std::ostream& out);

private:
    SQLite::Database& db_;
    SQLite::Statement load_asset_;
    SQLite::Statement load_user_;
    SQLite::Statement asset_views_;
    SQLite::Statement user_views_;
    SQLite::Statement save_asset_;
    SQLite::Statement save_user_;
    SQLite::Statement save_seen_;
    SQLite::Statement asset_id_;
    SQLite::Statement ids_after_;
    SQLite::Statement top_;
    SQLite::Statement after_;
};

template <>
asset_row counter_tables::load<asset_row>(const std::string& id);
template <>
user_row counter_tables::load<user_row>(const std::string& id);
template <>
std::uint64_t counter_tables::views<asset_row>(const std::string& id);
template <>
std::uint64_t counter_tables::views<user_row>(const std::string& id);

} // namespace marquee
