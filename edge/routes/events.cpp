#include "edge/routes/handlers.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/messages.hpp"

namespace marquee::handlers
{

namespace
{

/// Requests the views of one asset or user and returns the reply as the response. What an instance
/// of an earlier version does not tell is missing there too.
asio::awaitable<http_result> views_of(edge_context& edge, const routed_call& call, subject to, const std::string& id)
{
    hedged_request lookup(edge.services, upstream_service::reporting, std::move(to), call.upstream_call());
    auto reply = co_await lookup.receive();
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

handler_result asset_views(edge_context& edge, routed_call call)
{
    auto to = subjects::reporting_asset(*call.asset);
    co_return co_await views_of(edge, call, std::move(to), call.asset->text());
}

handler_result user_views(edge_context& edge, routed_call call)
{
    auto to = subjects::reporting_user(*call.user);
    co_return co_await views_of(edge, call, std::move(to), call.user->text());
}

} // namespace marquee::handlers
