#include "services/reporting/live_ring.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

void live_ring::begin_after(std::uint64_t sequence)
{
    begin_ = {sequence, live_position::whole};
    through_ = sequence;
    views_.clear();
    fresh_.clear();
    erasures_.clear();
}

void live_ring::counted(const followed_view& view)
{
    if (view.sequence <= through_) // again, after a rollback
        return;
    fresh_.push_back({{view.sequence, view.line},
                      std::string(view.asset),
                      std::string(view.user),
                      view.time,
                      view.asset_views,
                      view.user_views});
}

template <class Test>
void live_ring::remove(const Test& which)
{
    std::erase_if(views_, which);
    std::erase_if(fresh_, which);
}

void live_ring::retracted(std::uint64_t sequence, std::size_t line)
{
    remove([&](const entry& each) { return each.at.sequence == sequence && each.at.index == line; });
}

void live_ring::erased(std::string_view user, std::uint64_t sequence)
{
    if (erasures_.empty() || erasures_.back().sequence < sequence) // else again, after a rollback
        erasures_.push_back({std::string(user), sequence});
    if (erasures_.size() > most_erasures)
        erasures_.pop_front();
    remove([&](const entry& each) { return each.user == user; });
}

void live_ring::publish(std::uint64_t sequence)
{
    for (auto& view : fresh_)
    {
        if (views_.size() == capacity_)
        {
            begin_ = views_.front().at;
            views_.pop_front();
        }
        views_.push_back(std::move(view));
    }
    fresh_.clear();
    through_ = std::max(through_, sequence);
}

std::size_t live_ring::first_after(live_position at) const
{
    const auto found = std::upper_bound(views_.begin(), views_.end(), at,
                                        [](const live_position& one, const entry& other) { return one < other.at; });
    return static_cast<std::size_t>(found - views_.begin());
}

} // namespace marquee
