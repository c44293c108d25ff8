#include "services/reporting/projection/view_counters.hpp"

#include "services/reporting/projection/projection_tables.hpp"
#include "services/reporting/projection/write_from.hpp"

#include <algorithm>

namespace marquee
{

std::uint64_t view_counters::views(const std::string& id) const
{
    const auto found = known_.find(id);
    return found == known_.end() ? (tables_->*read_)(id) : found->second.views;
}

std::uint64_t view_counters::add_one(const std::string& id)
{
    const auto [found, is_new] = known_.try_emplace(id);
    if (is_new)
        found->second.views = (tables_->*read_)(id);
    ++found->second.views;
    if (!std::exchange(found->second.changed, true))
        changed_.push_back(&*found);
    return found->second.views;
}

std::vector<views_reply> view_counters::top(std::size_t limit) const
{
    // An asset without a change since it was written can only have been overtaken: the written top
    // has all of those that still belong there.
    auto all = (tables_->*rank_)(limit);
    std::erase_if(all,
                  [this](const views_reply& each)
                  {
                      const auto found = known_.find(each.id);
                      return found != known_.end() && (found->second.changed || found->second.frozen);
                  });
    for (const auto* each : changed_)
        all.push_back({each->first, each->second.views});
    for (const auto& each : frozen_)
        if (!each.of->second.changed)
            all.push_back({each.of->first, each.of->second.views});
    const auto kept = all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
    std::partial_sort(all.begin(), kept, all.end(),
                      [](const views_reply& a, const views_reply& b)
                      { return a.views != b.views ? a.views > b.views : a.id < b.id; });
    all.erase(kept, all.end());
    return all;
}

void view_counters::freeze()
{
    std::sort(changed_.begin(), changed_.end(), [](const entry* a, const entry* b) { return a->first < b->first; });
    frozen_.reserve(changed_.size());
    for (auto* each : changed_)
    {
        each->second.changed = false;
        each->second.frozen = true;
        frozen_.push_back({each, each->second.views});
    }
    changed_.clear();
}

std::size_t view_counters::write(std::size_t rows)
{
    return write_from(rows_written_, frozen_, rows,
                      [this](const row& each) { (tables_->*write_)(each.of->first, each.views); });
}

void view_counters::written()
{
    for (const auto& each : frozen_)
        each.of->second.frozen = false;
    frozen_.clear();
    rows_written_ = 0;
}

void view_counters::evict(std::size_t looks)
{
    // Buckets in turn: the choice is as good as random, and what is watched now comes back. A map
    // of this size has few empty buckets.
    for (; looks > 0 && known_.size() > most_known; --looks)
    {
        evict_from_ = (evict_from_ + 1) % known_.bucket_count();
        for (auto at = known_.begin(evict_from_); at != known_.end(evict_from_);)
        {
            const auto& each = *at++;
            if (!each.second.changed && !each.second.frozen)
                known_.erase(known_.find(each.first));
        }
    }
}

void view_counters::clear()
{
    changed_.clear();
    frozen_.clear();
    rows_written_ = 0;
    known_.clear();
}

} // namespace marquee
