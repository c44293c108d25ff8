// Who may do something of which only one is to be in progress.
#pragma once

#include "broker/base/deadline.hpp"
#include "broker/base/wait.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <utility>

namespace marquee
{

namespace asio = boost::asio;

/// One holder at a time; the others wait, first come, first served. On one io thread; it outlives
/// the turns. Whoever enters bounds how many wait.
class turns
{
public:
    /// Ends the turn when it is destroyed.
    class turn
    {
    public:
        explicit turn(turns* of = nullptr) : of_(of) {}
        turn(turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        turn& operator=(turn&&) = delete;
        ~turn()
        {
            if (of_ != nullptr)
                of_->leave();
        }
        /// False: the deadline came first.
        explicit operator bool() const noexcept { return of_ != nullptr; }

    private:
        turns* of_;
    };

    explicit turns(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    [[nodiscard]] asio::awaitable<turn> enter(deadline until)
    {
        if (!std::exchange(taken_, true))
            co_return turn(this);
        const auto mine = waiting_.emplace(waiting_.end(), asio::steady_timer(executor_, until.at()), false);
        co_await wait(mine->first);
        const bool granted = mine->second;
        waiting_.erase(mine);
        co_return turn(granted ? this : nullptr);
    }

private:
    void leave()
    {
        for (auto& [timer, granted] : waiting_)
            if (!std::exchange(granted, true))
            {
                timer.cancel();
                return;
            }
        taken_ = false;
    }

    asio::any_io_executor executor_;
    bool taken_ = false;
    std::list<std::pair<asio::steady_timer, bool>> waiting_; ///< true: it has the turn
};

} // namespace marquee
