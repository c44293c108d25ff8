// The span of an HTTP request, by OpenTelemetry's conventions for HTTP servers.
#pragma once

#include "broker/telemetry/span.hpp"
#include "edge/http/client_address.hpp"
#include "edge/http/http.hpp"
#include "edge/http/request_timing.hpp"

#include <string_view>

namespace marquee
{

/// Which requests are traced.
struct trace_rules
{
    bool on = false;   ///< false: nothing is traced
    trace_ratio ratio; ///< of the requests that no trusted proxy has decided about
    bool tls = false;  ///< whether the edge takes requests over TLS
};

/// Begins the span; one that is not recorded where the request is not sampled. The ids of a valid
/// `traceparent` are kept. Its flag `sampled` is believed where the connection comes from one of
/// `trusted` (null: none). For a trace of anybody else a random number decides, since a client that
/// picks the id would else pick the verdict; for a new trace its id does.
///
/// `timing` gets the id of the trace, also of one that is not sampled where a client sent it.
/// Without traces and without an access log no field is read.
[[nodiscard]] span begin_request_span(const trace_rules& rules, const http_request& request,
                                      const network_list* trusted, request_timing& timing);

/// Names it by the route, as soon as that is known.
void name_request_span(span& one, std::string_view method, std::string_view pattern);

/// Ends it. `code`: of the failure, else empty. Status ERROR, and with it `error.type`, is for 500
/// and above: by the conventions, what a client did wrong is no error of a server.
void end_request_span(span& one, int status, std::string_view code);

} // namespace marquee
