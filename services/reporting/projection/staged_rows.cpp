#include "services/reporting/projection/staged_rows.hpp"

#include "services/reporting/projection/counter_tables.hpp"
#include "services/reporting/projection/write_from.hpp"

#include <algorithm>

namespace marquee
{

template <class Row>
auto staged_rows<Row>::find(const std::string& id) const -> const entry*
{
    const auto found = known_.find(std::string_view(id));
    return found == known_.end() ? nullptr : found->second;
}

template <class Row>
const Row& staged_rows<Row>::get(const std::string& id)
{
    if (const auto* found = find(id))
        return found->second.row;
    other_ = tables_->load<Row>(id);
    return other_;
}

template <class Row>
std::uint64_t staged_rows<Row>::views(const std::string& id) const
{
    const auto* found = find(id);
    return found == nullptr ? tables_->views<Row>(id) : found->second.row.views;
}

template <class Row>
auto staged_rows<Row>::know(const std::string& id, std::uint32_t& next) -> entry&
{
    auto made = std::make_unique<entry>(id, counter());
    auto& of = made->second;
    of.row = tables_->load<Row>(id);
    if (of.row.number == 0)
        of.row.number = next++;
    of.place = entries_.size();
    auto& each = *entries_.emplace_back(std::move(made));
    known_.emplace(each.first, &each);
    return each;
}

template <class Row>
Row& staged_rows<Row>::change(const std::string& id, std::uint32_t& next)
{
    const auto found = known_.find(std::string_view(id));
    auto& each = found == known_.end() ? know(id, next) : *found->second;
    auto& of = each.second;
    if (!std::exchange(of.changed, true))
    {
        changed_.push_back(&each);
        weight_ -= std::exchange(of.weight, 0); // it may change: freeze() adds it again
    }
    return of.row;
}

template <class Row>
bool staged_rows<Row>::is_staged(const std::string& id) const
{
    const auto* found = find(id);
    return found != nullptr && (found->second.changed || found->second.frozen);
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
    entries_.clear();
    weight_ = 0;
}

template <class Row>
void staged_rows<Row>::forget(const std::string& id)
{
    if (const auto* found = find(id))
        drop(*found);
}

template <class Row>
void staged_rows<Row>::evict(std::size_t looks)
{
    // In turn: the choice is as good as random, and what is watched now comes back.
    for (; looks > 0 && (entries_.size() > most_.rows || weight_ > most_.weight); --looks)
    {
        evict_at_ = (evict_at_ + 1) % entries_.size();
        const auto& at = *entries_[evict_at_];
        if (!at.second.changed && !at.second.frozen)
            drop(at);
    }
}

template <class Row>
void staged_rows<Row>::drop(const entry& which)
{
    const auto place = which.second.place;
    weight_ -= which.second.weight;
    known_.erase(std::string_view(which.first));
    std::swap(entries_[place], entries_.back());
    entries_[place]->second.place = place;
    entries_.pop_back();
}

template class staged_rows<asset_row>;
template class staged_rows<user_row>;

} // namespace marquee
