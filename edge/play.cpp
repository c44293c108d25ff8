// The play, and its sibling that only records a view.
#include "broker/log.hpp"
#include "broker/planted_fault.hpp"
#include "edge/handlers.hpp"
#include "edge/service_call.hpp"
#include "edge/views.hpp"

namespace marquee::handlers
{

namespace
{

/// What a viewer needs: both parts are required.
struct playable
{
    asset_metadata_reply about;
    asset_url_reply where;
};

asio::awaitable<result<playable>> find_playable(edge_context& edge, const routed_call& call, const asset_id& asset)
{
    // Both leave before either is waited for.
    question metadata(edge, call, subjects::metadata_get(asset), call.until);
    if (auto refused = metadata.refused())
        co_return *refused;
    question url(edge, call, subjects::cdnurl_get(asset), call.until);
    if (auto refused = url.refused())
        co_return *refused;

    auto about = co_await metadata.answer();
    if (about.has_error() && about.error() == errc::asset_not_found)
        co_return fail(errc::asset_not_found, "The catalogue has no asset of this id.");
    if (about.has_error())
        co_return about.error();
    auto where = co_await url.answer();
    if (where.has_error() && where.error() == errc::asset_not_found)
        co_return fail(errc::not_playable, "The asset has no URL.");
    if (where.has_error())
        co_return where.error();

    auto described = decode_reply_about<asset_metadata_reply>(about->data, asset.text());
    if (described.has_error())
        co_return described.error();
    auto located = decode_reply_about<asset_url_reply>(where->data, asset.text());
    if (located.has_error())
        co_return located.error();
    playable found;
    found.about = std::move(*described);
    found.where = std::move(*located);
    co_return found;
}

/// Stores and counts within the time statistics may take. Fails only with key_reused.
asio::awaitable<result<view_counts>> store_and_count(edge_context& edge, const routed_call& call, const view& seen)
{
    const auto until = statistics_deadline(call.until);
    auto sequence = co_await store_view(edge, seen, until);
    if (sequence.has_error())
    {
        log(log_level::debug, "a view is not confirmed",
            {{"request", call.request.id}, {"reason", std::string(name_of(sequence.error().code))}});
        co_return counts_missing(planted("said_to_be_stored") ? "reporting" : "events");
    }
    co_return co_await count_view(edge, call, seen, *sequence, until);
}

void note_degraded(edge_context& edge, const view_counts& counts)
{
    if (counts.degraded)
        edge.metrics->degraded(counts.degraded->front());
}

/// A change that may have been made is never reported as one that was not: without a key the client could not tell a retry from a second view.
error storing_failed(const error& why, bool link_was_up)
{
    if (why == errc::timeout || (link_was_up && (why == errc::disconnected || why == errc::stopping)))
        return fail(errc::outcome_unknown, "The view was sent; whether it was stored is not known.");
    return why;
}

} // namespace

answer play(edge_context& edge, routed_call call)
{
    auto seen = read_view(call);
    if (seen.has_error())
        co_return seen.error();
    const auto& id = seen->asset.text();
    auto found = co_await find_playable(edge, call, seen->asset);
    if (found.has_error())
        co_return request_failure(found.error(), id);
    auto counts = co_await store_and_count(edge, call, *seen);
    if (counts.has_error())
        co_return request_failure(counts.error(), id);
    note_degraded(edge, *counts);

    if (planted("counts_swapped"))
        std::swap(counts->user, counts->asset);
    play_reply reply;
    reply.id = id;
    reply.title = std::move(found->about.title);
    reply.genre = std::move(found->about.genre);
    reply.summary = std::move(found->about.summary);
    reply.url = std::move(found->where.url);
    reply.userviews = counts->user;
    reply.assetviews = counts->asset;
    reply.degraded = std::move(counts->degraded);
    co_return json_response(encode(reply));
}

answer record_view(edge_context& edge, routed_call call)
{
    auto seen = read_view(call);
    if (seen.has_error())
        co_return seen.error();
    const auto& id = seen->asset.text();
    const bool link_was_up = edge.link_up();
    auto sequence = co_await store_view(edge, *seen, call.until); // required here: it gets all the time there is
    if (sequence.has_error())
        co_return request_failure(storing_failed(sequence.error(), link_was_up), id);
    const auto until = statistics_deadline(call.until);
    auto counts = co_await count_view(edge, call, *seen, *sequence, until);
    if (counts.has_error())
        co_return request_failure(counts.error(), id);
    note_degraded(edge, *counts);

    event_counts_reply reply;
    reply.userviews = counts->user;
    reply.assetviews = counts->asset;
    reply.degraded = std::move(counts->degraded);
    co_return json_response(encode(reply));
}

} // namespace marquee::handlers
