// The line of a request in the log.
#pragma once

#include "edge/http/request_timing.hpp"
#include "edge/http/session_settings.hpp"
#include "edge/metrics/metrics.hpp"
#include "edge/routes/context.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace marquee
{

/// What is known before the request goes to its handler.
struct request_facts
{
    std::string id;
    std::string method;
    client_address client; ///< as the rate limits see it, with the whole address
};

[[nodiscard]] request_facts facts_of(const http_request& request, const rate_limits* limits);

/// How a request was answered.
struct request_outcome
{
    int status = 0;
    std::size_t bytes = 0;      ///< of the body; 0: none, or a stream
    const error* why = nullptr; ///< of a failure
    std::chrono::nanoseconds took{0};
};

/// Writes the line of an answered request, if it gets one (access_line()). Never has what a client
/// sent but its id: no target, no fields, no body. On the io thread of the request.
void log_request(const request_facts& facts, const request_meter& meter, const request_timing& timing,
                 const request_outcome& outcome);

/// The same for input that never became a request.
void log_refused(const refused_input& input);

} // namespace marquee
