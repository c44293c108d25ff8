#include "edge/handlers.hpp"
#include "edge/service_call.hpp"
#include "schemas/messages.hpp"

#include <algorithm>

namespace marquee::handlers
{

namespace
{

/// Asks for the views of one asset or user and passes the reply on.
asio::awaitable<http_result> views_of(edge_context& edge, const routed_call& call, const subject& to, const std::string& id)
{
    question asked(edge, call, to, call.until);
    auto reply = co_await asked.answer();
    if (reply.has_error() && reply.error() == errc::asset_not_found)
        co_return request_failure(fail(errc::asset_not_found, "No view of this asset is counted."), id);
    if (reply.has_error())
        co_return request_failure(reply.error(), id);
    auto views = decode_reply_about<views_reply>(reply->data, id);
    if (views.has_error())
        co_return request_failure(views.error(), id);
    co_return json_response(std::move(reply->data));
}

} // namespace

answer asset_views(edge_context& edge, routed_call call)
{
    auto asset = asset_id::parse(call.ids.at(0));
    if (asset.has_error())
        co_return asset.error();
    const auto to = subjects::reporting_asset(*asset);
    co_return co_await views_of(edge, call, to, asset->text());
}

answer user_views(edge_context& edge, routed_call call)
{
    auto user = user_id::parse(call.ids.at(0));
    if (user.has_error())
        co_return user.error();
    const auto to = subjects::reporting_user(*user);
    co_return co_await views_of(edge, call, to, user->text());
}

answer top_assets(edge_context& edge, routed_call call)
{
    auto limit = query_limit(call.target);
    if (limit.has_error())
        co_return limit.error();
    top_request request;
    request.limit = *limit;
    question asked(edge, call, subjects::reporting_top(), call.until, encode(request));
    auto reply = co_await asked.answer();
    if (reply.has_error())
        co_return reply.error();
    auto top = decode_reply<top_reply>(reply->data);
    if (top.has_error())
        co_return top.error();
    const bool ids_are_valid =
        std::all_of(top->assets.begin(), top->assets.end(), [](const views_reply& each) { return is_valid_id(each.id); });
    if (!ids_are_valid)
        co_return fail(errc::malformed_reply, "The reply holds an invalid id.", "id");
    co_return json_response(std::move(reply->data));
}

} // namespace marquee::handlers
