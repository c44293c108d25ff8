#include "edge/gateway.hpp"

#include "broker/log_quota.hpp"
#include "edge/rate_limit.hpp"
#include "edge/routes.hpp"
#include "schemas/ids.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace marquee
{

namespace
{

class in_flight_guard
{
public:
    explicit in_flight_guard(edge_context& edge) noexcept : edge_(edge) { ++edge_.in_flight; }
    ~in_flight_guard()
    {
        --edge_.in_flight;
        // Whoever was just answered may ask again at once and takes that room: others, let in while much is under way, would mostly be refused
        // once more, each at half the price of a play.
        if (edge_.in_flight <= edge_.max_in_flight / 4)
            edge_.room.let_in();
    }
    in_flight_guard(const in_flight_guard&) = delete;
    in_flight_guard& operator=(const in_flight_guard&) = delete;

private:
    edge_context& edge_;
};

/// A body without a type is taken for JSON; parameters do not matter.
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

/// Nothing here decodes a body.
boost::system::result<void, request_failure> check_content_encoding(const http_fields& fields)
{
    const auto codings = fields.joined("Content-Encoding").value_or(""); // the elements refer to it
    for (const auto coding : list_elements(codings))
        if (!equals_ignoring_case(coding, "identity"))
        {
            request_failure refused(fail(errc::unsupported_media, "The body must not be encoded.", "Content-Encoding"));
            refused.fields.add("Accept-Encoding", "identity");
            return refused;
        }
    return {};
}

/// The name of a parameter as a client may have written it, so that it can stand in a `field`.
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

/// What is asked with a parameter that is ignored is answered wrongly. Caches are passed by with `_`.
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
        if (std::any_of(query.begin(), each, [&](const auto& before) { return before.first == name; }))
            return fail(errc::bad_request, "The parameter is given more than once.", percent_encoded(name));
    }
    return {};
}

boost::system::result<void, request_failure> check_rights(edge_context& edge, const route& wanted, const http_request& request,
                                                          const std::vector<std::string>& ids)
{
    if (names_user(wanted))
        if (auto own = edge.players.check(request.fields, ids.back()); own.has_error())
            return own;
    if (wanted.admin)
        if (auto allowed = edge.admin.check(request.fields); allowed.has_error())
            return allowed;
    if (wanted.json)
    {
        if (auto typed = check_content_type(request.fields); typed.has_error())
            return typed.error();
        return check_content_encoding(request.fields);
    }
    return {};
}

/// What stands for a pattern's parameters, in its order. Handlers look at the rest of what an id is.
result<void> check_ids(const route& wanted, const std::vector<std::string>& ids)
{
    auto names = wanted.pattern;
    for (const auto& id : ids)
    {
        names.remove_prefix(names.find('{') + 1);
        if (!is_id_of_a_path(id))
            return fail(errc::bad_id, "an id in a path is neither . nor ..", std::string(names.substr(0, names.find('}'))));
    }
    return {};
}

/// Every route that names a user names it last.
boost::system::result<void, request_failure> count_user(rate_tally& tally, const route_match& matched)
{
    if (matched.found->pattern.ends_with("/user/{user}") && is_valid_id(matched.ids.back()))
        return tally.count_user(matched.ids.back());
    return {};
}

/// What may be asked of a path, of the whole edge (`*`), or by a page of another origin.
http_result answer_options(const edge_context& edge, const http_request& request)
{
    std::string allow = "GET, HEAD, POST, DELETE, OPTIONS";
    if (request.target != "*")
    {
        auto target = parse_target(request.target);
        if (target.has_error())
            return target.error();
        allow = request.target == "/" ? "OPTIONS" : allowed_methods(target->segments); // a balancer's plain check asks so
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

/// Thousands of connections may be waiting to be refused, and the broker's would have its turn after all of them: the requests under way, which
/// need several answers each, would wait so long again and again.
error refuse_overload(edge_context& edge)
{
    constexpr std::uint64_t refusals_in_a_row = 16;
    if (++edge.overloads % refusals_in_a_row == 0)
        edge.read_broker();
    return fail(errc::overloaded, "Too many requests are under way; nothing was done.");
}

/// Under overload, or while the broker is away, every request fails.
void log_failure(const std::string& request, const error& why)
{
    static limited_log failures(log_level::warning, "request failed", {100, std::chrono::seconds(10)});
    failures.write(
        {{"request", request}, {"code", std::string(name_of(why.code))}, {"detail", why.detail}, {"field", why.field}});
}

asio::awaitable<http_result> answer_request(edge_context& edge, http_request request, rate_tally& tally, request_meter& meter)
{
    const auto until = deadline::in(edge.timeout);
    if (auto within = tally.count_address(request); within.has_error())
        co_return within.error();
    if (request.method == "OPTIONS")
        co_return answer_options(edge, request);
    auto target = parse_target(request.target);
    if (target.has_error())
        co_return target.error();
    auto matched = find_route(request.method, target->segments);
    if (matched.has_error())
        co_return matched.error();
    const auto& wanted = *matched->found;
    meter.routed(wanted);
    if (!wanted.internal && edge.in_flight >= edge.max_in_flight) // before anything that costs, such as a signature
        co_return refuse_overload(edge);
    if (auto allowed = check_rights(edge, wanted, request, matched->ids); allowed.has_error())
        co_return allowed.error();
    if (auto within = count_user(tally, *matched); within.has_error())
        co_return within.error();
    if (auto known = check_parameters(wanted, *target); known.has_error())
        co_return known.error();
    if (auto sent = check_ids(wanted, matched->ids); sent.has_error())
        co_return sent.error();

    routed_call call{std::move(request), std::move(matched->ids), std::move(*target), until};
    if (wanted.internal)
        co_return co_await wanted.handler(edge, std::move(call));
    const in_flight_guard counted(edge);
    co_return co_await wanted.handler(edge, std::move(call));
}

} // namespace

asio::awaitable<http_response> handle_request(edge_context& edge, http_request request)
{
    const auto id = request.id;
    rate_tally tally(edge.limits);
    request_meter meter(*edge.metrics, request.method);
    auto answer = co_await answer_request(edge, std::move(request), tally, meter);
    meter.answered(answer.has_value() ? answer->status : status_of(answer.error().what.code));
    if (answer.has_value())
    {
        tally.describe(answer->fields);
        if (!answer->fields.get("Cache-Control"))
            answer->fields.add("Cache-Control", "no-store");
        co_return std::move(*answer);
    }
    auto failure = answer.error();
    tally.describe(failure.fields);
    if (status_of(failure.what.code) >= 500)
        log_failure(id, failure.what);
    co_return problem_response(failure, id);
}

} // namespace marquee
