// How long something has been away, as far as those who ask for it can tell.
#pragma once

#include "broker/deadline.hpp"

#include <chrono>
#include <optional>

namespace marquee
{

class absence
{
public:
    using clock = deadline::clock;

    void is_over() noexcept { since_.reset(); }

    /// It is away at `now`: for so short a time that a new leader may be elected any moment?
    [[nodiscard]] bool is_short(clock::time_point now) noexcept
    {
        constexpr std::chrono::seconds an_election{10};
        if (!since_ || now - last_ > an_election) // of one long ago nothing is known now
            since_ = now;
        last_ = now;
        return now - *since_ < an_election;
    }

private:
    std::optional<clock::time_point> since_;
    clock::time_point last_;
};

} // namespace marquee
