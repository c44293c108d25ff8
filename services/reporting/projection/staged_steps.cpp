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

std::vector<std::uint64_t> staged_steps::by_asset(const step_range& steps, std::uint32_t numbers) const
{
    std::vector<std::uint64_t> views(numbers);
    const auto add = [&views](std::uint32_t asset, std::uint32_t count)
    {
        if (asset < views.size())
            views[asset] += count;
    };
    for (auto step = steps.first; step < steps.end; ++step)
        tables_->each(steps.kind, step,
                      [&add](std::span<const step_views> some)
                      {
                          for (const auto& each : some)
                              add(each.asset, each.views);
                      });
    each_staged(steps, [&add](std::int64_t, std::uint32_t asset, std::uint32_t count) { add(asset, count); });
    return views;
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
    written();
}

} // namespace marquee
