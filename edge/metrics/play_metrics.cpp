// The metrics of plays: the objective, and where their time goes.
#include "edge/metrics/exposition.hpp"
#include "edge/metrics/metrics.hpp"

#include <string>
#include <string_view>

namespace marquee
{

void worker_metrics::played(int status, bool with_counts, std::chrono::nanoseconds took) noexcept
{
    const bool failed = status >= 500;
    if (!failed && status != 200)
        return;
    objective_.plays.add();
    if (failed)
        objective_.failed.add();
    else if (took > play_objective)
        objective_.slow.add();
    else if (!with_counts)
        objective_.without_counts.add();
}

void worker_metrics::play_parts(const request_timing& timing) noexcept
{
    for (std::size_t i = 0; i < part_microseconds_.size(); ++i)
        if (const auto took = timing.took(static_cast<request_part>(i)); took && took->count() > 0)
            part_microseconds_[i].add(static_cast<std::uint64_t>(took->count()));
}

void request_meter::count_parts(const request_timing& timing) noexcept
{
    if (with_counts_)
        into_.play_parts(timing);
}

void metrics_board::add_objective(std::string& to) const
{
    const auto total = [this](counter objective_counters::*which)
    {
        return sum([which](const worker_metrics& m) -> const counter& { return m.objective_.*which; });
    };
    constexpr std::string_view plays = "marquee_edge_objective_plays_total";
    add_head(to, plays, "counter", "Plays that were answered with 200 or failed by our fault.");
    add_line(to, plays, "", total(&objective_counters::plays));
    constexpr std::string_view missed = "marquee_edge_objective_missed_total";
    add_head(to, missed, "counter", "Of these plays: those that failed, took over 250 ms, or had no counts.");
    add_line(to, missed, R"(why="failed")", total(&objective_counters::failed));
    add_line(to, missed, R"(why="slow")", total(&objective_counters::slow));
    add_line(to, missed, R"(why="without_counts")", total(&objective_counters::without_counts));
}

void metrics_board::add_play_parts(std::string& to) const
{
    constexpr std::uint64_t nanoseconds = 1000; // in a microsecond
    constexpr std::string_view name = "marquee_edge_play_part_seconds_total";
    add_head(to, name, "counter", "Time that plays spent in each of their parts.");
    for (std::size_t i = 0; i < request_part_names.size(); ++i)
    {
        const auto total = sum([i](const worker_metrics& m) -> const counter& { return m.part_microseconds_[i]; });
        add_line(to, name, "part=\"" + std::string(request_part_names[i]) + '"', in_seconds(total * nanoseconds));
    }
}

} // namespace marquee
