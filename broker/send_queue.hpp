// Messages that wait for room in the write buffer of a connection.
#pragma once

#include "broker/deadline.hpp"
#include "broker/message.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace marquee
{

/// Called once with why a message that waited was not sent: overloaded (no room in time), disconnected (the link was lost; it never left), or what
/// connection::publish fails with.
using unsent_handler = std::function<void(error)>;

} // namespace marquee

namespace marquee::detail
{

/// First in, first out, but small messages go ahead of large ones and have room of their own: so the news that a large reply could not be sent
/// finds its way. Bounded in bytes; what does not fit is refused. Handlers are the caller's to call.
class send_queue
{
public:
    using clock = deadline::clock;

    struct item
    {
        std::string to;
        std::string payload;
        header_list headers;
        std::string reply;
        clock::time_point until; ///< it waits no longer
        unsent_handler unsent;   ///< may be empty
    };

    static constexpr std::size_t small = 4096;            ///< bytes, overhead included
    static constexpr std::size_t room_of_small = 1 << 20; ///< for all small ones

    /// `room`: bytes for all large ones.
    explicit send_queue(std::size_t room) : large_(room), small_(room_of_small) {}

    /// False: there is no room, and `one` is gone.
    [[nodiscard]] bool add(item one);

    /// Takes the next one; not from an empty queue.
    [[nodiscard]] item next();

    /// Takes those that wait no longer.
    [[nodiscard]] std::vector<item> take_expired(clock::time_point now);
    [[nodiscard]] std::vector<item> take_all() { return take_expired(clock::time_point::max()); }

    [[nodiscard]] bool empty() const noexcept { return large_.items.empty() && small_.items.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return large_.bytes + small_.bytes; }

private:
    struct lane
    {
        explicit lane(std::size_t most) : room(most) {}
        std::size_t room;
        std::size_t bytes = 0;
        std::deque<item> items;
    };

    static void take_expired(lane& from, clock::time_point now, std::vector<item>& to);

    lane large_;
    lane small_;
};

} // namespace marquee::detail
