#include "services/reporting/projection/staged_steps.hpp"

#include "services/reporting/projection/step_tables.hpp"

#include <algorithm>

namespace marquee
{

template <class Visit>
void staged_steps::each_staged(const step_range& steps, Visit visit) const
{
    const auto& frozen = frozen_.at(static_cast<std::size_t>(steps.kind));
    for (auto i = frozen.written; i < frozen.all.size(); ++i)
        if (const auto step = step_in(frozen.all[i].key); steps.has(step))
            visit(step, asset_in(frozen.all[i].key), frozen.all[i].views);
    const std::int64_t hours = steps.kind == step_kind::hour ? 1 : 24;
    for (const auto key : fresh_)
        if (const auto step = step_in(key) / hours; steps.has(step))
            visit(step, asset_in(key), 1U);
}

std::vector<std::uint64_t> staged_steps::series(const step_range& steps, std::optional<std::uint32_t> asset) const
{
    std::vector<std::uint64_t> views;
    views.reserve(static_cast<std::size_t>(steps.size()));
    for (auto step = steps.first; step < steps.end; ++step)
        views.push_back(asset ? tables_->views(steps.kind, step, *asset) : tables_->views(steps.kind, step));
    each_staged(steps,
                [&](std::int64_t step, std::uint32_t of, std::uint32_t count)
                {
                    if (!asset || *asset == of)
                        views[static_cast<std::size_t>(step - steps.first)] += count;
                });
    return views;
}

/// Makes it the last one. A running window that was chosen before stays a running one.
staged_steps::window& staged_steps::window_of(const step_range& steps, window_kind kind)
{
    auto found =
        std::find_if(windows_.begin(), windows_.end(), [&](const window& each) { return each.steps == steps; });
    if (found == windows_.end())
    {
        drop_oldest(kind);
        windows_.push_back({steps, kind, steps.first, {}});
        return windows_.back();
    }
    std::rotate(found, found + 1, windows_.end());
    if (kind == window_kind::running && windows_.back().kind != kind)
    {
        drop_oldest(kind);
        windows_.back().kind = kind;
    }
    return windows_.back();
}

/// Makes room for one of the kind.
void staged_steps::drop_oldest(window_kind kind)
{
    const auto is_of_kind = [kind](const window& each) { return each.kind == kind; };
    if (static_cast<std::size_t>(std::count_if(windows_.begin(), windows_.end(), is_of_kind)) >= most_windows)
        windows_.erase(std::find_if(windows_.begin(), windows_.end(), is_of_kind));
}

void staged_steps::sum_step(window& of) const
{
    const step_range one{of.steps.kind, of.next, of.next + 1};
    tables_->each(one.kind, one.first,
                  [&of](std::span<const step_views> some)
                  {
                      for (const auto& each : some)
                          count_in(of, each.asset) += each.views;
                  });
    each_staged(one, [&of](std::int64_t, std::uint32_t asset, std::uint32_t count) { count_in(of, asset) += count; });
    ++of.next;
}

bool staged_steps::sum_next(const step_range& steps, window_kind kind)
{
    auto& of = window_of(steps, kind);
    if (of.next < steps.end)
        sum_step(of);
    return of.next >= steps.end;
}

const std::vector<std::uint64_t>& staged_steps::by_asset(const step_range& steps)
{
    auto& of = window_of(steps, window_kind::chosen);
    while (of.next < steps.end)
        sum_step(of);
    return of.views;
}

bool staged_steps::has_sums(const step_range& steps) const
{
    return std::any_of(windows_.begin(), windows_.end(),
                       [&](const window& each) { return each.steps == steps && each.next >= steps.end; });
}

void staged_steps::freeze()
{
    std::sort(fresh_.begin(), fresh_.end());
    auto& hours = frozen_[static_cast<std::size_t>(step_kind::hour)].all;
    auto& days = frozen_[static_cast<std::size_t>(step_kind::day)].all;
    for (const auto key : fresh_)
        if (hours.empty() || hours.back().key != key)
            hours.push_back({key, 1});
        else
            ++hours.back().views;
    fresh_.clear();
    for (const auto& each : hours)
        days.push_back({key_of(step_in(each.key) / 24, asset_in(each.key)), each.views});
    std::sort(days.begin(), days.end(), [](const counted& a, const counted& b) { return a.key < b.key; });
    std::size_t kept = 0;
    for (const auto& each : days)
        if (kept > 0 && days[kept - 1].key == each.key)
            days[kept - 1].views += each.views;
        else
            days[kept++] = each;
    days.resize(kept);
}

std::size_t staged_steps::write(std::size_t rows)
{
    std::size_t count = 0;
    for (const auto kind : {step_kind::hour, step_kind::day})
    {
        auto& [all, written] = frozen_.at(static_cast<std::size_t>(kind));
        while (written < all.size())
        {
            if (count >= rows)
                return rows;
            const auto step = step_in(all[written].key);
            auto end = written;
            of_one_.clear();
            for (; end < all.size() && step_in(all[end].key) == step; ++end)
                of_one_.push_back({asset_in(all[end].key), all[end].views});
            count += tables_->add(kind, step, of_one_);
            written = end;
        }
    }
    return std::min(count, rows);
}

void staged_steps::written() { frozen_ = {}; }

void staged_steps::clear()
{
    fresh_.clear();
    windows_.clear();
    written();
}

} // namespace marquee
