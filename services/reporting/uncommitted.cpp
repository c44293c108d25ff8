#include "services/reporting/uncommitted.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::size_t most_known = 200'000; // of counters kept after they are written

} // namespace

std::uint64_t view_counters::views(const std::string& id) const
{
    const auto found = known_.find(id);
    return found == known_.end() ? (tables_.*read_)(id) : found->second.views;
}

void view_counters::add_one(const std::string& id)
{
    const auto [found, is_new] = known_.try_emplace(id);
    if (is_new)
        found->second.views = (tables_.*read_)(id);
    ++found->second.views;
    if (!std::exchange(found->second.changed, true))
        changed_.push_back(&*found);
}

std::vector<views_reply> view_counters::top(std::size_t limit) const
{
    // What has not changed since it was written can only have been overtaken: the written top holds all of it that still belongs there.
    auto all = (tables_.*rank_)(limit);
    std::erase_if(all,
                  [this](const views_reply& each)
                  {
                      const auto found = known_.find(each.id);
                      return found != known_.end() && found->second.changed;
                  });
    for (const auto* each : changed_)
        all.push_back({each->first, each->second.views});
    const auto kept = all.begin() + static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
    std::partial_sort(all.begin(), kept, all.end(),
                      [](const views_reply& a, const views_reply& b)
                      { return a.views != b.views ? a.views > b.views : a.id < b.id; });
    all.erase(kept, all.end());
    return all;
}

void view_counters::write()
{
    std::sort(changed_.begin(), changed_.end(), [](const entry* a, const entry* b) { return a->first < b->first; });
    for (const auto* each : changed_)
        (tables_.*write_)(each->first, each->second.views);
}

void view_counters::written()
{
    for (auto* each : changed_)
        each->second.changed = false;
    changed_.clear();
    if (known_.size() > most_known)
        known_.clear();
}

void view_counters::clear()
{
    changed_.clear();
    known_.clear();
}

bool taken_ids::take(const std::string& id, const id_use& use, std::int64_t window)
{
    const auto found = latest_.find(id);
    const auto earlier = found == latest_.end() ? tables_.time_of_id(id) : std::optional(uses_[found->second].time);
    if (earlier && use.time - *earlier < window)
        return false;
    latest_.insert_or_assign(id, uses_.size());
    uses_.push_back({id, {use.asset, use.user, use.sequence}, use.time});
    return true;
}

std::optional<first_use> taken_ids::find(const std::string& id, std::int64_t forgotten) const
{
    const auto found = latest_.find(id);
    if (found == latest_.end())
        return tables_.find_use(id, forgotten);
    const auto& use = uses_[found->second];
    return use.time > forgotten ? std::optional(use.first) : std::nullopt;
}

void taken_ids::write()
{
    for (const auto& use : uses_)
        tables_.take_id(use.id, {use.first.sequence, use.time, use.first.asset, use.first.user});
}

void taken_ids::clear()
{
    uses_.clear();
    latest_.clear();
}

} // namespace marquee
