#include "broker/micro/discovery.hpp"

#include "broker/base/log_writer.hpp"
#include "broker/base/process_figures.hpp"
#include "broker/micro/service_detail.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

namespace marquee::detail
{

namespace json = boost::json;

namespace
{

json::object standard_fields(const service_identity& of, const char* type)
{
    return {{"type", type},
            {"name", of.config.name},
            {"id", of.id},
            {"version", of.config.version},
            {"metadata", as_json(of.config.metadata)}};
}

/// `bounds` are seconds; `counts` has one more than they are, and is not cumulative.
json::object durations_of(const duration_histogram& from)
{
    json::array bounds;
    for (const auto each : duration_histogram::bounds)
        bounds.push_back(std::chrono::duration<double>(each).count());
    return {{"bounds", std::move(bounds)},
            {"counts", json::array(from.counts().begin(), from.counts().end())},
            {"p50", from.quantile(0.5)},
            {"p95", from.quantile(0.95)},
            {"p99", from.quantile(0.99)}};
}

json::object process_document()
{
    const auto now = read_process_figures();
    json::object out{{"start_seconds", now.start_seconds}, {"cpu_seconds", now.cpu_seconds}};
    if (now.resident_bytes)
        out["resident_bytes"] = *now.resident_bytes;
    if (now.open_files)
        out["open_files"] = *now.open_files;
    if (now.max_files)
        out["max_files"] = *now.max_files;
    return out;
}

/// The endpoint's own members, and what became of requests and messages.
json::value data_of(const endpoint& of, const std::string& since, const message_counts& discovery)
{
    auto data = of.config.data ? of.config.data() : json::value(json::object());
    if (auto* members = data.if_object())
    {
        (*members)["requests_refused"] = of.messages.refused;
        (*members)["replies_waited"] = of.messages.waited;
        (*members)["replies_overloaded"] = of.messages.overloaded;
        (*members)["replies_lost"] = of.messages.lost;
        (*members)["discovery_refused"] = discovery.refused;
        (*members)["discovery_lost"] = discovery.lost;
        (*members)["log_lines_dropped"] = log_lines_dropped();
        (*members)["in_flight"] = of.in_flight;
        (*members)["since"] = since;
        (*members)["durations"] = durations_of(of.durations);
    }
    return data;
}

} // namespace

json::value ping_document(const service_identity& of) { return standard_fields(of, "io.nats.micro.v1.ping_response"); }

json::value info_document(const service_identity& of, const std::vector<endpoint_ptr>& endpoints)
{
    auto out = standard_fields(of, "io.nats.micro.v1.info_response");
    out["description"] = of.config.description;
    json::array list;
    for (const auto& e : endpoints)
        list.push_back({{"name", e->config.name},
                        {"subject", e->config.subject},
                        {"queue_group", of.config.queue_group},
                        {"metadata", as_json(e->config.metadata)}});
    out["endpoints"] = std::move(list);
    return out;
}

json::value stats_document(const service_identity& of, const std::vector<endpoint_ptr>& endpoints,
                           const message_counts& discovery)
{
    auto out = standard_fields(of, "io.nats.micro.v1.stats_response");
    out["started"] = of.started;
    json::array list;
    for (const auto& e : endpoints)
    {
        const auto total = e->processing.count();
        json::object one{
            {"name", e->config.name},
            {"subject", e->config.subject},
            {"queue_group", of.config.queue_group},
            {"num_requests", e->requests},
            {"num_errors", e->errors},
            {"last_error", e->last_error},
            {"processing_time", total},
            {"average_processing_time", e->requests == 0 ? 0 : total / static_cast<std::int64_t>(e->requests)}};
        one["data"] = data_of(*e, of.started, discovery);
        if (auto* members = one["data"].if_object(); members != nullptr && list.empty())
            (*members)["process"] = process_document(); // once is enough
        list.push_back(std::move(one));
    }
    out["endpoints"] = std::move(list);
    return out;
}

} // namespace marquee::detail
