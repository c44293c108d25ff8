// Delays the next request of a connection whose last one was refused because of overload. To refuse
// a request costs half of what a play costs: clients that retry at once would leave little time for
// accepted requests. Clients that follow Retry-After are not delayed.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <list>

namespace marquee
{

namespace asio = boost::asio;

/// FIFO queue of waiting coroutines. All members are called on one io thread. Outlives the waiting
/// coroutines, or the io_context that resumes them.
class overload_queue
{
public:
    /// `longest`: how long one wait takes at most.
    explicit overload_queue(std::chrono::milliseconds longest = std::chrono::seconds(1)) : longest_(longest) {}

    /// Returns when release_one() releases the caller, when the longest time has passed, or when
    /// the queue is closed.
    [[nodiscard]] asio::awaitable<void> wait();

    /// Releases the caller that has waited longest, if there is one.
    void release_one();

    /// Releases all; later calls of wait() return at once.
    void close();

    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
    class place;

    std::chrono::milliseconds longest_;
    std::list<place*> waiting_; ///< longest first
    bool closed_ = false;
};

} // namespace marquee
