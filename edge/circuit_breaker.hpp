// Whether a service that keeps failing is asked at all.
#pragma once

#include "broker/deadline.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

namespace marquee
{

/// Closed while the service answers. Opens when ten questions that were asked after the last answer have failed, and that was a second ago: what is
/// lost with one dying instance fails all at once, while the others answer. Open, it refuses every question for a time; then it lets one through,
/// the probe (half open), and an answer closes it while a failure doubles the time. Never longer than `longest_pause`, and a little less at random, so
/// that threads and edges do not probe together. It has no clock of its own.
class circuit_breaker
{
public:
    using clock = deadline::clock;

    static constexpr std::uint32_t failures_to_open = 10;
    static constexpr std::chrono::milliseconds silence_to_open{1000};
    static constexpr std::chrono::milliseconds first_pause{500};
    static constexpr std::chrono::milliseconds longest_pause{4000};

    enum class position : std::uint8_t
    {
        closed,
        open,
        half_open,
    };

    enum class permit : std::uint8_t
    {
        refused,
        granted,
        probe,
    };

    enum class outcome : std::uint8_t
    {
        answered,
        failed,
        unknown, ///< it says nothing about the service
    };

    circuit_breaker(clock::time_point now, std::uint32_t seed) : last_answer_(now), dice_(seed) {}

    /// Asks to ask. Whoever is not refused reports what came of it, once.
    [[nodiscard]] permit ask(clock::time_point now) noexcept;

    /// What came of a question that was not refused. Any answer closes the circuit; only the probe's failure keeps it open longer.
    void report(permit with, outcome what, clock::time_point asked, clock::time_point now) noexcept;

    /// Closes it: what was known of the service is old.
    void reset(clock::time_point now) noexcept;

    [[nodiscard]] position where() const noexcept
    {
        return !open_ ? position::closed : probing_ ? position::half_open : position::open;
    }

private:
    void open(std::chrono::milliseconds pause, clock::time_point now) noexcept;

    clock::time_point last_answer_;
    clock::time_point open_until_{};
    std::chrono::milliseconds pause_{0};
    std::uint32_t failures_ = 0; ///< of questions asked since the last answer
    bool open_ = false;
    bool probing_ = false;
    std::minstd_rand dice_;
};

[[nodiscard]] std::string_view name_of(circuit_breaker::position where) noexcept;

} // namespace marquee
