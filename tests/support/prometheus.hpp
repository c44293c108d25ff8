// Prometheus' text format 0.0.4, read strictly.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::test
{

using metric_labels = std::map<std::string, std::string>;

struct metric_sample
{
    std::string name;
    metric_labels labels;
    double value = 0;
};

struct metrics_page
{
    std::vector<metric_sample> samples;
    std::map<std::string, std::string> types; ///< by family
    std::map<std::string, double> series;     ///< `name{label="value",…}`, labels sorted
    std::vector<std::string> complaints;      ///< violations of the format or its conventions

    /// The sum of all samples of that name that have these labels.
    [[nodiscard]] std::uint64_t sum(std::string_view name, const metric_labels& with = {}) const;

    /// Whether a series only ever grows: those of counters and histograms.
    [[nodiscard]] bool is_monotonic(const std::string& one) const;
};

/// Never throws: what cannot be read is a complaint.
[[nodiscard]] metrics_page read_metrics(std::string_view text);

} // namespace marquee::test
