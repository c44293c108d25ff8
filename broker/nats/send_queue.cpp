#include "broker/nats/send_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace marquee::detail
{

namespace
{

/// About the memory it takes.
std::size_t size_of(const send_queue::item& one)
{
    std::size_t bytes = sizeof one + one.to.size() + one.payload.size() + one.reply.size();
    for (const auto& [name, value] : one.headers)
        bytes += name.size() + value.size() + 10;
    return bytes;
}

} // namespace

bool send_queue::add(item one)
{
    const auto size = size_of(one);
    auto& to = size <= small ? small_ : large_;
    if (to.bytes + size > to.room)
        return false;
    to.bytes += size;
    to.items.push_back(std::move(one));
    return true;
}

send_queue::item send_queue::next()
{
    auto& from = small_.items.empty() ? large_ : small_;
    auto one = std::move(from.items.front());
    from.items.pop_front();
    from.bytes -= size_of(one);
    return one;
}

void send_queue::take_expired(lane& from, clock::time_point now, std::vector<item>& to)
{
    const auto gone = std::stable_partition(from.items.begin(), from.items.end(),
                                            [now](const item& each) { return each.until > now; });
    for (auto at = gone; at != from.items.end(); ++at)
        from.bytes -= size_of(*at);
    to.insert(to.end(), std::make_move_iterator(gone), std::make_move_iterator(from.items.end()));
    from.items.erase(gone, from.items.end());
}

std::vector<send_queue::item> send_queue::take_expired(clock::time_point now)
{
    std::vector<item> gone;
    take_expired(small_, now, gone);
    take_expired(large_, now, gone);
    return gone;
}

} // namespace marquee::detail
