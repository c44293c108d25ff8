#include "services/reporting/projection/taken_ids.hpp"

#include "services/reporting/projection/projection_tables.hpp"
#include "services/reporting/projection/steps.hpp"
#include "services/reporting/projection/write_from.hpp"

#include <limits>
#include <utility>

namespace marquee
{

bool taken_ids::question::repeats(std::uint64_t sequence, std::int64_t taken_at) const noexcept
{
    return marquee::repeats(time, taken_at, window) &&
           !memory.is_forgotten(static_cast<std::int64_t>(sequence), taken_at);
}

void taken_ids::uses::add(taken use)
{
    if (const auto of_batch = parse_batch_event_id(use.id))
        prefixes.emplace(of_batch->batch);
    const auto [found, is_new] = latest.try_emplace(use.id, all.size());
    if (!is_new)
        use.before = std::exchange(found->second, all.size());
    all.push_back(std::move(use));
}

void taken_ids::uses::add(batch_row row)
{
    const auto [found, is_new] = latest_batches.try_emplace(row.batch, batches.size());
    const auto before = is_new ? none : std::exchange(found->second, batches.size());
    batches.push_back({std::move(row), before});
}

bool taken_ids::uses::knows_batch(const std::string& batch) const
{
    return prefixes.contains(batch) || latest_batches.contains(batch);
}

std::optional<first_use> taken_ids::take(std::string_view id, const id_use& use, const id_memory& memory,
                                         std::int64_t window)
{
    open_viewed_.reset();
    if (window == 0) // no event is a duplicate
        return std::nullopt;
    const auto of_batch = parse_batch_event_id(id);
    const bool in_its_line = open_has_lines_ && of_batch && of_batch->line == use.line &&
                             (open_.batch.empty() || open_.batch == of_batch->batch);
    if (in_its_line && open_.batch.empty())
    {
        open_.batch = of_batch->batch;
        open_.sequence = use.sequence;
        open_.time = use.time;
        open_is_new_ = is_new_batch(of_batch->batch);
    }
    if (!in_its_line || !open_is_new_)
        if (auto earlier = find(id, use.time, memory, window))
            return earlier;
    if (in_its_line)
    {
        open_.lines.add(use.line);
        open_viewed_ = use.viewed;
    }
    else
    {
        fresh_.add({std::string(id), {use.asset, use.user, use.sequence, use.line}, use.time, use.viewed});
        open_is_new_ = open_is_new_ && !(of_batch && of_batch->batch == open_.batch); // it may name a later line
    }
    return std::nullopt;
}

void taken_ids::counted(std::uint32_t user, std::uint32_t asset)
{
    if (open_viewed_)
        open_.views.push_back({user, asset, step_of(step_kind::hour, *open_viewed_)});
    open_viewed_.reset();
}

void taken_ids::close_message()
{
    if (!open_.lines.empty())
        fresh_.add(std::move(open_));
    open_ = {};
}

bool taken_ids::is_new_batch(std::string_view batch) const
{
    const std::string key(batch);
    return !fresh_.knows_batch(key) && !frozen_.knows_batch(key) && !tables_->knows_batch(key);
}

std::optional<first_use> taken_ids::find(std::string_view id, std::int64_t time, const id_memory& memory,
                                         std::int64_t window) const
{
    const question q{time, memory, window};
    const auto of_batch = parse_batch_event_id(id);
    if (of_batch && open_.batch == of_batch->batch && open_.lines.has(of_batch->line) &&
        q.repeats(open_.sequence, open_.time))
        return first_use{{}, {}, open_.sequence, of_batch->line};
    for (const auto* in : {&fresh_, &frozen_})
        if (auto found = find_in(*in, id, of_batch, q))
            return found;
    return find_written(id, of_batch, q);
}

std::optional<first_use> taken_ids::find_in(const uses& in, std::string_view id,
                                            const std::optional<batch_event_id>& of_batch, const question& q)
{
    const auto single = in.latest.find(std::string(id));
    for (auto at = single == in.latest.end() ? none : single->second; at != none; at = in.all[at].before)
        if (q.repeats(in.all[at].first.sequence, in.all[at].time))
            return in.all[at].first;
    if (!of_batch)
        return std::nullopt;
    const auto batch = in.latest_batches.find(std::string(of_batch->batch));
    for (auto at = batch == in.latest_batches.end() ? none : batch->second; at != none; at = in.batches[at].before)
    {
        const auto& row = in.batches[at].row;
        if (row.lines.has(of_batch->line) && q.repeats(row.sequence, row.time))
            return first_use{{}, {}, row.sequence, of_batch->line};
    }
    return std::nullopt;
}

std::optional<first_use> taken_ids::find_written(std::string_view id, const std::optional<batch_event_id>& of_batch,
                                                 const question& q) const
{
    constexpr auto end_of_time = std::numeric_limits<std::int64_t>::max();
    const auto latest = q.time > end_of_time - q.window ? end_of_time : q.time + q.window;
    const auto earliest = q.time - q.window;
    std::optional<first_use> found;
    const auto visit = [&](const first_use& use, std::int64_t taken_at)
    {
        if (!q.repeats(use.sequence, taken_at))
            return false;
        found = use;
        return true;
    };
    if (!tables_->any_use(std::string(id), earliest, latest, visit) && of_batch)
        (void)tables_->any_use_in_batch(std::string(of_batch->batch), of_batch->line, earliest, latest, visit);
    return found;
}

void taken_ids::freeze()
{
    close_message();
    frozen_ = std::exchange(fresh_, {});
}

std::size_t taken_ids::write(std::size_t rows)
{
    const auto singles = write_from(rows_written_, frozen_.all, rows,
                                    [this](const taken& use)
                                    {
                                        tables_->take_id(use.id, {use.first.sequence, use.first.line, use.time,
                                                                  use.viewed, use.first.asset, use.first.user});
                                    });
    return singles + write_from(batches_written_, frozen_.batches, rows - singles,
                                [this](const batch_use& use) { tables_->take_batch(use.row); });
}

void taken_ids::written()
{
    frozen_ = {};
    rows_written_ = 0;
    batches_written_ = 0;
}

void taken_ids::clear()
{
    open_ = {};
    fresh_ = {};
    written();
}

} // namespace marquee
