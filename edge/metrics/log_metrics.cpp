#include "broker/base/log_writer.hpp"
#include "edge/metrics/metrics.hpp"

namespace marquee
{

/// Of the process, whose threads share the log.
void metrics_board::add_log(std::string& to)
{
    constexpr std::string_view name = "marquee_log_lines_dropped_total";
    ((to += "# HELP ") += name) += " Lines of the log that were not written.\n";
    ((to += "# TYPE ") += name) += " counter\n";
    ((to += name) += ' ') += std::to_string(log_lines_dropped());
    to += '\n';
}

} // namespace marquee
