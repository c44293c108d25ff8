#include "edge/routes/gateway.hpp"

#include "broker/base/log.hpp"
#include "broker/base/log_quota.hpp"
#include "edge/limits/rate_limit.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/routes/request_line.hpp"
#include "schemas/ids.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace marquee
{

namespace
{

/// Counts a request as in flight while it exists, and then admits a waiting session.
class in_flight_guard
{
public:
    explicit in_flight_guard(admission& in) noexcept : in_(in) { ++in_.in_flight; }
    ~in_flight_guard()
    {
        --in_.in_flight;
        // A client that was just answered often sends its next request at once and takes the free
        // place. Sessions admitted while many requests are in flight would mostly be refused again,
        // and a refusal costs half as much as a play.
        if (in_.in_flight <= in_.max_in_flight / 4)
            in_.queue.release_one();
    }
    in_flight_guard(const in_flight_guard&) = delete;
    in_flight_guard& operator=(const in_flight_guard&) = delete;

private:
    admission& in_;
};

/// A body without Content-Type is read as JSON. Parameters of the type are ignored.
result<void> check_content_type(const http_fields& fields)
{
    const auto given = fields.joined("Content-Type");
    if (!given)
        return {};
    const auto type = trim_blanks(std::string_view(*given).substr(0, given->find(';')));
    if (!equals_ignoring_case(type, "application/json"))
        return fail(errc::unsupported_media, "The body must be application/json.", "Content-Type");
    return {};
}

/// Refuses every content coding but identity: the edge decodes none.
boost::system::result<void, request_failure> check_content_encoding(const http_fields& fields)
{
    const auto codings = fields.joined("Content-Encoding").value_or(""); // list_elements() returns views of it
    for (const auto coding : list_elements(codings))
        if (!equals_ignoring_case(coding, "identity"))
        {
            request_failure refused(fail(errc::unsupported_media, "The body must not be encoded.", "Content-Encoding"));
            refused.fields.add("Accept-Encoding", "identity");
            return refused;
        }
    return {};
}

/// The name of a query parameter, percent-encoded again for the `field` of a problem.
std::string percent_encoded(std::string_view name)
{
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string encoded;
    for (const unsigned char c : name)
        if (c > 0x20 && c < 0x7f && c != '%' && c != '&' && c != '=' && c != '+')
            encoded += static_cast<char>(c);
        else
            ((encoded += '%') += hex[c >> 4U]) += hex[c & 15U];
    return encoded.empty() ? "query" : encoded;
}

/// Refuses unknown and repeated query parameters: a client that misspells one would otherwise get a
/// wrong answer. `_` is allowed, which clients use to bypass caches.
result<void> check_parameters(const route& wanted, const request_target& target)
{
    if (!checks_parameters(wanted))
        return {};
    const auto& query = target.query;
    for (auto each = query.begin(); each != query.end(); ++each)
    {
        const auto& name = each->first;
        if (name == "_")
            continue;
        if (!takes_parameter(wanted, name))
            return fail(errc::bad_request, "The path takes no parameter of this name.", percent_encoded(name));
        if (name != wanted.is.repeatable &&
            std::any_of(query.begin(), each, [&](const auto& before) { return before.first == name; }))
            return fail(errc::bad_request, "The parameter is given more than once.", percent_encoded(name));
    }
    return {};
}

boost::system::result<void, request_failure> check_rights_and_body(access_rules& access, const route& wanted,
                                                                   const http_request& request,
                                                                   const std::vector<std::string>& parameters)
{
    if (wanted.is.user)
        if (auto own = access.players.check(request.fields, parameters.back()); own.has_error())
            return own;
    if (wanted.is.admin)
        if (auto allowed = access.admin.check(request.fields); allowed.has_error())
            return allowed;
    if (wanted.is.body)
    {
        if (auto typed = check_content_type(request.fields); typed.has_error())
            return typed.error();
        return check_content_encoding(request.fields);
    }
    return {};
}

/// The ids of a path, each parsed once; nothing if the route has none of that kind.
struct path_ids
{
    std::optional<result<asset_id>> asset;
    std::optional<result<user_id>> user;
};

path_ids parse_ids(const route_match& matched)
{
    path_ids ids;
    auto pattern = matched.found->pattern;
    for (const auto& text : matched.parameters)
    {
        pattern.remove_prefix(pattern.find('{') + 1);
        if (pattern.starts_with("asset}"))
            ids.asset = asset_id::parse(text);
        else if (pattern.starts_with("user}"))
            ids.user = user_id::parse(text);
    }
    return ids;
}

/// Fails with bad_id if a path parameter is `.` or `..`, or an id is invalid.
result<void> check_ids(const route_match& matched, const path_ids& ids)
{
    if (matched.found->is.files) // has the path of a file
        return {};
    auto pattern = matched.found->pattern;
    for (const auto& text : matched.parameters)
    {
        pattern.remove_prefix(pattern.find('{') + 1);
        if (!is_path_id(text))
            return fail(errc::bad_id, "an id in a path is neither . nor ..",
                        std::string(pattern.substr(0, pattern.find('}'))));
    }
    if (ids.asset && ids.asset->has_error())
        return ids.asset->error();
    if (ids.user && ids.user->has_error())
        return ids.user->error();
    return {};
}

/// Answers OPTIONS (RFC 9110 section 9.3.7) for a path, for the whole edge (`*`) and for a CORS
/// preflight.
http_result answer_options(const edge_context& edge, const http_request& request, route_set among)
{
    auto allow = all_methods(among);
    if (request.target != "*")
    {
        auto target = parse_target(request.target);
        if (target.has_error())
            return target.error();
        allow = allowed_methods(target->segments, among);
        if (allow.empty() && request.target == "/")
            allow = "OPTIONS"; // load balancers check with /
        if (allow.empty())
            return fail(errc::route_not_found);
    }
    http_response answer;
    answer.status = 204;
    answer.fields.add("Allow", allow);
    if (is_preflight(request))
        edge.cors.grant_preflight(request.fields, allow, answer.fields);
    return answer;
}

/// Refuses a request, and reads the broker's messages after every sixteenth refusal in a row.
/// Otherwise thousands of connections to refuse would be served before the broker's, and requests
/// in flight, which need several replies each, would wait for all of them each time.
error refuse_overload(admission& in)
{
    constexpr std::uint64_t refusals_in_a_row = 16;
    if (++in.refused % refusals_in_a_row == 0)
        in.read_broker();
    return fail(errc::overloaded, "Too many requests are under way; nothing was done.");
}

/// Runs the checks that may refuse a request before its handler, the cheapest first.
boost::system::result<routed_call, request_failure> admit(edge_context& edge, http_request request, route_set among,
                                                          rate_check& rates, request_meter& meter,
                                                          request_timing& timing, span& trace)
{
    const auto until = deadline::in(edge.admitted.timeout);
    auto target = parse_target(request.target);
    if (target.has_error())
        return target.error();
    auto matched = find_route(request.method, target->segments, among);
    if (matched.has_error())
        return matched.error();
    const auto& wanted = *matched->found;
    meter.routed(index_of(wanted));
    if (wanted.is.internal)
        trace.discard(); // health checks and metrics would be most of what is recorded
    name_request_span(trace, request.method, wanted.pattern);
    if (wanted.handler == handlers::play)
        meter.played(true); // until its handler says otherwise
    if (!wanted.is.internal && edge.admitted.in_flight >= edge.admitted.max_in_flight)
        return request_failure(refuse_overload(edge.admitted)); // before the costly check of a signature
    if (auto allowed = check_rights_and_body(edge.access, wanted, request, matched->parameters); allowed.has_error())
        return allowed.error();
    auto ids = parse_ids(*matched);
    if (wanted.is.user && ids.user && ids.user->has_value())
        if (auto within = rates.count_user((*ids.user)->text()); within.has_error())
            return within.error();
    if (auto known = check_parameters(wanted, *target); known.has_error())
        return request_failure(known.error());
    if (auto valid = check_ids(*matched, ids); valid.has_error())
        return request_failure(valid.error());

    routed_call call{
        wanted, std::move(request), std::move(*target), until, among, {}, {}, std::move(matched->parameters), timing};
    call.trace = trace.context();
    if (ids.asset)
        call.asset = std::move(**ids.asset);
    if (ids.user)
        call.user = std::move(**ids.user);
    call.meter = &meter;
    return call;
}

/// An exception is a failure of the request, and counted and logged as one. `id`: of the request.
asio::awaitable<http_result> answer_request(edge_context& edge, http_request request, route_set among,
                                            rate_check& rates, request_meter& meter, request_timing& timing,
                                            span& trace, const std::string& id)
{
    try
    {
        if (!is_unlimited(request.target, among) && !is_preflight(request))
            if (auto within = rates.count_address(request); within.has_error())
                co_return within.error();
        if (request.method == "OPTIONS")
            co_return answer_options(edge, request, among);
        auto call = admit(edge, std::move(request), among, rates, meter, timing, trace);
        if (call.has_error())
            co_return call.error();
        const auto& wanted = call->found;
        if (wanted.is.internal)
            co_return co_await wanted.handler(edge, std::move(*call));
        const in_flight_guard counted(edge.admitted);
        co_return co_await wanted.handler(edge, std::move(*call));
    }
    catch (const std::exception& e)
    {
        static limited_log exceptions(log_level::error, "a handler threw");
        exceptions.write({{"request", id}, {"what", e.what()}});
    }
    co_return fail(errc::service_failed, "An internal error.");
}

} // namespace

asio::awaitable<http_response> handle_request(edge_context& edge, http_request request, route_set among)
{
    const auto facts = facts_of(request, edge.admitted.rates);
    rate_check rates(edge.admitted.rates);
    request_meter meter(*edge.metrics.worker, request.method);
    request_timing timing(meter.begin());
    const auto* limits = edge.admitted.rates;
    auto trace =
        begin_request_span(edge.tracing, request, limits != nullptr ? &limits->trusted_proxies : nullptr, timing);
    auto answering = answer_request(edge, std::move(request), among, rates, meter, timing, trace, facts.id);
    auto answer = co_await std::move(answering);
    request_outcome outcome;
    outcome.status = answer.has_value() ? answer->status : status_of(answer.error().what.code);
    outcome.took = meter.answered(outcome.status);
    timing.finish(timing.begin() + outcome.took);
    meter.count_parts(timing);
    end_request_span(trace, outcome.status,
                     answer.has_value() ? std::string_view() : name_of(answer.error().what.code));
    if (answer.has_value())
    {
        rates.describe(answer->fields);
        if (!answer->fields.get("Cache-Control"))
            answer->fields.add("Cache-Control", "no-store");
        outcome.bytes = meter.head() ? 0 : answer->body.size();
        log_request(facts, meter, timing, outcome);
        co_return std::move(*answer);
    }
    auto failure = answer.error();
    rates.describe(failure.fields);
    auto problem = problem_response(failure, facts.id);
    outcome.bytes = meter.head() ? 0 : problem.body.size();
    outcome.why = &failure.what;
    log_request(facts, meter, timing, outcome);
    co_return problem;
}

} // namespace marquee
