// Messages that wait for room in the write buffer of a connection.
#pragma once

#include "broker/base/deadline.hpp"
#include "broker/nats/message.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace marquee
{

/// Called once if a message that waited was not sent: with overloaded (no room in time),
/// disconnected (the link was lost before), or a failure of connection::publish().
using unsent_handler = std::function<void(error)>;

} // namespace marquee

namespace marquee::detail
{

/// A bounded FIFO of two lanes: small messages go ahead of large ones and have room of their own,
/// so that the error reply for a large reply that found no room can be sent. Never calls a handler.
/// Not thread-safe.
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
        clock::time_point until; ///< when its wait ends
        unsent_handler unsent;   ///< may be empty
    };

    static constexpr std::size_t small = 4096;            ///< bytes per message, overhead included
    static constexpr std::size_t room_of_small = 1 << 20; ///< bytes for all small messages

    /// `room`: bytes for all large messages.
    explicit send_queue(std::size_t room) : large_(room), small_(room_of_small) {}

    /// Returns false, and destroys `one`, if there is no room.
    [[nodiscard]] bool add(item one);

    /// Removes and returns the next message. The queue must not be empty.
    [[nodiscard]] item next();

    /// Removes and returns the messages whose wait has ended.
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
