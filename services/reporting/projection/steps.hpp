// Views by time: the steps that views are counted in.
#pragma once

#include <chrono>
#include <cstdint>

namespace marquee
{

/// Steps of UTC, numbered from 1970.
enum class step_kind : std::uint8_t
{
    hour,
    day
};

[[nodiscard]] constexpr std::int64_t ms_of(step_kind kind) noexcept
{
    return kind == step_kind::hour ? 3'600'000 : 86'400'000;
}

/// The step of a time in milliseconds since 1970, not before.
[[nodiscard]] constexpr std::int64_t step_of(step_kind kind, std::int64_t time) noexcept { return time / ms_of(kind); }

/// Steps from `first` to before `end`.
struct step_range
{
    step_kind kind = step_kind::hour;
    std::int64_t first = 0;
    std::int64_t end = 0;

    [[nodiscard]] constexpr std::int64_t size() const noexcept { return end - first; }
    [[nodiscard]] constexpr bool has(std::int64_t step) const noexcept { return step >= first && step < end; }
    friend constexpr bool operator==(const step_range&, const step_range&) = default;
};

/// Views of one asset in a step, or to be added to them. Its bytes are stored in the database.
struct step_views
{
    std::uint32_t asset = 0; ///< number
    std::uint32_t views = 0;
};

} // namespace marquee
