#include "edge/routes/request_span.hpp"

#include "broker/base/access_log.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace marquee
{

namespace
{

/// The methods that conventions allow as a value; every other one is `_OTHER`.
bool is_known_method(std::string_view method)
{
    static constexpr std::array known = {
        std::string_view("GET"),     std::string_view("HEAD"),   std::string_view("POST"),
        std::string_view("PUT"),     std::string_view("DELETE"), std::string_view("OPTIONS"),
        std::string_view("CONNECT"), std::string_view("TRACE"),  std::string_view("PATCH")};
    return std::find(known.begin(), known.end(), method) != known.end();
}

/// The context that the client sent.
std::optional<trace_context> context_of(const http_fields& fields)
{
    const auto parent = fields.get("traceparent");
    if (!parent || fields.count("traceparent") != 1)
        return std::nullopt;
    return parse_traceparent(*parent, fields.joined("tracestate").value_or(""));
}

/// Host and port of the Host field.
void set_server(span& one, std::string_view host)
{
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos)
    {
        if (const auto port = parse_number<std::uint16_t>(host.substr(colon + 1)))
            one.set("server.port", *port);
        host = host.substr(0, colon);
    }
    if (!host.empty())
        one.set("server.address", host);
}

} // namespace

span begin_request_span(const trace_rules& rules, const http_request& request, const network_list* trusted,
                        request_timing& timing)
{
    if (!rules.on && !logs_requests())
        return {};
    auto own = context_of(request.fields);
    if (own)
        timing.set_trace_id(trace_id_text(*own));
    if (!rules.on)
        return {};
    std::array<std::uint8_t, 8> parent{};
    if (own)
    {
        parent = own->span_id;
        const bool believed = trusted != nullptr && trusted->contains(request.peer);
        own->sampled = believed ? own->sampled : rules.ratio.samples_foreign();
        if (!own->sampled)
            return {};
        own = child_of(*own);
    }
    else if (!rules.ratio.none())
    {
        own = make_trace();
        own->sampled = rules.ratio.samples(*own);
    }
    if (!own || !own->sampled)
        return {};
    timing.set_trace_id(trace_id_text(*own));
    const auto method = is_known_method(request.method) ? std::string_view(request.method) : "_OTHER";
    auto one = span::begin(std::move(*own), parent, method == "_OTHER" ? "HTTP" : method, span_kind::server);
    one.set("http.request.method", method);
    if (method == "_OTHER")
        one.set("http.request.method_original", request.method);
    one.set("url.scheme", rules.tls ? "https" : "http");
    if (const auto host = request.fields.get("Host"))
        set_server(one, *host);
    one.set("marquee.request.id", request.id);
    return one;
}

void name_request_span(span& one, std::string_view method, std::string_view pattern)
{
    if (!one)
        return;
    one.rename(std::string(method) + ' ' + std::string(pattern));
    one.set("http.route", pattern);
}

void end_request_span(span& one, int status, std::string_view code)
{
    if (!one)
        return;
    one.set("http.response.status_code", status);
    if (!code.empty())
        one.set("marquee.code", code);
    if (status >= 500)
        one.fail(code.empty() ? std::string_view("_OTHER") : code);
    one.end();
}

} // namespace marquee
