#include "services/reporting/projection/step_tables.hpp"

#include "services/reporting/projection/statement_use.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <ostream>
#include <sqlite3.h>

namespace marquee
{
namespace
{

constexpr std::uint32_t assets_a_part = 1024;
constexpr std::int64_t parts = std::int64_t{1} << 24; ///< of a step; part 0 is the views of all assets

std::int64_t part_of(std::uint32_t asset) { return 1 + asset / assets_a_part; }

std::int64_t place_of(std::int64_t step, std::int64_t part) { return step * parts + part; }

bool by_asset(const step_views& one, const step_views& other) { return one.asset < other.asset; }

/// The column, valid until the statement is reset, or, where SQLite's memory is not aligned for it,
/// in `copy`.
std::span<const step_views> counts_at(SQLite::Statement& row, int column, std::vector<step_views>& copy)
{
    const auto bytes = row.getColumn(column);
    const auto size = static_cast<std::size_t>(bytes.getBytes());
    const auto* at = bytes.getBlob();
    if (size % sizeof(step_views) != 0)
        throw SQLite::Exception("the views of a step make no sense", SQLITE_CORRUPT);
    if (reinterpret_cast<std::uintptr_t>(at) % alignof(step_views) == 0)
        return {static_cast<const step_views*>(at), size / sizeof(step_views)};
    copy.resize(size / sizeof(step_views));
    std::memcpy(copy.data(), at, size);
    return copy;
}

} // namespace

step_tables::statements::statements(SQLite::Database& db, const std::string& table)
    : total(db, "SELECT views FROM " + table + " WHERE place = ?"),
      read(db, "SELECT counts FROM " + table + " WHERE place = ?"),
      scan(db, "SELECT counts FROM " + table + " WHERE place > ? AND place < ?"),
      save(db, "INSERT INTO " + table + " (place, views, counts) VALUES (?, ?, ?) ON CONFLICT (place) DO UPDATE SET " +
                   "views = excluded.views, counts = excluded.counts"),
      remove(db, "DELETE FROM " + table + " WHERE place = ?")
{
}

step_tables::step_tables(SQLite::Database& db) : db_(db), of_{statements(db, "hours"), statements(db, "days")} {}

std::size_t step_tables::add(step_kind kind, std::int64_t step, std::span<const step_views> views)
{
    auto& of = of_.at(static_cast<std::size_t>(kind));
    auto total = this->views(kind, step);
    std::size_t rows = 1;
    while (!views.empty())
    {
        const auto part = part_of(views.front().asset);
        const auto end = std::find_if(views.begin(), views.end(),
                                      [part](const step_views& each) { return part_of(each.asset) != part; });
        const auto count = static_cast<std::size_t>(end - views.begin());
        for (const auto& each : views.first(count))
            total += each.views;
        add_part(of, place_of(step, part), views.first(count));
        views = views.subspan(count);
        ++rows;
    }
    save(of, place_of(step, 0), total, {});
    return rows;
}

void step_tables::add_part(statements& of, std::int64_t place, std::span<const step_views> views)
{
    merged_.clear();
    std::uint64_t total = 0;
    {
        const use_of guard(of.read);
        of.read.bind(1, place);
        std::span<const step_views> present;
        if (of.read.executeStep())
            present = counts_at(of.read, 0, copy_);
        merged_.reserve(present.size() + views.size());
        std::merge(present.begin(), present.end(), views.begin(), views.end(), std::back_inserter(merged_), by_asset);
    }
    std::size_t kept = 0;
    for (const auto& each : merged_)
    {
        total += each.views;
        if (kept > 0 && merged_[kept - 1].asset == each.asset)
            merged_[kept - 1].views += each.views;
        else
            merged_[kept++] = each;
    }
    merged_.resize(kept);
    save(of, place, total, merged_);
}

void step_tables::save(statements& of, std::int64_t place, std::uint64_t views, std::span<const step_views> counts)
{
    const use_of guard(of.save);
    of.save.bind(1, place);
    of.save.bind(2, number(views));
    const void* bytes = counts.empty() ? static_cast<const void*>("") : counts.data();
    of.save.bindNoCopy(3, bytes, static_cast<int>(counts.size_bytes()));
    of.save.exec();
}

void step_tables::take_back(step_kind kind, std::int64_t step, std::uint32_t asset)
{
    auto& of = of_.at(static_cast<std::size_t>(kind));
    const auto place = place_of(step, part_of(asset));
    {
        const use_of guard(of.read);
        of.read.bind(1, place);
        if (!of.read.executeStep())
            return;
        const auto present = counts_at(of.read, 0, copy_);
        merged_.assign(present.begin(), present.end());
    }
    const auto found = std::lower_bound(merged_.begin(), merged_.end(), step_views{asset, 0}, by_asset);
    if (found == merged_.end() || found->asset != asset)
        return;
    if (--found->views == 0)
        merged_.erase(found);
    std::uint64_t total = 0;
    for (const auto& each : merged_)
        total += each.views;
    const auto rest = views(kind, step) - 1;
    for (const auto& [where, left] : {std::pair(place, total), std::pair(place_of(step, 0), rest)})
    {
        if (left > 0)
        {
            save(of, where, left,
                 where == place ? std::span<const step_views>(merged_) : std::span<const step_views>());
            continue;
        }
        const use_of guard(of.remove);
        of.remove.bind(1, where);
        of.remove.exec();
    }
}

std::uint64_t step_tables::views(step_kind kind, std::int64_t step)
{
    auto& of = of_.at(static_cast<std::size_t>(kind));
    const use_of guard(of.total);
    of.total.bind(1, place_of(step, 0));
    return of.total.executeStep() ? count_at(of.total, 0) : 0;
}

std::uint64_t step_tables::views(step_kind kind, std::int64_t step, std::uint32_t asset)
{
    auto& of = of_.at(static_cast<std::size_t>(kind));
    const use_of guard(of.read);
    of.read.bind(1, place_of(step, part_of(asset)));
    if (!of.read.executeStep())
        return 0;
    const auto all = counts_at(of.read, 0, copy_);
    const auto found = std::lower_bound(all.begin(), all.end(), step_views{asset, 0}, by_asset);
    return found != all.end() && found->asset == asset ? found->views : 0;
}

void step_tables::each(step_kind kind, std::int64_t step, const visitor& visit)
{
    auto& of = of_.at(static_cast<std::size_t>(kind));
    const use_of guard(of.scan);
    of.scan.bind(1, place_of(step, 0));
    of.scan.bind(2, place_of(step + 1, 0));
    while (of.scan.executeStep())
        visit(counts_at(of.scan, 0, copy_));
}

void step_tables::dump(std::ostream& out)
{
    std::map<std::uint32_t, std::string> names;
    SQLite::Statement assets(db_, "SELECT number, id FROM assets");
    while (assets.executeStep())
        names[number_at(assets, 0)] = assets.getColumn(1).getString();
    for (const auto* table : {"hours", "days"})
    {
        SQLite::Statement rows(db_, std::string("SELECT place, views, counts FROM ") + table + " ORDER BY place");
        std::map<std::string, std::uint32_t> of_step;
        std::int64_t step = -1;
        const auto write = [&]
        {
            for (const auto& [id, views] : of_step)
                out << table << ' ' << step << ' ' << id << ' ' << views << '\n';
            of_step.clear();
        };
        while (rows.executeStep())
        {
            const auto place = rows.getColumn(0).getInt64();
            if (place / parts != step)
                write();
            step = place / parts;
            if (place % parts == 0)
                out << table << ' ' << step << ' ' << rows.getColumn(1).getInt64() << '\n';
            for (const auto& each : counts_at(rows, 2, copy_))
                of_step[names[each.asset]] = each.views;
        }
        write();
    }
}

} // namespace marquee
