#include "edge/routes/views.hpp"

#include "broker/base/log_quota.hpp"
#include "edge/http/idempotency.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "edge/upstream/send_span.hpp"
#include "edge/upstream/store_message.hpp"
#include "schemas/event.hpp"
#include "schemas/ulid.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

asio::awaitable<result<stored_view>> store_alone(edge_context& edge, const view& seen, deadline until,
                                                 const trace_context* trace)
{
    auto sending = send_span(trace);
    const auto now = std::chrono::system_clock::now();
    const auto id = seen.event_id.empty() ? make_ulid(now) : seen.event_id;
    if (sending)
        describe_send(sending, id, id);
    auto storing = store_message(edge.services.direct, edge.fleet.stream_outage,
                                 encode_event(id, seen.asset, seen.user, now, sending.context()), id, {}, until);
    const auto stored = co_await std::move(storing);
    end_send_span(sending, stored);
    if (stored.has_error())
        co_return stored.error();
    co_return stored_view{stored->sequence, std::nullopt};
}

} // namespace

error key_reused()
{
    return fail(errc::key_reused, "This user's key was first used for another asset.", "Idempotency-Key");
}

result<view> read_view(const routed_call& call)
{
    auto key = idempotency_key(call.request.fields);
    if (key.has_error())
        return key.error();
    return view{*key ? event_id_for_key(*call.user, **key) : std::string(), *call.asset, *call.user};
}

view_counts counts_missing(const char* part)
{
    view_counts counts;
    counts.degraded = std::vector<std::string>{part};
    return counts;
}

deadline statistics_deadline(deadline until, deadline::clock::time_point now) noexcept
{
    const auto left = std::max(until.at() - now, deadline::clock::duration::zero());
    return deadline(now + std::min<deadline::clock::duration>(left / 2, std::chrono::milliseconds(500)));
}

asio::awaitable<result<stored_view>> store_view(edge_context& edge, const routed_call& call, const view& seen,
                                                deadline until)
{
    if (edge.batches != nullptr && edge.batches->ready())
        return edge.batches->send(seen, call.request.id, until, call.trace);
    return store_alone(edge, seen, until, call.trace);
}

std::optional<view_counts> counts_with(const stored_view& stored)
{
    if (!stored.counts)
        return std::nullopt;
    view_counts counts;
    counts.user.value = stored.counts->userviews;
    counts.asset.value = stored.counts->assetviews;
    return counts;
}

asio::awaitable<result<view_counts>> count_view(edge_context& edge, const routed_call& call, const view& seen,
                                                const stored_view& stored, deadline until)
{
    if (auto known = counts_with(stored))
        co_return std::move(*known);
    if (stored.sequence == 0)
        co_return counts_missing("reporting");
    header_list headers;
    headers.set(names::header_after, std::to_string(stored.sequence));
    if (!seen.event_id.empty())
        headers.set(names::header_event, seen.event_id);
    const auto to = subjects::reporting_views(seen.asset, seen.user);
    const hedged_request::call sent{call.request.id, until, call.trace};
    hedged_request lookup(edge.services, upstream_service::reporting, to, sent, sending::bundled, {},
                          std::move(headers));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
    {
        if (reply.error() == errc::key_reused)
            co_return key_reused();
        log(log_level::debug, "no counts",
            {{"request", call.request.id}, {"reason", std::string(name_of(reply.error().code))}});
        co_return counts_missing("reporting");
    }
    auto counted = decode_reply<counts_reply>(reply->data);
    if (counted.has_error())
    {
        static limited_log malformed(log_level::warning, "reporting made no sense");
        malformed.write({{"request", call.request.id}, {"reason", counted.error().detail}});
        co_return counts_missing("reporting");
    }
    view_counts counts;
    counts.user.value = counted->userviews;
    counts.asset.value = counted->assetviews;
    co_return counts;
}

} // namespace marquee
