#include "services/reporting/projection/counting_rule.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace marquee
{
namespace
{

constexpr auto never = std::numeric_limits<std::int64_t>::max();

template <class T>
std::string bytes_of(const T* first, std::size_t count)
{
    std::string out(count * sizeof(T), '\0');
    if (count > 0)
        std::memcpy(out.data(), first, out.size());
    return out;
}

} // namespace

id_memory::id_memory(std::chrono::nanoseconds window)
    : window_(window.count()), times_(messages_looked_at, never), smallest_(blocks, never)
{
}

void id_memory::add(std::uint64_t sequence, std::chrono::nanoseconds timestamp)
{
    const auto place = static_cast<std::size_t>(messages_ % messages_looked_at);
    const auto block = place / block_size;
    const auto before = std::exchange(times_[place], timestamp.count());
    if (timestamp.count() <= smallest_[block])
        smallest_[block] = timestamp.count();
    else if (before == smallest_[block])
        find_smallest(block);
    ++messages_;
    if (messages_ < messages_looked_at) // every use so far is among them
        return;
    const auto oldest = *std::min_element(smallest_.begin(), smallest_.end());
    forget(static_cast<std::int64_t>(sequence), oldest - window_);
}

void id_memory::find_smallest(std::size_t block)
{
    const auto first = times_.begin() + static_cast<std::ptrdiff_t>(block * block_size);
    smallest_[block] = *std::min_element(first, first + block_size);
}

/// An entry applies to the uses after the previous entry. One that ends less than 10,000 messages
/// after the previous one forgets nothing, since its uses were among the messages looked at: a
/// lower one replaces it, so that timestamps that run backwards for long make few entries.
void id_memory::forget(std::int64_t sequence, std::int64_t until)
{
    while (!forgotten_.empty() && forgotten_.back().time <= until)
        forgotten_.pop_back();
    if (!forgotten_.empty())
    {
        const auto before = forgotten_.size() > 1 ? forgotten_[forgotten_.size() - 2].sequence : 0;
        if (forgotten_.size() > 1 && forgotten_.back().sequence - before < std::int64_t{messages_looked_at})
            forgotten_.pop_back();
    }
    forgotten_.push_back({sequence, until});
}

bool id_memory::is_forgotten(std::int64_t sequence, std::int64_t time) const noexcept
{
    const auto found = std::lower_bound(forgotten_.begin(), forgotten_.end(), sequence,
                                        [](const forgotten_until& each, std::int64_t s) { return each.sequence < s; });
    return found != forgotten_.end() && time <= found->time;
}

void id_memory::lower_sequences(std::int64_t by)
{
    for (auto& each : forgotten_)
        each.sequence -= by;
}

void id_memory::drop(const forgotten_until& entry)
{
    if (forgotten_.size() > 1 && forgotten_.front() == entry)
        forgotten_.erase(forgotten_.begin());
}

std::string id_memory::forgotten_bytes() const { return bytes_of(forgotten_.data(), forgotten_.size()); }

std::string id_memory::block_bytes(std::size_t block) const
{
    return bytes_of(&times_[block * block_size], block_size);
}

bool id_memory::restore(std::uint64_t messages, std::string_view forgotten)
{
    if (forgotten.size() % sizeof(forgotten_until) != 0)
        return false;
    messages_ = messages;
    forgotten_.resize(forgotten.size() / sizeof(forgotten_until));
    if (!forgotten.empty())
        std::memcpy(forgotten_.data(), forgotten.data(), forgotten.size());
    return true;
}

bool id_memory::restore_block(std::size_t block, std::string_view bytes)
{
    if (block >= blocks || bytes.size() != block_size * sizeof(std::int64_t))
        return false;
    std::memcpy(&times_[block * block_size], bytes.data(), bytes.size());
    find_smallest(block);
    return true;
}

} // namespace marquee
