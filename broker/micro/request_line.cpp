#include "broker/micro/request_line.hpp"

#include "broker/base/access_log.hpp"
#include "schemas/subjects.hpp"

#include <algorithm>

namespace marquee::detail
{

namespace
{

constexpr std::string_view header_traceparent = "traceparent";

void log_request(const endpoint_config& to, std::string_view id, std::string_view traceparent,
                 const service_result& outcome, std::chrono::nanoseconds took)
{
    const int status = outcome.has_value() ? 200 : service_code_of(outcome.error().what.code);
    auto line = access_line(status >= 500, to.long_poll ? std::chrono::nanoseconds{0} : took, id);
    if (!line)
        return;
    if (!id.empty())
        line->add("request", id);
    if (const auto trace = trace_id_of(traceparent); !trace.empty())
        line->add("trace", trace);
    line->add("subject", to.subject).add("status", static_cast<std::uint64_t>(status));
    if (outcome.has_error())
        line->add("code", name_of(outcome.error().what.code));
    if (status >= 500 && !outcome.error().what.detail.empty())
        line->add("detail", outcome.error().what.detail);
    line->add("duration_us",
              static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    if (outcome.has_value())
        line->add("bytes", outcome->data.size());
    line->write();
}

} // namespace

logged_request logged_request::of(const header_list& headers)
{
    return {std::string(headers.get(names::header_request_id)), std::string(headers.get(header_traceparent))};
}

std::string_view trace_id_of(std::string_view traceparent) noexcept
{
    constexpr std::size_t first = 3; // behind the version and a hyphen
    constexpr std::size_t size = 32;
    if (traceparent.size() < first + size + 1 || traceparent[first - 1] != '-' || traceparent[first + size] != '-')
        return {};
    const auto id = traceparent.substr(first, size);
    const bool is_hex =
        std::all_of(id.begin(), id.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    return is_hex ? id : std::string_view();
}

void log_request(const endpoint_config& to, const header_list& headers, const service_result& outcome,
                 std::chrono::nanoseconds took)
{
    log_request(to, headers.get(names::header_request_id), headers.get(header_traceparent), outcome, took);
}

void log_request(const endpoint_config& to, const logged_request& request, const service_result& outcome,
                 std::chrono::nanoseconds took)
{
    log_request(to, request.id, request.traceparent, outcome, took);
}

} // namespace marquee::detail
