// The feed of counted views, and who waits for the next one.
#pragma once

#include "broker/base/deadline.hpp"
#include "services/reporting/live_ring.hpp"
#include "services/reporting/projection/projection.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>

namespace marquee
{

namespace asio = boost::asio;

/// Follows the projection of an instance while somebody asks for live views; else the projection
/// does not know of it. On the io thread.
class live_feed
{
public:
    static constexpr std::size_t ring_size = 10'000;         ///< views
    static constexpr std::chrono::seconds interest{60};      ///< it follows this long after a request
    static constexpr std::chrono::milliseconds latency{200}; ///< of a reply: it is sent so long before a deadline

    explicit live_feed(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Somebody asks: it follows from here on.
    void asked(const projection& counts);

    /// Messages are about to be staged.
    void before_staging(projection& counts);

    /// They were staged: wakes those who wait.
    void staged(const projection& counts);

    /// Waits for staged(), release() or `until`. False: release() was called.
    [[nodiscard]] asio::awaitable<bool> wait(deadline until);

    /// Ends every wait: this instance no longer serves, or does not count.
    void release();

    /// As release(), and no wait begins any more.
    void stop();

    [[nodiscard]] const live_ring& ring() const noexcept { return ring_; }
    [[nodiscard]] const std::string& epoch() const noexcept { return epoch_; }

private:
    using clock = std::chrono::steady_clock;

    void wake();

    asio::any_io_executor executor_;
    live_ring ring_{ring_size};
    std::string epoch_;
    bool follows_ = false;
    clock::time_point until_; ///< of interest
    bool stopped_ = false;
    std::uint64_t releases_ = 0;
    std::list<asio::steady_timer> waiting_; ///< bounded by the requests that an endpoint takes
};

} // namespace marquee
