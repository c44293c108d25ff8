// The metrics of the export of spans.
#include "broker/telemetry/span.hpp"
#include "edge/metrics/metrics.hpp"

namespace marquee
{

/// Nothing while spans are not exported.
void metrics_board::add_traces(std::string& to)
{
    const auto* spans = process_sink();
    if (spans == nullptr)
        return;
    const auto add = [&to](std::string_view name, std::string_view help, std::uint64_t value)
    {
        (((to += "# HELP ") += name) += ' ') += help;
        ((to += "\n# TYPE ") += name) += " counter\n";
        (((to += name) += ' ') += std::to_string(value)) += '\n';
    };
    add("marquee_edge_spans_exported_total", "Spans that the collector took.", spans->exported());
    add("marquee_edge_spans_dropped_total",
        "Spans that were not exported: no room, or the collector did not take them.", spans->dropped());
}

} // namespace marquee
