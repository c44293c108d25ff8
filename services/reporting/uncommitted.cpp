#include "services/reporting/uncommitted.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::size_t most_known = 200'000; // of counters kept after they are written

/// Writes at most `rows` of `all`, from `next` on, and answers how many.
template <class Row, class Write>
std::size_t write_from(std::size_t& next, const std::vector<Row>& all, std::size_t rows, Write write)
{
    const auto count = std::min(rows, all.size() - next);
    std::for_each_n(all.begin() + static_cast<std::ptrdiff_t>(next), count, write);
    next += count;
    return count;
}

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
    return write_from(rows_written_, frozen_, rows, [this](const row& each) { (tables_.*write_)(each.of->first, each.views); });
}

void view_counters::written()
{
    for (const auto& each : frozen_)
        each.of->second.frozen = false;
    frozen_.clear();
    rows_written_ = 0;
    if (known_.size() > most_known)
        std::erase_if(known_, [](const entry& each) { return !each.second.changed; });
}

void view_counters::clear()
{
    changed_.clear();
    frozen_.clear();
    rows_written_ = 0;
    known_.clear();
}

const taken_ids::taken* taken_ids::uses::find(const std::string& id) const
{
    const auto found = latest.find(id);
    return found == latest.end() ? nullptr : &all[found->second];
}

const taken_ids::taken* taken_ids::find(const std::string& id) const
{
    const auto* use = fresh_.find(id);
    return use != nullptr ? use : frozen_.find(id);
}

bool taken_ids::take(const std::string& id, const id_use& use, std::int64_t window)
{
    const auto* found = find(id);
    const auto earlier = found == nullptr ? tables_.time_of_id(id) : std::optional(found->time);
    if (earlier && use.time - *earlier < window)
        return false;
    fresh_.latest.insert_or_assign(id, fresh_.all.size());
    fresh_.all.push_back({id, {use.asset, use.user, use.sequence}, use.time});
    return true;
}

std::optional<first_use> taken_ids::find(const std::string& id, std::int64_t forgotten) const
{
    const auto* use = find(id);
    if (use == nullptr)
        return tables_.find_use(id, forgotten);
    return use->time > forgotten ? std::optional(use->first) : std::nullopt;
}

void taken_ids::freeze() { frozen_ = std::exchange(fresh_, {}); }

std::size_t taken_ids::write(std::size_t rows)
{
    return write_from(rows_written_, frozen_.all, rows,
                      [this](const taken& use) {
                          tables_.take_id(use.id, {use.first.sequence, use.time, use.first.asset, use.first.user});
                      });
}

void taken_ids::written()
{
    frozen_ = {};
    rows_written_ = 0;
}

void taken_ids::clear()
{
    fresh_ = {};
    written();
}

} // namespace marquee
