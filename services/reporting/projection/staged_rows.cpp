#include "services/reporting/projection/staged_rows.hpp"

#include "services/reporting/projection/counter_tables.hpp"
#include "services/reporting/projection/write_from.hpp"

#include <algorithm>

namespace marquee
{

template <class Row>
const Row& staged_rows<Row>::get(const std::string& id)
{
    if (const auto found = known_.find(id); found != known_.end())
        return found->second.row;
    other_ = tables_->load<Row>(id);
    return other_;
}

template <class Row>
std::uint64_t staged_rows<Row>::views(const std::string& id) const
{
    const auto found = known_.find(id);
    return found == known_.end() ? tables_->views<Row>(id) : found->second.row.views;
}

template <class Row>
Row& staged_rows<Row>::change(const std::string& id, std::uint32_t& next)
{
    const auto [found, is_new] = known_.try_emplace(id);
    auto& of = found->second;
    if (is_new)
    {
        of.row = tables_->load<Row>(id);
        if (of.row.number == 0)
            of.row.number = next++;
    }
    if (!std::exchange(of.changed, true))
    {
        changed_.push_back(&*found);
        weight_ -= std::exchange(of.weight, 0); // it may change: freeze() adds it again
    }
    return of.row;
}

template <class Row>
bool staged_rows<Row>::is_staged(const std::string& id) const
{
    const auto found = known_.find(id);
    return found != known_.end() && (found->second.changed || found->second.frozen);
}

template <class Row>
void staged_rows<Row>::freeze()
{
    std::sort(changed_.begin(), changed_.end(),
              [](const entry* a, const entry* b) { return a->second.row.number < b->second.row.number; });
    frozen_.reserve(changed_.size());
    for (auto* each : changed_)
    {
        auto& of = each->second;
        of.changed = false;
        of.frozen = true;
        frozen_.push_back({each, of.row.take_snapshot()});
        of.weight = of.row.weight();
        weight_ += of.weight;
    }
    changed_.clear();
}

template <class Row>
std::size_t staged_rows<Row>::write(std::size_t rows)
{
    return write_from(rows_written_, frozen_, rows,
                      [this](const frozen_row& each) { tables_->save(each.of->first, each.row); });
}

template <class Row>
void staged_rows<Row>::written()
{
    for (const auto& each : frozen_)
        each.of->second.frozen = false;
    frozen_.clear();
    rows_written_ = 0;
}

template <class Row>
void staged_rows<Row>::clear()
{
    changed_.clear();
    frozen_.clear();
    rows_written_ = 0;
    known_.clear();
    weight_ = 0;
}

template <class Row>
void staged_rows<Row>::forget(const std::string& id)
{
    if (const auto found = known_.find(id); found != known_.end())
        drop(found);
}

template <class Row>
void staged_rows<Row>::evict(std::size_t looks)
{
    // Buckets in turn: the choice is as good as random, and what is watched now comes back. A map
    // of this size has few empty buckets.
    for (; looks > 0 && (known_.size() > most_.rows || weight_ > most_.weight); --looks)
    {
        evict_from_ = (evict_from_ + 1) % known_.bucket_count();
        for (auto at = known_.begin(evict_from_); at != known_.end(evict_from_);)
        {
            const auto& each = *at++;
            if (!each.second.changed && !each.second.frozen)
                drop(known_.find(each.first));
        }
    }
}

template <class Row>
void staged_rows<Row>::drop(typename map::iterator which)
{
    weight_ -= which->second.weight;
    known_.erase(which);
}

template class staged_rows<asset_row>;
template class staged_rows<user_row>;

} // namespace marquee
