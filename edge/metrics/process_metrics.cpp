// The metrics of the circuits and of the process.
#include "broker/base/process_figures.hpp"
#include "edge/metrics/exposition.hpp"
#include "edge/metrics/metrics.hpp"

#include <algorithm>
#include <string>

namespace marquee
{

std::vector<circuit_summary> metrics_board::circuits() const
{
    using seconds = std::chrono::seconds;
    std::vector<circuit_summary> all;
    for (std::size_t i = 0; i < upstream_services.size(); ++i)
    {
        circuit_summary one{upstream_services[i], 0, workers_.size(), started_};
        std::uint64_t opened = 0; // the first of those that are open
        std::uint64_t closed = 0; // the last of those that are closed
        for (const auto& each : workers_)
        {
            const auto& counted = each.counted->services_[i];
            const auto moved = counted.moved.get();
            const bool open = counted.open.get() > 0;
            one.open += open ? 1 : 0;
            if (open && moved > 0)
                opened = opened == 0 ? moved : std::min(opened, moved);
            else if (!open)
                closed = std::max(closed, moved);
        }
        if (const auto since = one.open > 0 ? opened : closed; since > 0)
            one.since = std::chrono::system_clock::time_point(seconds(since));
        all.push_back(one);
    }
    return all;
}

void metrics_board::add_process(std::string& to) const
{
    const auto now = read_process_figures();
    const auto add = [&to](std::string_view name, std::string_view type, std::string_view help, std::string_view value)
    {
        add_head(to, name, type, help);
        add_line(to, name, "", value);
    };
    const auto add_known = [&add](std::string_view name, std::string_view help, std::optional<std::uint64_t> value)
    {
        if (value)
            add(name, "gauge", help, std::to_string(*value));
    };
    add_head(to, "marquee_edge_info", "gauge", "Always 1; the version is a label.");
    add_line(to, "marquee_edge_info", R"(version=")" MARQUEE_VERSION R"(")", 1);
    add_head(to, "marquee_build_info", "gauge", "Always 1; program and version are labels.");
    add_line(to, "marquee_build_info", R"(service="edge",version=")" MARQUEE_VERSION R"(")", 1);
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(started_.time_since_epoch()).count();
    add("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.",
        in_seconds(static_cast<std::uint64_t>(since) * 1'000'000));
    add("process_cpu_seconds_total", "counter", "CPU time of all threads, user and kernel.",
        in_seconds(static_cast<std::uint64_t>(now.cpu_seconds * 1e9)));
    add_known("process_resident_memory_bytes", "Memory that is resident.", now.resident_bytes);
    add_known("process_open_fds", "File descriptors that are open.", now.open_files);
    add_known("process_max_fds", "File descriptors that may be open.", now.max_files);
    const auto ends = certificate_ends_ ? certificate_ends_() : std::nullopt;
    if (ends)
        add("marquee_tls_certificate_not_after_seconds", "gauge",
            "When the certificate of the edge ends, in seconds since 1970.",
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(ends->time_since_epoch()).count()));
}

} // namespace marquee
