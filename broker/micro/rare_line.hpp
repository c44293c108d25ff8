// Limits a kind of log line that requesters can cause.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace marquee::detail
{

/// Allows one line per minute and counts the others. Not thread-safe.
class rare_line
{
public:
    using clock = std::chrono::steady_clock;

    /// If a line may be written now, returns how many were left out since the last one.
    [[nodiscard]] std::optional<std::uint64_t> due()
    {
        const auto now = clock::now();
        if (now >= next_)
        {
            next_ = now + std::chrono::minutes(1);
            return std::exchange(left_out_, 0);
        }
        ++left_out_;
        return std::nullopt;
    }

private:
    clock::time_point next_{};
    std::uint64_t left_out_ = 0;
};

} // namespace marquee::detail
