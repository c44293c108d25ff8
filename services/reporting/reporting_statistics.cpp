#include "services/reporting/reporting_statistics.hpp"

#include "broker/micro/service.hpp"
#include "schemas/duration.hpp"

#include <chrono>

namespace marquee
{

boost::json::object reporting_statistics(const projection_progress& p, const counting_rule& rule,
                                         const lag_meter& meter, bool serving, const std::string& alarm,
                                         const consumer_losses& losses)
{
    boost::json::object data{{"applied", p.applied}, {"duplicates", p.duplicates}, {"rejected", p.rejected}};
    if (p.rejected > 0)
        data["last_reject"] =
            boost::json::object{{"sequence", p.last_reject_sequence}, {"reason", p.last_reject_reason}};
    if (p.retracted > 0)
        data["retracted"] = p.retracted;
    if (p.erased > 0)
        data["erased"] = p.erased;
    data["last_sequence"] = p.last_sequence;
    data["lag"] = meter.pending();
    if (const auto behind = meter.lag(lag_meter::clock::now()))
        data["lag_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*behind).count();
    data["serving"] = serving;
    const auto window = std::chrono::floor<std::chrono::milliseconds>(rule.dedupe_window);
    data["rule"] = boost::json::object{{"version", rule.version}, {"dedupe_window", to_text(window)}};
    data["consumer_lost"] = losses.in_a_row;
    if (p.skipped > 0)
        data["skipped"] = p.skipped;
    if (p.rule_since > 0)
        data["rule_since"] = p.rule_since;
    if (!alarm.empty())
        data["alarm"] = alarm;
    else if (losses.stuck())
        data["alarm"] = losses.text();
    add_span_counts(data);
    return data;
}

} // namespace marquee
