// GET /events/live: views as they are counted, as server-sent events.
#include "edge/routes/handlers.hpp"
#include "schemas/live_place.hpp"

#include <utility>

namespace marquee::handlers
{

namespace
{

/// The id in a query parameter; nothing where it is absent. Fails with bad_id.
template <class Id>
result<std::optional<std::string>> query_id(const request_target& target, const char* name)
{
    const auto given = query_value(target, name);
    if (given.has_error() || !*given)
        return given;
    auto id = Id::parse(**given);
    if (id.has_error())
        return fail(errc::bad_id, id.error().detail, name);
    return std::optional(id->text());
}

result<live_filter> read_filter(const request_target& target)
{
    auto asset = query_id<asset_id>(target, "asset");
    if (asset.has_error())
        return asset.error();
    auto user = query_id<user_id>(target, "user");
    if (user.has_error())
        return user.error();
    return live_filter{std::move(*asset), std::move(*user), false};
}

/// Whether the events may name users: where the edge has keys, to the administrator, and to the
/// user whom the request is for. Fails as player_token::check() does for another one's user.
boost::system::result<bool, request_failure> may_name_users(access_rules& access, const http_fields& fields,
                                                            const std::optional<std::string>& user)
{
    if (!access.players.has_keys() || access.admin.check(fields).has_value())
        return true;
    if (!user)
        return false;
    if (auto own = access.players.check(fields, *user); own.has_error())
        return own.error();
    return true;
}

result<std::optional<live_place>> read_last_event_id(const http_fields& fields)
{
    constexpr const char* name = "Last-Event-ID";
    const auto given = fields.joined(name);
    if (!given || given->empty())
        return std::optional<live_place>();
    auto place = live_place::parse(*given);
    if (!place)
        return fail(errc::bad_request, "A place is the id of an event of this path.", name);
    return place;
}

/// An edge that is not overloaded goes on to serve the connection: only streams are too many.
http_response too_many_streams(const std::string& request)
{
    auto answer = problem_response(fail(errc::overloaded, "Too many live streams are open."), request);
    answer.overloaded = false;
    return answer;
}

} // namespace

handler_result live(edge_context& edge, routed_call call)
{
    auto filter = read_filter(call.target);
    if (filter.has_error())
        co_return filter.error();
    const auto named = may_name_users(edge.access, call.request.fields, filter->user);
    if (named.has_error())
        co_return named.error();
    filter->names_users = *named;
    auto after = read_last_event_id(call.request.fields);
    if (after.has_error())
        co_return after.error();
    if (edge.live.hub == nullptr)
        co_return fail(errc::unavailable);
    auto permit = edge.live.limit->enter();
    if (!permit)
        co_return too_many_streams(call.request.id);
    http_response answer;
    answer.fields.add("Content-Type", "text/event-stream");
    answer.fields.add("X-Accel-Buffering", "no"); // nginx would collect events
    answer.stream = edge.live.hub->add(std::move(*filter), std::move(*after), std::move(permit));
    co_return answer;
}

} // namespace marquee::handlers
