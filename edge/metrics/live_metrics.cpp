// The metrics of live streams.
#include "edge/metrics/exposition.hpp"
#include "edge/metrics/metrics.hpp"

#include <array>
#include <string>
#include <string_view>

namespace marquee
{

void metrics_board::add_live(std::string& to) const
{
    struct family
    {
        std::string_view name;
        std::string_view type;
        std::string_view help;
        counter live_counters::*of;
    };
    constexpr std::array families{
        family{"marquee_edge_live_clients", "gauge", "Live streams that are open.", &live_counters::clients},
        family{"marquee_edge_live_events_total", "counter", "Views that were sent in live streams.",
               &live_counters::events},
        family{"marquee_edge_live_slow_total", "counter",
               "Live streams that ended because their client did not keep up.", &live_counters::slow}};
    for (const auto& [name, type, help, member] : families)
    {
        const auto total = sum([which = member](const worker_metrics& m) -> const counter& { return m.live_.*which; });
        add_head(to, name, type, help);
        add_line(to, name, "", total);
    }
}

} // namespace marquee
