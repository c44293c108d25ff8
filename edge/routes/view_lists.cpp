// Series, histories and the list of all counts: what reporting has beyond single counts.
#include "edge/http/csv.hpp"
#include "edge/http/media_types.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/messages.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace marquee::handlers
{

namespace
{

constexpr std::array<std::string_view, 2> steps = {"hour", "day"};

result<std::string> series_payload(const request_target& target)
{
    series_request request;
    auto step = query_choice(target, "step", steps);
    if (step.has_error())
        return step.error();
    auto from = query_time(target, "from");
    if (from.has_error())
        return from.error();
    auto to = query_time(target, "to");
    if (to.has_error())
        return to.error();
    request.step = std::move(*step);
    request.from = std::move(*from);
    request.to = std::move(*to);
    return encode(request);
}

result<std::string> history_payload(const request_target& target)
{
    history_request request;
    auto limit = query_limit(target);
    if (limit.has_error())
        return limit.error();
    auto after = query_token(target, "after");
    if (after.has_error())
        return after.error();
    request.limit = *limit;
    request.after = std::move(*after);
    return encode(request);
}

result<std::string> assets_page_payload(const request_target& target)
{
    list_request request;
    auto limit = query_limit(target);
    if (limit.has_error())
        return limit.error();
    auto after = query_id(target, "after");
    if (after.has_error())
        return after.error();
    request.limit = *limit;
    request.after = std::move(*after);
    return encode(request);
}

/// Whether all entries of a list are about valid ids.
template <class Page>
bool has_valid_ids(const Page& page)
{
    return std::all_of(page.assets.begin(), page.assets.end(), [](const auto& each) { return is_valid_id(each.id); });
}

error invalid_id() { return fail(errc::malformed_reply, "The reply holds an invalid id.", "id"); }

request_failure about(error why, const std::optional<std::string>& id)
{
    return id ? request_failure(std::move(why), *id) : request_failure(std::move(why));
}

std::string as_csv(const views_page& page)
{
    std::string text = "id,views,viewers,last\r\n";
    for (const auto& each : page.assets)
    {
        append_csv_id(text, each.id);
        ((((text += ',') += std::to_string(each.views)) += ',') += std::to_string(each.viewers)) += ',';
        (text += each.last.value_or("")) += "\r\n";
    }
    return text;
}

/// The Link field (RFC 8288) that leads to the next page, for clients that read no JSON.
std::string link_to_next(const std::string& next, const std::optional<std::uint64_t>& limit)
{
    std::string target = "/events/assets?after=" + percent_encode(next);
    if (limit)
        target += "&limit=" + std::to_string(*limit);
    return '<' + target + ">; rel=\"next\"";
}

} // namespace

handler_result series(edge_context& edge, routed_call call)
{
    auto payload = series_payload(call.target);
    if (payload.has_error())
        co_return payload.error();
    auto to = call.asset ? subjects::reporting_series(*call.asset) : subjects::reporting_series();
    const auto id = call.asset ? std::optional(call.asset->text()) : std::nullopt;
    hedged_request lookup(edge.services, upstream_service::reporting, std::move(to), call.upstream_call(),
                          sending::alone, std::move(*payload));
    auto reply = co_await lookup.receive();
    if (reply.has_error() && reply.error() == errc::asset_not_found)
        co_return about(fail(errc::asset_not_found, "No view of this asset is counted."), id);
    if (reply.has_error())
        co_return about(reply.error(), id);
    auto read = decode_reply<series_reply>(reply->data);
    if (read.has_value() && read->id != id)
        read = fail(errc::malformed_reply, "The reply is about something else.", "id");
    if (read.has_error())
        co_return about(read.error(), id);
    co_return json_response(std::move(reply->data));
}

handler_result history(edge_context& edge, routed_call call)
{
    const auto& user = *call.user;
    auto payload = history_payload(call.target);
    if (payload.has_error())
        co_return payload.error();
    hedged_request lookup(edge.services, upstream_service::reporting, subjects::reporting_history(user),
                          call.upstream_call(), sending::alone, std::move(*payload));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return request_failure(reply.error(), user.text());
    auto page = decode_reply<history_page>(reply->data);
    if (page.has_value() && !has_valid_ids(*page))
        page = invalid_id();
    if (page.has_error())
        co_return request_failure(page.error(), user.text());
    co_return json_response(std::move(reply->data));
}

handler_result list_views(edge_context& edge, routed_call call)
{
    auto payload = assets_page_payload(call.target);
    if (payload.has_error())
        co_return payload.error();
    hedged_request lookup(edge.services, upstream_service::reporting, subjects::reporting_assets(),
                          call.upstream_call(), sending::alone, std::move(*payload));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return reply.error();
    auto page = decode_reply<views_page>(reply->data);
    if (page.has_error())
        co_return page.error();
    if (!has_valid_ids(*page) || (page->next && !is_valid_id(*page->next)))
        co_return invalid_id();

    http_response found;
    const bool csv = prefers(call.request.fields.joined("Accept"), "text/csv", "application/json");
    if (csv)
    {
        found.body = as_csv(*page);
        found.fields.add("Content-Type", csv_media_type);
    }
    else
        found = json_response(std::move(reply->data));
    found.fields.add("Vary", "Accept");
    if (page->next)
        found.fields.add("Link", link_to_next(*page->next, query_limit(call.target).value()));
    co_return found;
}

} // namespace marquee::handlers
