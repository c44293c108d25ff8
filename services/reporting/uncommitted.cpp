#include "services/reporting/uncommitted.hpp"

#include <algorithm>
#include <limits>

namespace marquee
{

namespace
{

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
}

void view_counters::evict(std::size_t looks)
{
    // Buckets in turn: what is evicted is as good as random, and what is watched now comes back. A map over its size has few empty buckets.
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

void taken_ids::uses::add(taken use)
{
    const auto [found, is_new] = latest.try_emplace(use.id, all.size());
    if (!is_new)
        use.before = std::exchange(found->second, all.size());
    all.push_back(std::move(use));
}

const taken_ids::taken* taken_ids::uses::find(const std::string& id, std::int64_t time, const id_memory& memory,
                                              std::int64_t window) const
{
    const auto found = latest.find(id);
    for (auto at = found == latest.end() ? none : found->second; at != none; at = all[at].before)
        if (repeats(time, all[at].time, window) &&
            !memory.is_forgotten(static_cast<std::int64_t>(all[at].first.sequence), all[at].time))
            return &all[at];
    return nullptr;
}

const taken_ids::taken* taken_ids::find_unwritten(const std::string& id, std::int64_t time, const id_memory& memory,
                                                  std::int64_t window) const
{
    const auto* use = fresh_.find(id, time, memory, window);
    return use != nullptr ? use : frozen_.find(id, time, memory, window);
}

std::optional<std::int64_t> taken_ids::find_written(const std::string& id, std::int64_t time, const id_memory& memory,
                                                    std::int64_t window) const
{
    constexpr auto end_of_time = std::numeric_limits<std::int64_t>::max();
    const auto latest = time > end_of_time - window ? end_of_time : time + window;
    std::optional<std::int64_t> found;
    (void)tables_.any_use(id, time - window, latest,
                          [&](std::int64_t sequence, std::int64_t taken_at)
                          {
                              if (memory.is_forgotten(sequence, taken_at))
                                  return false;
                              found = sequence;
                              return true;
                          });
    return found;
}

bool taken_ids::take(const std::string& id, const id_use& use, const id_memory& memory, std::int64_t window)
{
    if (window == 0) // nothing ever repeats anything
        return true;
    if (find_unwritten(id, use.time, memory, window) != nullptr || find_written(id, use.time, memory, window))
        return false;
    fresh_.add({id, {use.asset, use.user, use.sequence}, use.time});
    return true;
}

std::optional<first_use> taken_ids::find(const std::string& id, std::int64_t time, const id_memory& memory,
                                         std::int64_t window) const
{
    if (const auto* use = find_unwritten(id, time, memory, window); use != nullptr)
        return use->first;
    const auto written = find_written(id, time, memory, window);
    return written ? std::optional(tables_.use_at(*written)) : std::nullopt;
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
