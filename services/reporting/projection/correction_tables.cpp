#include "services/reporting/projection/correction_tables.hpp"

#include "schemas/event_lines.hpp"
#include "services/reporting/projection/batch_row.hpp"
#include "services/reporting/projection/statement_use.hpp"
#include "services/reporting/projection/steps.hpp"

#include <tuple>

namespace marquee
{
namespace
{

constexpr std::int64_t taken_back = -2; ///< in place of the time of a view

std::int64_t hour_of(std::int64_t viewed) { return viewed < 0 ? -1 : step_of(step_kind::hour, viewed); }

std::int64_t hour_of_message(std::int64_t time) { return step_of(step_kind::hour, time / 1'000'000); }

/// How many lines of the set are before `line`.
std::size_t place_in_set(std::string_view lines, std::size_t line)
{
    std::size_t place = 0;
    for (std::size_t i = 0; i < line; ++i)
        place += line_set::has(lines, i) ? 1 : 0;
    return place;
}

} // namespace

correction_tables::correction_tables(SQLite::Database& db, projection_tables& tables)
    : db_(db), tables_(tables),
      single_(db, "SELECT use, sequence, line, time, asset, user, viewed FROM first_uses WHERE id = ? "
                  "ORDER BY sequence DESC, line DESC"),
      in_batch_(db, "SELECT sequence, time, lines, views FROM batches WHERE batch = ? ORDER BY sequence DESC")
{
}

std::optional<counted_view> correction_tables::find(const std::string& id, const filter& takes)
{
    auto single = find_single(id, takes);
    auto in_batch = find_in_batch(id, takes);
    if (!single || !in_batch)
        return single ? single : in_batch;
    return std::tie(single->sequence, single->line) > std::tie(in_batch->sequence, in_batch->line) ? single : in_batch;
}

std::optional<counted_view> correction_tables::find_single(const std::string& id, const filter& takes)
{
    auto& read = single_;
    const use_of guard(read);
    read.bindNoCopy(1, id);
    while (read.executeStep())
        if (!tables_.erased().hides(read.getColumn(5).getString(), read.getColumn(1).getInt64()) &&
            takes(read.getColumn(1).getInt64(), read.getColumn(3).getInt64()))
            return counted_view{count_at(read, 1),
                                static_cast<std::size_t>(count_at(read, 2)),
                                read.getColumn(4).getString(),
                                read.getColumn(5).getString(),
                                hour_of(read.getColumn(6).getInt64()),
                                read.getColumn(0).getInt64(),
                                0};
    return std::nullopt;
}

std::optional<counted_view> correction_tables::find_in_batch(const std::string& id, const filter& takes)
{
    const auto of_batch = parse_batch_event_id(id);
    if (!of_batch)
        return std::nullopt;
    const std::string batch(of_batch->batch);
    auto& read = in_batch_;
    const use_of guard(read);
    read.bindNoCopy(1, batch);
    while (read.executeStep())
    {
        const auto time = read.getColumn(1).getInt64();
        const auto lines = read.getColumn(2).getString();
        if (!line_set::has(lines, of_batch->line) || !takes(read.getColumn(0).getInt64(), time))
            continue;
        counted_view found;
        found.sequence = count_at(read, 0);
        found.line = of_batch->line;
        found.of_line = place_in_set(lines, of_batch->line);
        const auto views = unpack_views(read.getColumn(3).getString(), hour_of_message(time));
        if (found.of_line >= views.size()) // counted by an older version
            return found;
        const auto& view = views[found.of_line];
        const auto asset = tables_.counters().asset_id(view.asset);
        const auto user = tables_.counters().user_id(view.user); // none: taken back, or erased
        if (!asset || !user)
            return found;
        found.asset = *asset;
        found.user = *user;
        found.hour = view.hour;
        return found;
    }
    return std::nullopt;
}

void correction_tables::take_back(const counted_view& view)
{
    mark(view);
    subtract(view);
}

/// Keeps the use, and that its view is gone.
void correction_tables::mark(const counted_view& view)
{
    if (view.use != 0)
    {
        SQLite::Statement set(db_, "UPDATE first_uses SET viewed = ? WHERE use = ?");
        set.bind(1, taken_back);
        set.bind(2, view.use);
        set.exec();
        return;
    }
    std::string bytes;
    {
        SQLite::Statement read(db_, "SELECT time, views FROM batches WHERE sequence = ?");
        read.bind(1, number(view.sequence));
        if (!read.executeStep())
            return;
        const auto hour = hour_of_message(read.getColumn(0).getInt64());
        auto views = unpack_views(read.getColumn(1).getString(), hour);
        views.at(view.of_line) = {0, 0, hour};
        bytes = pack_views(views, hour);
    }
    SQLite::Statement set(db_, "UPDATE batches SET views = ? WHERE sequence = ?");
    set.bindNoCopy(1, bytes.data(), static_cast<int>(bytes.size()));
    set.bind(2, number(view.sequence));
    set.exec();
}

void correction_tables::subtract(const counted_view& view)
{
    auto& counters = tables_.counters();
    auto asset = counters.load<asset_row>(view.asset);
    auto user = counters.load<user_row>(view.user);
    const auto seen = user.find(asset.number);
    if (seen != user.seen.end() && seen->asset == asset.number && --seen->views == 0)
    {
        user.seen.erase(seen);
        --asset.viewers;
    }
    if (--asset.views == 0)
        counters.remove_asset(asset.number);
    else
        counters.save(view.asset, asset);
    if (--user.views == 0)
        counters.remove_user(user.number);
    else
        counters.save(view.user, user.take_whole());
    tables_.steps().take_back(step_kind::hour, view.hour, asset.number);
    tables_.steps().take_back(step_kind::day, view.hour / 24, asset.number);
}

std::uint64_t correction_tables::erase(const std::string& user, const std::function<void(const std::string&)>& changed)
{
    const auto row = tables_.counters().load<user_row>(user);
    SQLite::Statement leave(db_, "UPDATE assets SET viewers = viewers - 1 WHERE number = ?");
    for (const auto& each : row.seen)
    {
        if (const auto id = tables_.counters().asset_id(each.asset))
            changed(*id);
        const use_of guard(leave);
        leave.bind(1, std::int64_t{each.asset});
        leave.exec();
    }
    if (row.number != 0)
        tables_.counters().remove_user(row.number);
    return row.views;
}

} // namespace marquee
