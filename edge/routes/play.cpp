// The handlers of plays, and of views without a play.
#include "broker/base/fault_injection.hpp"
#include "broker/base/log.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/routes/views.hpp"

namespace marquee::handlers
{

namespace
{

asio::awaitable<result<playable_text>> look_up(edge_context& edge, const routed_call& call, const asset_id& asset)
{
    if (edge.assets != nullptr)
        return edge.assets->find(asset, call.request.id, call.until, call.trace);
    return look_up_alone(edge.services, asset, call.request.id, call.until, call.trace);
}

/// Stores and counts a view by statistics_deadline(). Fails only with key_reused.
asio::awaitable<result<view_counts>> store_and_count(edge_context& edge, const routed_call& call, const view& seen)
{
    const auto now = deadline::clock::now();
    call.timing.start(request_part::store, now);
    const auto until = statistics_deadline(call.until, now);
    auto storing = store_view(edge, call, seen, until);
    const auto stored = co_await std::move(storing);
    if (stored.has_error() && stored.error() == errc::key_reused)
        co_return key_reused();
    if (stored.has_error())
    {
        log(log_level::debug, "a view is not confirmed",
            {{"request", call.request.id}, {"reason", std::string(name_of(stored.error().code))}});
        co_return counts_missing(fault_injected("said_to_be_stored") ? "reporting" : "events");
    }
    if (auto counts = counts_with(*stored))
        co_return std::move(*counts);
    call.timing.start(request_part::count, deadline::clock::now());
    auto counting = count_view(edge, call, seen, *stored, until);
    co_return co_await std::move(counting);
}

void note_degraded(edge_context& edge, const view_counts& counts)
{
    if (counts.degraded)
        edge.metrics.worker->degraded(counts.degraded->front());
}

/// For the objective of plays.
void note_played(const routed_call& call, const view_counts& counts)
{
    if (call.meter != nullptr)
        call.meter->played(!counts.degraded);
}

/// The error of a view that was not acknowledged: outcome_unknown if it may have been stored. A
/// client without a key must not retry that as if it had failed.
error storing_failed(const error& why, bool link_was_up)
{
    if (why == errc::key_reused)
        return key_reused();
    if (why == errc::timeout || (link_was_up && (why == errc::disconnected || why == errc::stopping)))
        return fail(errc::outcome_unknown, "The view was sent; whether it was stored is not known.");
    return why;
}

} // namespace

handler_result play(edge_context& edge, routed_call call)
{
    auto seen = read_view(call);
    if (seen.has_error())
        co_return seen.error();
    const auto& id = seen->asset.text();
    call.timing.start(request_part::lookups, call.timing.begin());
    auto looking_up = look_up(edge, call, seen->asset);
    const auto found = co_await std::move(looking_up);
    if (found.has_error())
        co_return request_failure(found.error(), id);
    auto counts = co_await store_and_count(edge, call, *seen);
    if (counts.has_error())
        co_return request_failure(counts.error(), id);
    note_degraded(edge, *counts);
    note_played(call, *counts);

    if (fault_injected("counts_swapped"))
        std::swap(counts->user, counts->asset);
    event_counts_reply counted;
    counted.userviews = counts->user;
    counted.assetviews = counts->asset;
    counted.degraded = std::move(counts->degraded);
    co_return json_response(encode_play(id, *found, counted));
}

handler_result record_view(edge_context& edge, routed_call call)
{
    auto seen = read_view(call);
    if (seen.has_error())
        co_return seen.error();
    const auto& id = seen->asset.text();
    const bool link_was_up = edge.services.link_up();
    call.timing.start(request_part::store, call.timing.begin());
    auto storing = store_view(edge, call, *seen, call.until); // required, so until the request's own deadline
    const auto stored = co_await std::move(storing);
    if (stored.has_error())
        co_return request_failure(storing_failed(stored.error(), link_was_up), id);
    const auto now = deadline::clock::now();
    if (!stored->counts)
        call.timing.start(request_part::count, now);
    const auto until = statistics_deadline(call.until, now);
    auto counting = count_view(edge, call, *seen, *stored, until);
    auto counts = co_await std::move(counting);
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
