#include "edge/gateway.hpp"

#include "broker/log.hpp"
#include "edge/rate_limit.hpp"
#include "edge/routes.hpp"
#include "schemas/ids.hpp"

#include <string>
#include <utility>

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
        return fail(errc::unsupported_media, "the body must be application/json", "Content-Type");
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
        if (auto typed = check_content_type(request.fields); typed.has_error())
            return typed.error();
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
        allow = allowed_methods(target->segments);
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
    return fail(errc::overloaded, "too many requests are under way");
}

void log_failure(edge_context& edge, const std::string& request, const error& why)
{
    if (!edge.failures_logged.grants(log_quota::clock::now()))
        return;
    if (const auto more = edge.failures_logged.take_refused(); more > 0)
        log(log_level::warning, "more requests failed than were logged", {{"count", std::to_string(more)}});
    log(log_level::warning, "request failed",
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
        co_return std::move(*answer);
    }
    auto failure = answer.error();
    tally.describe(failure.fields);
    if (status_of(failure.what.code) >= 500)
        log_failure(edge, id, failure.what);
    co_return problem_response(failure, id);
}

} // namespace marquee
