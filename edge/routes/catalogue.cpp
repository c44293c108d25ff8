// The handlers of /content and /url: two services with the same operations.
#include "edge/http/conditions.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "schemas/free_members.hpp"
#include "schemas/messages.hpp"
#include "schemas/video_url.hpp"

#include <algorithm>

namespace marquee::handlers
{

namespace
{

struct metadata_kind
{
    using body = asset_metadata;
    using item = asset_metadata_reply;
    using page = metadata_page;
    static constexpr const char* absent = "The catalogue has no asset of this id.";
    static constexpr const char* caching = "no-cache"; ///< caches must revalidate, which may be answered with 304
    static constexpr auto service = upstream_service::metadata;
    static constexpr auto get = subjects::metadata_get;
    static constexpr auto put = subjects::metadata_put;
    static constexpr auto erase = subjects::metadata_delete;
    static constexpr auto list = subjects::metadata_list;
};

struct url_kind
{
    using body = asset_url;
    using item = asset_url_reply;
    using page = url_page;
    static constexpr const char* absent = "No URL is stored for this asset.";
    static constexpr const char* caching = "no-store"; ///< only administrators may read it
    static constexpr auto service = upstream_service::cdnurl;
    static constexpr auto get = subjects::cdnurl_get;
    static constexpr auto put = subjects::cdnurl_put;
    static constexpr auto erase = subjects::cdnurl_delete;
    static constexpr auto list = subjects::cdnurl_list;
};

/// A failure about an asset; if it is absent, with the detail of this kind of record.
template <class Kind>
request_failure failed(error why, const asset_id& asset)
{
    if (why == errc::asset_not_found)
        why.detail = Kind::absent;
    return {std::move(why), asset.text()};
}

result<record_state> state_in(const message& reply)
{
    return record_state::of(reply.headers.get(names::header_tag), reply.headers.get(names::header_revision));
}

void add_etag(http_response& to, const record_state& state)
{
    if (state.tag)
        to.fields.add("ETag", make_etag(*state.tag));
}

template <class Kind>
handler_result get_item(edge_context& edge, routed_call call)
{
    const auto& asset = *call.asset;
    auto given = conditions::of(call.request.fields);
    if (given.has_error())
        co_return given.error();
    hedged_request lookup(edge.services, Kind::service, Kind::get(asset), call.upstream_call());
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return failed<Kind>(reply.error(), asset);
    auto item = decode_reply_about<typename Kind::item>(reply->data, asset.text());
    if (item.has_error())
        co_return request_failure(item.error(), asset.text());
    auto state = state_in(*reply);
    if (state.has_error())
        co_return request_failure(state.error(), asset.text());

    auto found = json_response(std::move(reply->data));
    found.fields.add("Cache-Control", Kind::caching);
    add_etag(found, *state);
    if (given->if_match && !given->if_match->matches_strongly(state->tag))
        co_return request_failure(fail(errc::revision_mismatch, "The tag is another one.", "If-Match"), asset.text());
    if (given->if_none_match && given->if_none_match->matches_weakly(state->tag))
    {
        http_response not_modified;
        not_modified.status = 304;
        not_modified.fields.add("Cache-Control", Kind::caching);
        add_etag(not_modified, *state);
        co_return not_modified;
    }
    co_return found;
}

/// The headers that make a change conditional on the `current` record, or on its absence. Services
/// older than tags compare the revision, so both are sent.
header_list expecting(const std::optional<record_state>& current)
{
    header_list headers;
    if (current && current->tag)
        headers.set(names::header_tag, to_text(*current->tag));
    headers.set(names::header_revision, std::to_string(current ? current->revision.value_or(0) : 0));
    return headers;
}

/// The headers for the client's conditions; none without any. A single tag in If-Match and
/// `If-None-Match: *` are passed on. Other conditions are checked here against the current record,
/// and the service then compares with that record.
template <class Kind>
asio::awaitable<result<header_list>> condition_of(edge_context& edge, const routed_call& call, const asset_id& asset)
{
    auto given = conditions::of(call.request.fields);
    if (given.has_error())
        co_return given.error();
    if (given->none())
        co_return header_list();
    std::optional<record_state> current;
    if (const auto only = given->if_match && !given->if_none_match ? given->if_match->only_tag() : std::nullopt)
    {
        current = record_state{*only, only->revision};
        co_return expecting(current);
    }
    if (given->if_none_match && !given->if_match && given->if_none_match->any)
        co_return expecting(current);

    hedged_request lookup(edge.services, Kind::service, Kind::get(asset), call.upstream_call());
    auto reply = co_await lookup.receive();
    if (reply.has_error() && reply.error().code != errc::asset_not_found)
        co_return reply.error();
    if (reply.has_value())
    {
        auto state = state_in(*reply);
        if (state.has_error() || !state->revision)
            co_return fail(errc::malformed_reply, "The reply has no revision.");
        current = *state;
    }
    if (auto met = check_conditions(*given, current); met.has_error())
        co_return met.error();
    co_return expecting(current);
}

/// Sends a put or a delete with the client's conditions.
template <class Kind>
asio::awaitable<result<message>> change(edge_context& edge, const routed_call& call, const asset_id& asset, subject to,
                                        std::string payload)
{
    auto condition = co_await condition_of<Kind>(edge, call, asset);
    if (condition.has_error())
        co_return condition.error();
    hedged_request sent(edge.services, Kind::service, std::move(to), call.upstream_call(), sending::once,
                        std::move(payload), std::move(*condition));
    auto reply = co_await sent.receive();
    // If-Match is false for a record that does not exist (RFC 9110 section 13.1.1).
    if (reply.has_error() && reply.error() == errc::asset_not_found && call.request.fields.get("If-Match"))
        co_return fail(errc::revision_mismatch, "There is nothing to match: the asset is absent.", "If-Match");
    co_return reply;
}

/// Sets the `field` of a body's error: the member at fault, or "body".
error in_body(error why)
{
    if (why.field.empty())
        why.field = "body";
    return why;
}

template <class Kind>
handler_result put_item(edge_context& edge, routed_call call)
{
    const auto& asset = *call.asset;
    auto body = decode<typename Kind::body>(call.request.body);
    if (body.has_error())
        co_return request_failure(in_body(body.error()), asset.text());
    if (auto allowed = check_new_record(*body); allowed.has_error())
        co_return request_failure(in_body(allowed.error()), asset.text());
    const auto to = Kind::put(asset);
    const auto payload = encode(*body);
    auto reply = co_await change<Kind>(edge, call, asset, to, payload);
    if (reply.has_error())
        co_return failed<Kind>(reply.error(), asset);
    auto done = decode_reply<put_reply>(reply->data);
    if (done.has_error())
        co_return request_failure(done.error(), asset.text());
    const auto stored = record_state::of(reply->headers.get(names::header_tag), std::to_string(done->revision));
    if (stored.has_error())
        co_return request_failure(stored.error(), asset.text());
    auto answered = json_response(std::move(reply->data));
    add_etag(answered, *stored);
    co_return answered;
}

template <class Kind>
handler_result delete_item(edge_context& edge, routed_call call)
{
    const auto& asset = *call.asset;
    const auto to = Kind::erase(asset);
    const std::string nothing;
    auto reply = co_await change<Kind>(edge, call, asset, to, nothing);
    if (reply.has_error())
        co_return failed<Kind>(reply.error(), asset);
    auto done = decode_reply<delete_reply>(reply->data);
    if (done.has_error())
        co_return request_failure(done.error(), asset.text());
    co_return json_response(std::move(reply->data));
}

result<std::string> catalogue_page_payload(const request_target& target)
{
    auto after = query_value(target, "after");
    if (after.has_error())
        return after.error();
    auto limit = query_limit(target);
    if (limit.has_error())
        return limit.error();
    if (*after && !is_valid_id(**after))
        return fail(errc::bad_request,
                    "The parameter after must be an id: 1 to 128 bytes of UTF-8 without control characters.", "after");
    list_request request;
    request.after = std::move(*after);
    request.limit = *limit;
    return encode(request);
}

template <class Kind>
handler_result list_items(edge_context& edge, routed_call call)
{
    auto payload = catalogue_page_payload(call.target);
    if (payload.has_error())
        co_return payload.error();
    hedged_request lookup(edge.services, Kind::service, Kind::list(), call.upstream_call(), sending::alone,
                          std::move(*payload));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return reply.error();
    auto page = decode_reply<typename Kind::page>(reply->data);
    if (page.has_error())
        co_return page.error();
    if (!std::all_of(page->assets.begin(), page->assets.end(), [](const auto& each) { return is_valid_id(each.id); }))
        co_return fail(errc::malformed_reply, "The reply holds an invalid id.", "id");
    auto found = json_response(std::move(reply->data));
    found.fields.add("Cache-Control", Kind::caching);
    co_return found;
}

} // namespace

handler_result get_metadata(edge_context& edge, routed_call call)
{
    return get_item<metadata_kind>(edge, std::move(call));
}
handler_result put_metadata(edge_context& edge, routed_call call)
{
    return put_item<metadata_kind>(edge, std::move(call));
}
handler_result delete_metadata(edge_context& edge, routed_call call)
{
    return delete_item<metadata_kind>(edge, std::move(call));
}
handler_result list_metadata(edge_context& edge, routed_call call)
{
    return list_items<metadata_kind>(edge, std::move(call));
}
handler_result get_url(edge_context& edge, routed_call call) { return get_item<url_kind>(edge, std::move(call)); }
handler_result put_url(edge_context& edge, routed_call call) { return put_item<url_kind>(edge, std::move(call)); }
handler_result delete_url(edge_context& edge, routed_call call) { return delete_item<url_kind>(edge, std::move(call)); }
handler_result list_urls(edge_context& edge, routed_call call) { return list_items<url_kind>(edge, std::move(call)); }

} // namespace marquee::handlers
