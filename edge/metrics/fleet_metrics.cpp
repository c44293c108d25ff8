#include "edge/metrics/fleet_metrics.hpp"

#include "edge/metrics/exposition.hpp"
#include "edge/metrics/fleet_documents.hpp"
#include "edge/metrics/fleet_rows.hpp"
#include "edge/metrics/fleet_store.hpp"
#include "edge/metrics/metrics.hpp"
#include "schemas/json.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace marquee
{

namespace json = boost::json;

namespace
{

namespace families
{
constexpr metric_family instances{"marquee_fleet_instances", "gauge", "Instances of a service that replied."};
constexpr metric_family instances_left_out{"marquee_fleet_instances_left_out", "gauge",
                                           "Instances beyond the limit of this page."};
constexpr metric_family endpoints_left_out{"marquee_fleet_endpoints_left_out", "gauge",
                                           "Endpoints beyond the limit of this page, or without a valid name."};
constexpr metric_family replies_ignored{"marquee_fleet_replies_ignored", "gauge",
                                        "Replies that were malformed, or of an instance that had replied."};
constexpr metric_family build{"marquee_build_info", "gauge", "Always 1; program and version are labels."};
constexpr metric_family serving{"marquee_service_serving", "gauge", "1 while the instance is in its queue group."};
constexpr metric_family alarm{"marquee_service_alarm", "gauge", "1 while the instance says why it does not serve."};
constexpr metric_family requests{"marquee_service_requests_total", "counter", "Requests that arrived."};
constexpr metric_family errors{"marquee_service_errors_total", "counter",
                               "Requests that were answered with an error, also those about nothing that exists."};
constexpr metric_family durations{"marquee_service_duration_seconds", "histogram", "Time that a handler took."};
constexpr metric_family in_flight{"marquee_service_in_flight", "gauge", "Requests that wait in a handler."};
constexpr metric_family lost{"marquee_service_replies_lost_total", "counter",
                             "Replies of which the requester was told nothing."};
constexpr metric_family overloaded{"marquee_service_replies_overloaded_total", "counter",
                                   "Replies that found no room to be sent, and became an error."};
constexpr metric_family lag_events{"marquee_reporting_lag_events", "gauge",
                                   "Messages of the stream that are to be counted."};
} // namespace families

constexpr std::array process_rows{
    number_row{"start_seconds",
               {"process_start_time_seconds", "gauge", "When the process started, in seconds since 1970."}},
    number_row{"cpu_seconds", {"process_cpu_seconds_total", "counter", "CPU time of all threads, user and kernel."}},
    number_row{"resident_bytes", {"process_resident_memory_bytes", "gauge", "Memory that is resident."}},
    number_row{"open_files", {"process_open_fds", "gauge", "File descriptors that are open."}},
    number_row{"max_files", {"process_max_fds", "gauge", "File descriptors that may be open."}},
};

/// Of every service of ours.
constexpr std::array service_rows{
    number_row{"log_lines_dropped",
               {"marquee_log_lines_dropped_total", "counter", "Lines of the log that were not written."}},
    number_row{"spans_dropped", {"marquee_service_spans_dropped_total", "counter", "Spans that were not exported."}},
};

constexpr std::array reporting_rows{
    number_row{"lag_ms", {"marquee_reporting_lag_seconds", "gauge", "How far behind the stream."}, 1e-3},
    number_row{"applied", {"marquee_reporting_events_total", "counter", "Events counted."}},
    number_row{"duplicates", {"marquee_reporting_duplicates_total", "counter", "Events counted before."}},
    number_row{"rejected", {"marquee_reporting_rejected_total", "counter", "What was no event."}},
    number_row{"uncommitted",
               {"marquee_reporting_uncommitted", "gauge", "Events counted and not yet in the database."}},
    number_row{"database_bytes", {"marquee_reporting_database_bytes", "gauge", "The database and its log."}},
};

constexpr std::array catalogue_rows{
    number_row{"records", {"marquee_catalogue_records", "gauge", "Records in memory."}},
    number_row{"stale_for_ms",
               {"marquee_catalogue_staleness_seconds", "gauge", "How long memory may have been behind the bucket."},
               1e-3},
};

bool is_ours(const std::string& service)
{
    return std::any_of(upstream_services.begin(), upstream_services.end(),
                       [&](upstream_service each) { return name_of(each) == service; });
}

/// The instances on the page, and how much is not.
struct chosen_instances
{
    std::map<std::pair<std::string, std::string>, reported_instance> all; ///< by service and id
    std::size_t left_out = 0;
    std::size_t ignored = 0;
};

void take_in(chosen_instances& chosen, reported_instance one, std::size_t& count, std::size_t most)
{
    std::pair key(one.service, one.id);
    if (chosen.all.contains(key))
        ++chosen.ignored;
    else if (count == most)
        ++chosen.left_out;
    else
    {
        ++count;
        chosen.all.emplace(std::move(key), std::move(one));
    }
}

chosen_instances choose(const fleet_replies& told)
{
    chosen_instances chosen;
    for (const auto& [service, replies] : told.stats)
    {
        std::size_t ours = 0;
        for (const auto& text : replies)
            if (auto one = read_stats(text); one && one->service == service)
                take_in(chosen, std::move(*one), ours, max_fleet_instances);
            else
                ++chosen.ignored;
    }
    std::size_t foreign = 0;
    for (const auto& text : told.foreign)
        if (auto one = read_stats(text); !one)
            ++chosen.ignored;
        else if (!is_ours(one->service))
            take_in(chosen, std::move(*one), foreign, max_foreign_instances);
    return chosen;
}

void add_durations(exposition& page, const reported_endpoint& of, const std::string& labels)
{
    if (!of.durations || !of.processing)
        return;
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < of.durations->counts.size(); ++i)
    {
        count += of.durations->counts[i];
        const auto le = i < of.durations->bounds.size() ? as_sample(of.durations->bounds[i]) : std::string("+Inf");
        page.add(families::durations, labels + ",le=\"" + le + '"', count, "_bucket");
    }
    page.add(families::durations, labels, in_seconds(*of.processing), "_sum");
    page.add(families::durations, labels, count, "_count");
}

void add_endpoint(exposition& page, const reported_endpoint& of, const std::string& labels)
{
    const auto add = [&](const metric_family& family, std::optional<std::uint64_t> value)
    {
        if (value)
            page.add(family, labels, *value);
    };
    add(families::requests, of.requests);
    add(families::errors, of.errors);
    add(families::in_flight, reported_whole(of.data, "in_flight"));
    add(families::lost, reported_whole(of.data, "replies_lost"));
    add(families::overloaded, reported_whole(of.data, "replies_overloaded"));
    add_durations(page, of, labels);
}

/// What is to be counted. While its consumer is lost an instance does not know what comes; the
/// stream does.
void add_lag_events(exposition& page, const json::object& data, const json::object* stream, std::string_view labels)
{
    auto lag = reported_whole(data, "lag");
    const auto counted = reported_whole(data, "last_sequence");
    const auto last = stream != nullptr ? reported_whole(*stream, "last_seq") : std::nullopt;
    const auto messages = stream != nullptr ? reported_whole(*stream, "messages") : std::nullopt;
    if (lag && counted && last && messages && *last > *counted)
        lag = std::max(*lag, std::min(*last - *counted, *messages));
    if (lag)
        page.add(families::lag_events, labels, *lag);
}

/// `stream`: the state of the stream of views; null: not known.
void add_instance(exposition& page, const reported_instance& of, const json::object* stream)
{
    const auto labels = as_label("service", of.service) + ',' + as_label("instance", of.id);
    page.add(families::build, labels + ',' + as_label("version", of.version), 1);
    for (const auto& each : of.endpoints)
        add_endpoint(page, each, labels + ',' + as_label("endpoint", each.name));
    if (of.endpoints.empty() || !is_ours(of.service))
        return;
    const auto& data = of.endpoints.front().data;
    if (const auto* serving = data.if_contains("serving"); serving != nullptr && serving->is_bool())
    {
        page.add(families::serving, labels, serving->as_bool() ? 1 : 0);
        page.add(families::alarm, labels, data.contains("alarm") ? 1 : 0);
    }
    add_numbers(page, service_rows, data, labels);
    if (of.service == name_of(upstream_service::reporting))
    {
        add_lag_events(page, data, stream, labels);
        add_numbers(page, reporting_rows, data, labels);
    }
    else
        add_numbers(page, catalogue_rows, data, labels);
    if (const auto* process = reported_object(data, "process"))
        add_numbers(page, process_rows, *process, labels);
}

} // namespace

std::string fleet_page(const fleet_replies& told)
{
    const auto chosen = choose(told);
    std::map<std::string, std::uint64_t> by_service;
    for (const auto each : upstream_services)
        by_service.emplace(name_of(each), 0);
    std::size_t endpoints_left_out = 0;
    for (const auto& [key, one] : chosen.all)
    {
        ++by_service[one.service];
        endpoints_left_out += one.endpoints_left_out;
    }
    exposition page;
    for (const auto& [service, count] : by_service)
        page.add(families::instances, as_label("service", service), count);
    page.add(families::instances_left_out, "", chosen.left_out);
    page.add(families::endpoints_left_out, "", endpoints_left_out);
    page.add(families::replies_ignored, "", chosen.ignored);
    const auto stream = told.stream ? read_object(*told.stream) : std::nullopt;
    for (const auto& [key, one] : chosen.all)
        add_instance(page, one, stream ? reported_object(*stream, "state") : nullptr);
    add_stream(page, stream);
    add_account(page, told.account ? read_object(*told.account) : std::nullopt);
    return page.text();
}

} // namespace marquee
