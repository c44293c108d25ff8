#include "edge/routes/request_line.hpp"

#include "broker/base/access_log.hpp"
#include "edge/routes/routes.hpp"
#include "schemas/error.hpp"

#include <array>

namespace marquee
{

namespace
{

std::uint64_t microseconds(std::chrono::nanoseconds time)
{
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

void add_parts(log_line& line, const request_timing& timing)
{
    constexpr std::array keys{"lookups_us", "store_us", "count_us"};
    static_assert(keys.size() == request_part_names.size());
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (const auto took = timing.took(static_cast<request_part>(i)))
            line.add(keys[i], microseconds(*took));
}

/// The names of codes are constant; detail and field may repeat what a client or a service sent.
void add_failure(log_line& line, const error& why)
{
    line.add("code", name_of(why.code));
    if (traits_of(why.code).http_status < 500)
        return;
    if (!why.detail.empty())
        line.add("detail", why.detail);
    if (!why.field.empty())
        line.add("field", why.field);
}

} // namespace

request_facts facts_of(const http_request& request, const rate_limits* limits)
{
    const bool proxied = limits != nullptr && limits->trusted_proxies.contains(request.peer);
    return {request.id, request.method,
            proxied ? client_of(request.peer, request.fields, limits->trusted_proxies) : request.peer};
}

void log_request(const request_facts& facts, const request_meter& meter, const request_timing& timing,
                 const request_outcome& outcome)
{
    auto line = access_line(outcome.status >= 500, outcome.took, facts.id);
    if (!line)
        return;
    line->add("request", facts.id);
    if (const auto trace = timing.trace_id(); !trace.empty())
        line->add("trace", trace);
    line->add("method", facts.method);
    line->add("route", meter.route() ? all_routes()[*meter.route()].pattern : std::string_view("other"));
    line->add("status", static_cast<std::uint64_t>(outcome.status));
    if (outcome.why != nullptr)
        add_failure(*line, *outcome.why);
    line->add("duration_us", microseconds(outcome.took));
    add_parts(*line, timing);
    line->add("bytes", outcome.bytes).add("client", facts.client.text());
    line->write();
}

void log_refused(const refused_input& input)
{
    auto line = access_line(input.status >= 500, {}, input.request_id);
    if (!line)
        return;
    line->add("request", input.request_id).add("route", "other");
    line->add("status", static_cast<std::uint64_t>(input.status));
    if (input.why != nullptr)
        add_failure(*line, *input.why);
    line->add("client", input.peer.text()).write();
}

} // namespace marquee
