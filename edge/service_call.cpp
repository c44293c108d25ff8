#include "edge/service_call.hpp"

#include <utility>

namespace marquee
{

namespace
{

/// What a service may rightly say to the edge.
bool is_services_to_say(errc code) noexcept
{
    switch (code)
    {
    case errc::unauthorized:
    case errc::forbidden:
    case errc::route_not_found:
    case errc::method_not_allowed:
    case errc::request_timeout:
    case errc::payload_too_large:
    case errc::uri_too_long:
    case errc::headers_too_large:
    case errc::unsupported_media:
        return false;
    case errc::bad_id:
    case errc::bad_request:
    case errc::rate_limited:
    case errc::asset_not_found:
    case errc::user_not_found:
    case errc::not_playable:
    case errc::revision_mismatch:
    case errc::key_reused:
    case errc::malformed_reply:
    case errc::service_failed:
    case errc::no_responders:
    case errc::disconnected:
    case errc::overloaded:
    case errc::stopping:
    case errc::unavailable:
    case errc::timeout:
    case errc::outcome_unknown:
        return true;
    }
    return false;
}

header_list with_request_id(header_list headers, const routed_call& call)
{
    headers.set(names::header_request_id, call.request.id);
    return headers;
}

} // namespace

pending_reply send_call(edge_context& edge, const routed_call& call, const subject& to, std::string_view payload,
                        header_list headers)
{
    headers.set(names::header_request_id, call.request.id);
    return call_service(edge.nats, to, payload, std::move(headers), call.until);
}

asio::awaitable<result<message>> await_answer(pending_reply pending)
{
    auto reply = co_await pending.receive();
    if (reply.has_error() && !is_services_to_say(reply.error().code))
        co_return fail(errc::malformed_reply, "a service answered with an error that is not its own to give");
    co_return reply;
}

question::question(edge_context& edge, const routed_call& call, subject to, deadline until, std::string payload,
                   header_list headers)
    : edge_(edge), to_(std::move(to)), until_(until), payload_(std::move(payload)),
      headers_(with_request_id(std::move(headers), call)),
      first_(call_service(edge.lookups, to_, payload_, headers_, deadline::in(until.remaining() / 2)))
{
}

asio::awaitable<result<message>> question::answer()
{
    auto reply = co_await await_answer(first_);
    if (reply.has_value() || reply.error().code != errc::timeout || until_.passed())
        co_return reply;
    auto second = call_service(edge_.lookups, to_, payload_, headers_, until_);
    co_return co_await await_answer(std::move(second));
}

asio::awaitable<result<message>> await_change(pending_reply pending)
{
    const bool sent = !pending.settled(); // settled already: it failed before it left
    auto reply = co_await await_answer(std::move(pending));
    if (reply.has_value())
        co_return reply;
    const auto code = reply.error().code;
    if (code == errc::timeout || (sent && (code == errc::disconnected || code == errc::stopping)))
        co_return fail(errc::outcome_unknown, "the change was sent; whether it was made is not known");
    co_return reply;
}

} // namespace marquee
