// DELETE /events/user/{user}: a correction in the stream.
#include "edge/routes/handlers.hpp"
#include "edge/upstream/hedged_request.hpp"
#include "edge/upstream/store_message.hpp"
#include "schemas/messages.hpp"
#include "schemas/subjects.hpp"
#include "schemas/ulid.hpp"

#include <chrono>
#include <utility>

namespace marquee::handlers
{

namespace
{

/// Waits until an instance of reporting has applied what is stored at `sequence`.
asio::awaitable<result<void>> applied(edge_context& edge, const routed_call& call, std::uint64_t sequence)
{
    const auto& user = *call.user;
    header_list headers;
    headers.set(names::header_after, std::to_string(sequence));
    // The counts say nothing here, so any asset will do.
    const auto any_asset = asset_id::parse(user.text()).value();
    auto to = subjects::reporting_views(any_asset, user);
    hedged_request lookup(edge.services, upstream_service::reporting, std::move(to), call.upstream_call(),
                          sending::bundled, {}, std::move(headers));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
        co_return reply.error();
    const auto counts = decode_reply<counts_reply>(reply->data);
    if (counts.has_error())
        co_return counts.error();
    co_return result<void>();
}

} // namespace

handler_result erase_user(edge_context& edge, routed_call call)
{
    const auto& user = *call.user;
    if (!edge.services.link_up())
        co_return request_failure(fail(errc::disconnected, "The broker is away."), user.text());
    correction erasure;
    erasure.erase = user.text();
    auto payload = encode(erasure);
    auto id = make_ulid(std::chrono::system_clock::now());
    auto storing =
        store_correction(edge.services.direct, edge.fleet.stream_outage, std::move(payload), std::move(id), call.until);
    const auto stored = co_await std::move(storing);
    if (stored.has_error())
    {
        const auto& why = stored.error();
        const bool unknown = why == errc::timeout || why == errc::disconnected || why == errc::stopping;
        co_return request_failure(
            unknown ? fail(errc::outcome_unknown, "The erasure was sent; whether it is stored is not known.") : why,
            user.text());
    }
    auto waiting = applied(edge, call, stored->sequence);
    const auto done = co_await std::move(waiting);
    if (done.has_error())
        co_return request_failure(fail(errc::outcome_unknown, "The erasure is stored and will be applied; no instance "
                                                              "of reporting has confirmed it in time."),
                                  user.text());
    co_return json_response(encode(delete_reply()));
}

} // namespace marquee::handlers
