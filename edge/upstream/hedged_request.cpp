#include "edge/upstream/hedged_request.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/wait.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::chrono::milliseconds absence_pause{100}; ///< before a second attempt after no_responders
constexpr std::chrono::milliseconds no_pause{0};

/// Rejects errors about credentials, routes and framing: a service does not decide about those.
result<message> check_origin(result<message> reply)
{
    if (reply.has_error() && traits_of(reply.error().code).by == error_traits::origin::edge)
        return fail(errc::malformed_reply, "A service answered with an error that is not its own to give.");
    return reply;
}

asio::awaitable<void> forward_reply(pending_reply from, pending_reply to)
{
    auto reply = co_await from.receive();
    to.settle(std::move(reply));
}

} // namespace

hedged_request::hedged_request(service_client& client, upstream_service service, subject to, call of, sending how,
                               std::string payload, header_list headers)
    : client_(client), health_(client.health.of(service)), to_(std::move(to)), until_(of.until),
      payload_(std::move(payload)), headers_(std::move(headers)), how_(how), sent_at_(clock::now())
{
    headers_.set(names::header_request_id, of.request_id);
    if (of.trace != nullptr)
        begin_span(of);
    if (how == sending::once)
    {
        first_ = call_service(client_.direct, to_, payload_, headers_, until_);
        return;
    }
    slow_at_ = sent_at_ + (until_.at() - sent_at_) / 2;
    permit_ = health_.admit(sent_at_, client_.link_up);
    if (permit_ == service_health::permit::refused)
    {
        trace_.fail(name_of(errc::unavailable));
        trace_.end();
        return;
    }
    first_ = call_service(how == sending::bundled ? client_.bundled : client_.direct, to_, payload_, headers_, until_);
    if (client_.hedges != nullptr)
        client_.hedges->add(*this);
}

hedged_request::~hedged_request()
{
    if (how_ != sending::once && first_ && !concluded_)
        health_.abandoned(permit_);
}

std::optional<error> hedged_request::refused() const
{
    if (first_)
        return std::nullopt;
    return fail(errc::unavailable,
                "The service " + std::string(name_of(health_.service())) + " keeps failing, and is given a pause.");
}

asio::awaitable<result<message>> hedged_request::receive()
{
    if (!first_)
        co_return *refused();
    if (how_ == sending::once)
    {
        auto outcome = co_await receive_change();
        end_span(outcome);
        co_return outcome;
    }
    auto reply = co_await receive_lookup();
    end_span(reply);
    co_return reply;
}

/// Both attempts carry the same context.
void hedged_request::begin_span(const call& of)
{
    const auto asked = subject_template(to_.str());
    trace_ = span::child(of.trace, "request " + asked, span_kind::client);
    if (!trace_)
        return;
    describe_message(trace_, "request", "send", asked);
    const auto& context = *trace_.context();
    headers_.set(names::header_traceparent, format_traceparent(context));
    if (!context.state.empty())
        headers_.set(names::header_tracestate, context.state);
}

void hedged_request::end_span(const result<message>& reply)
{
    if (!trace_)
        return;
    if (sent_again_)
        trace_.set("marquee.second_attempt", 1);
    if (reply.has_value())
    {
        if (const auto from = reply->headers.get(names::header_instance); !from.empty())
            trace_.set("marquee.instance", from);
    }
    else
        trace_.fail(name_of(reply.error().code), service_code_of(reply.error().code) >= 500);
    trace_.end();
}

asio::awaitable<result<message>> hedged_request::receive_lookup()
{
    auto reply = co_await first_->receive();
    unlink();
    if (reply.has_error() && !second_attempt_)
    {
        const auto now = clock::now();
        // A bundled request fails at the deadline of its bundle, which may be earlier than its own.
        const bool silent = reply.error() == errc::timeout && !is_slow(now);
        const bool absent = reply.error() == errc::no_responders && health_.recently_absent(now);
        if ((silent || absent) && health_.take_retry())
            reply = co_await send_after(absent ? std::min(absence_pause, until_.remaining() / 4) : no_pause);
    }
    auto checked = check_origin(std::move(reply));
    conclude(checked);
    co_return checked;
}

asio::awaitable<result<message>> hedged_request::receive_change()
{
    const bool sent = !first_->settled(); // already settled: it failed before it was sent
    auto outcome = co_await first_->receive();
    // The broker's max_payload refused the client's body, as the edge's own limit would.
    if (outcome.has_error() && outcome.error() == errc::payload_too_large)
        co_return fail(errc::payload_too_large, "The body is larger than what the message broker takes.");
    auto reply = check_origin(std::move(outcome));
    if (reply.has_value())
        co_return reply;
    const auto code = reply.error().code;
    if (code == errc::timeout || (sent && (code == errc::disconnected || code == errc::stopping)))
        co_return fail(errc::outcome_unknown, "The change was sent; whether it was made is not known.");
    co_return reply;
}

asio::awaitable<result<message>> hedged_request::send_after(std::chrono::milliseconds pause)
{
    const auto here = co_await asio::this_coro::executor;
    asio::steady_timer timer(here, pause);
    co_await wait(timer);
    sent_again_ = true;
    auto second = call_service(client_.direct, to_, payload_, headers_, until_);
    co_return co_await second.receive();
}

/// Sends a second, unbundled message, because the bundle may be what is not answered. The first
/// reply counts.
void hedged_request::send_hedge(const asio::any_io_executor& on)
{
    if (first_->settled())
        return;
    second_attempt_ = true;
    if (!health_.take_retry())
        return;
    sent_again_ = true;
    auto second = call_service(client_.direct, to_, payload_, headers_, until_);
    co_spawn_logged("hedging a request", on, forward_reply(std::move(second), *first_));
}

void hedged_request::conclude(const result<message>& reply)
{
    concluded_ = true;
    if (reply.has_value() && health_.service() == upstream_service::reporting)
        client_.counting.replied(reply->headers.get(names::header_instance));
    if (reply.has_value())
        health_.answered(permit_, clock::now());
    else
        health_.failed(permit_, reply.error().code, sent_at_, clock::now());
}

void hedge_timer::add(hedged_request& one)
{
    waiting_.push_back(one);
    ticker_.start();
}

/// Returns whether there are others to wait for.
bool hedge_timer::hedge_slow_ones()
{
    const auto now = hedged_request::clock::now();
    for (auto at = waiting_.begin(); at != waiting_.end();)
    {
        auto& one = *at++;
        if (!one.is_slow(now))
            continue;
        one.unlink();
        one.send_hedge(ticker_.executor());
    }
    return !waiting_.empty();
}

} // namespace marquee
