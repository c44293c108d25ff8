#include "services/reporting/counting_queue.hpp"

#include "schemas/subjects.hpp"
#include "services/reporting/projection/projection.hpp"

#include <iterator>
#include <utility>

namespace marquee
{

bool is_correction(const stored_message& m) { return m.subject == subjects::events_admin().str(); }

void counting_queue::add(std::vector<stored_message> batch)
{
    events_ += most_events_in(batch);
    if (added_.empty())
        added_ = std::move(batch);
    else
        std::move(batch.begin(), batch.end(), std::back_inserter(added_));
}

std::span<const stored_message> counting_queue::take(std::size_t events)
{
    if (at_ == counting_.size())
    {
        counting_ = std::exchange(added_, {});
        at_ = 0;
    }
    const auto first = at_;
    std::size_t sum = 0;
    while (at_ < counting_.size() && sum < events)
    {
        const auto& each = counting_[at_++];
        sum += most_events_in(each);
        if (is_correction(each))
            break;
    }
    events_ -= sum;
    return std::span<const stored_message>(counting_).subspan(first, at_ - first);
}

void counting_queue::clear()
{
    at_ = counting_.size();
    added_.clear();
    events_ = 0;
}

} // namespace marquee
