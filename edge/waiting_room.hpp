// Where connections wait after a request of theirs was refused because too much was under way. To refuse costs half of
// what a play costs: clients that ask again at once would leave little time for those that were accepted. Clients that heed Retry-After
// do not notice.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <list>

namespace marquee
{

namespace asio = boost::asio;

/// One thread's. Outlives those who wait, or the io_context that would resume them.
class waiting_room
{
public:
    explicit waiting_room(std::chrono::milliseconds longest = std::chrono::seconds(1)) : longest_(longest) {}

    /// Returns when let_in() has come to whoever calls, when the longest time has passed, or when the room is closed.
    [[nodiscard]] asio::awaitable<void> wait();

    /// Whoever has waited longest need not wait any more.
    void let_in();

    /// Nobody waits any more, now and later.
    void close();

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
    class place;

    std::chrono::milliseconds longest_;
    std::list<place*> waiting_; ///< in the order of their coming
    bool closed_ = false;
};

} // namespace marquee
