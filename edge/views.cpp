#include "edge/views.hpp"

#include "broker/jetstream.hpp"
#include "broker/log_quota.hpp"
#include "edge/idempotency.hpp"
#include "edge/service_call.hpp"
#include "schemas/event.hpp"

#include <algorithm>

namespace marquee
{

result<view> read_view(const routed_call& call)
{
    auto asset = asset_id::parse(call.ids.at(0));
    if (asset.has_error())
        return asset.error();
    auto user = user_id::parse(call.ids.at(1));
    if (user.has_error())
        return user.error();
    auto key = idempotency_key(call.request.fields);
    if (key.has_error())
        return key.error();
    auto event_id = *key ? event_id_for_key(*user, **key) : make_ulid(std::chrono::system_clock::now());
    return view{std::move(event_id), std::move(*asset), std::move(*user)};
}

view_counts counts_missing(const char* part)
{
    view_counts counts;
    counts.degraded = std::vector<std::string>{part};
    return counts;
}

deadline statistics_deadline(deadline until) noexcept
{
    const auto half = until.remaining() / 2;
    return deadline::in(std::min(half, std::chrono::milliseconds(500))).sooner(until);
}

asio::awaitable<result<std::uint64_t>> store_view(edge_context& edge, const view& seen, deadline until)
{
    auto payload = encode_event(seen.event_id, seen.asset, seen.user, std::chrono::system_clock::now());
    auto stored = co_await publish_stored(edge.nats, subjects::events(), std::move(payload), seen.event_id, until);
    if (stored.has_error())
        co_return stored.error();
    co_return stored->sequence;
}

asio::awaitable<result<view_counts>> count_view(edge_context& edge, const routed_call& call, const view& seen,
                                                std::uint64_t sequence, deadline until)
{
    header_list headers;
    headers.set(names::header_after, std::to_string(sequence));
    headers.set(names::header_event, seen.event_id);
    const auto to = subjects::reporting_views(seen.asset, seen.user);
    question asked(edge, call, to, until, {}, std::move(headers));
    auto reply = co_await asked.answer();
    if (reply.has_error())
    {
        if (reply.error() == errc::key_reused)
            co_return fail(errc::key_reused, "this user's key was first used for another asset", "Idempotency-Key");
        log(log_level::debug, "no counts", {{"request", call.request.id}, {"reason", std::string(name_of(reply.error().code))}});
        co_return counts_missing("reporting");
    }
    auto counted = decode_reply<counts_reply>(reply->data);
    if (counted.has_error())
    {
        static limited_log nonsense(log_level::warning, "reporting made no sense");
        nonsense.write({{"request", call.request.id}, {"reason", counted.error().detail}});
        co_return counts_missing("reporting");
    }
    view_counts counts;
    counts.user.value = counted->userviews;
    counts.asset.value = counted->assetviews;
    co_return counts;
}

} // namespace marquee
