// Stops requests to a service that keeps failing.
#pragma once

#include "broker/base/deadline.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string_view>

namespace marquee
{

/// A circuit breaker for one service on one io thread.
///
/// Closed, it grants every request. It opens after ten failures of requests that were sent after
/// the last answer, if that answer is at least a second old: when one instance dies its requests
/// fail together, while the other instances still answer. Open, it refuses every request for a
/// pause; then it grants one probe (half open). An answer closes it; a failed probe doubles the
/// pause, up to `longest_pause`. Up to a quarter of each pause is taken off at random, so that
/// threads and edges do not probe together. It has no clock of its own: the caller passes the time.
class circuit_breaker
{
public:
    using clock = deadline::clock;

    static constexpr std::uint32_t failures_to_open = 10;
    static constexpr std::chrono::milliseconds min_silence_to_open{1000};
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

    using outcome = health_effect;

    circuit_breaker(clock::time_point now, std::uint32_t seed) : last_answer_(now), rng_(seed) {}

    /// Decides on a request. Unless it is refused, the caller must call report() exactly once.
    [[nodiscard]] permit admit(clock::time_point now) noexcept;

    /// Records the outcome of a request that was granted at `sent_at`. Any answer closes the
    /// circuit; while it is open only the probe's failure prolongs the pause.
    void report(permit with, outcome what, clock::time_point sent_at, clock::time_point now) noexcept;

    /// Closes the circuit and forgets the failures, as an answer at `now` does.
    void reset(clock::time_point now) noexcept;

    [[nodiscard]] position state() const noexcept
    {
        return !open_ ? position::closed : probing_ ? position::half_open : position::open;
    }

private:
    void open(std::chrono::milliseconds pause, clock::time_point now) noexcept;

    clock::time_point last_answer_;
    clock::time_point open_until_{};
    std::chrono::milliseconds pause_{0};
    std::uint32_t failures_ = 0; ///< of requests sent since the last answer
    bool open_ = false;
    bool probing_ = false;
    std::minstd_rand rng_;
};

/// The position as text for the log. Valid for ever.
[[nodiscard]] std::string_view name_of(circuit_breaker::position where) noexcept;

} // namespace marquee
