#include "edge/views.hpp"

#include "broker/jetstream.hpp"
#include "broker/log_quota.hpp"
#include "edge/idempotency.hpp"
#include "edge/service_call.hpp"
#include "schemas/event.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

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
    constexpr std::chrono::milliseconds for_a_leader{50};
    const auto last_try = deadline::in(std::chrono::seconds(2)).sooner(until);
    const auto payload = encode_event(seen.event_id, seen.asset, seen.user, std::chrono::system_clock::now());
    bool silent = false; // a try was not answered: it may have been stored
    for (;;)
    {
        // Half of the time is for a second try: an acknowledgement that comes later is given again to that one.
        const auto patience = silent ? until : deadline::in((until.at() - deadline::clock::now()) / 2);
        auto stored = co_await publish_stored(edge.nats, subjects::events(), payload, seen.event_id, patience);
        if (stored.has_value())
        {
            edge.events_absent.is_over();
            co_return stored->sequence;
        }
        const auto& why = stored.error();
        const bool left = last_try.remaining() > for_a_leader;
        if (why == errc::timeout && !silent && left)
        {
            silent = true;
            continue;
        }
        if (why != errc::no_responders || !left || !edge.events_absent.is_short(deadline::clock::now()))
            co_return silent ? fail(errc::timeout, why.detail) : why;
        asio::steady_timer timer(co_await asio::this_coro::executor, for_a_leader);
        co_await timer.async_wait(asio::use_awaitable);
    }
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
            co_return fail(errc::key_reused, "This user's key was first used for another asset.", "Idempotency-Key");
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
