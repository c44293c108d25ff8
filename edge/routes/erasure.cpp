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

/// Waits until an instance of reporting has applied what is stored at `sequence`. It is asked for
/// the history, which an instance that knows no corrections does not have; in a message of its own,
/// for what shares one waits for the erasure too.
asio::awaitable<result<void>> applied(edge_context& edge, const routed_call& call, std::uint64_t sequence)
{
    header_list headers;
    headers.set(names::header_after, std::to_string(sequence));
    history_request shortest;
    shortest.limit = 1;
    hedged_request lookup(edge.services, upstream_service::reporting, subjects::reporting_history(*call.user),
                          call.upstream_call(), sending::alone, encode(shortest), std::move(headers));
    auto reply = co_await lookup.receive();
    if (reply.has_error())
    {
        if (reply.error() == errc::user_not_found)
            co_return result<void>();
        co_return reply.error();
    }
    const auto page = decode_reply<history_page>(reply->data); // of views after the erasure
    if (page.has_error())
        co_return page.error();
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
    if (edge.live.hub != nullptr)
        edge.live.hub->forget(user.text(), stored->sequence);
    co_return json_response(encode(delete_reply()));
}

} // namespace marquee::handlers
