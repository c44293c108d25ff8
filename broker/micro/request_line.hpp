// The line of a service's request in the log.
#pragma once

#include "broker/micro/service.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace marquee::detail
{

/// What the line needs of a request whose message is gone by then.
struct logged_request
{
    std::string id;          ///< Marquee-Request-Id
    std::string traceparent; ///< W3C Trace Context

    [[nodiscard]] static logged_request of(const header_list& headers);
};

/// The trace id of a traceparent header, 32 lower-case hexadecimal digits; empty where it has none.
[[nodiscard]] std::string_view trace_id_of(std::string_view traceparent) noexcept;

/// Writes the line of a request, if it gets one (access_line()). It has the endpoint's pattern, not
/// the subject, and nothing of the request but its ids.
void log_request(const endpoint_config& to, const header_list& headers, const service_result& outcome,
                 std::chrono::nanoseconds took);
void log_request(const endpoint_config& to, const logged_request& request, const service_result& outcome,
                 std::chrono::nanoseconds took);

} // namespace marquee::detail
