#include "edge/service_call.hpp"

#include "broker/spawn.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

constexpr std::chrono::milliseconds pause_of_absence{100}; ///< before a service is asked again that nobody listened for
constexpr std::chrono::milliseconds no_pause{0};

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
    case errc::not_implemented:
    case errc::version_not_supported:
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

result<message> as_services_say(result<message> reply)
{
    if (reply.has_error() && !is_services_to_say(reply.error().code))
        return fail(errc::malformed_reply, "A service answered with an error that is not its own to give.");
    return reply;
}

asio::awaitable<void> pass_on(pending_reply from, pending_reply to)
{
    auto reply = co_await from.receive();
    to.settle(std::move(reply));
}

/// What a question says of itself to the service.
header_list with_call(header_list headers, const routed_call& call, deadline until)
{
    headers.set(names::header_request_id, call.request.id);
    headers.set(names::header_timeout, std::to_string(until.remaining().count()));
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
    co_return as_services_say(std::move(reply));
}

question::question(edge_context& edge, const routed_call& call, subject to, deadline until, std::string payload,
                   header_list headers, company with)
    : edge_(edge), service_(edge.services.of(to.str())), to_(std::move(to)), until_(until), payload_(std::move(payload)),
      headers_(with_call(std::move(headers), call, until))
{
    asked_at_ = clock::now();
    slow_at_ = asked_at_ + (until_.at() - asked_at_) / 2;
    permit_ = service_.ask(asked_at_, edge_.link_up);
    if (permit_ == service_health::permit::refused)
        return;
    first_ = (with == company::any ? edge_.lookups : edge_.nats).request(to_, payload_, headers_, until_);
    if (edge_.waiting != nullptr)
        edge_.waiting->add(*this);
}

question::~question()
{
    if (first_ && !concluded_)
        service_.abandoned(permit_);
}

std::optional<error> question::refused() const
{
    if (first_)
        return std::nullopt;
    return fail(errc::unavailable, "The service " + std::string(service_.name()) + " keeps failing, and is given a pause.");
}

asio::awaitable<result<message>> question::answer()
{
    if (!first_)
        co_return *refused();
    auto reply = co_await first_->receive();
    unlink();
    if (reply.has_error() && !asked_again_)
    {
        const auto now = clock::now();
        const bool silent = reply.error() == errc::timeout && !is_slow(now); // it shared the deadline of its company
        const bool absent = reply.error() == errc::no_responders && service_.just_left(now);
        if ((silent || absent) && service_.ask_again())
            reply = co_await ask_after(absent ? std::min(pause_of_absence, until_.remaining() / 4) : no_pause);
    }
    auto said = as_services_say(std::move(reply));
    conclude(said);
    co_return said;
}

asio::awaitable<result<message>> question::ask_after(std::chrono::milliseconds pause)
{
    const auto here = co_await asio::this_coro::executor;
    asio::steady_timer timer(here, pause);
    co_await timer.async_wait(asio::use_awaitable);
    auto second = call_service(edge_.nats, to_, payload_, headers_, until_);
    co_return co_await second.receive();
}

void question::ask_beside(const asio::any_io_executor& on)
{
    if (first_->settled())
        return;
    asked_again_ = true;
    if (!service_.ask_again())
        return;
    auto second = call_service(edge_.nats, to_, payload_, headers_, until_);
    spawn("asking a service again", on, pass_on(std::move(second), *first_));
}

void question::conclude(const result<message>& reply)
{
    concluded_ = true;
    if (reply.has_value())
        service_.answered(permit_, clock::now());
    else
        service_.failed(permit_, reply.error().code, asked_at_, clock::now());
}

void waiting_questions::add(question& one)
{
    all_.push_back(one);
    if (!std::exchange(ticking_, true))
        wait();
}

void waiting_questions::wait()
{
    timer_.expires_after(tick);
    timer_.async_wait(
        [this](boost::system::error_code ec)
        {
            if (!ec)
                look();
        });
}

void waiting_questions::look()
{
    const auto now = question::clock::now();
    for (auto at = all_.begin(); at != all_.end();)
    {
        auto& one = *at++;
        if (!one.is_slow(now))
            continue;
        one.unlink();
        one.ask_beside(timer_.get_executor());
    }
    ticking_ = !all_.empty();
    if (ticking_)
        wait();
}

asio::awaitable<result<message>> await_change(pending_reply pending)
{
    const bool sent = !pending.settled(); // settled already: it failed before it left
    auto outcome = co_await pending.receive();
    // The client's body, which the broker does not take: as with a limit of the edge's own.
    if (outcome.has_error() && outcome.error() == errc::payload_too_large)
        co_return fail(errc::payload_too_large, "The body is larger than what the message broker takes.");
    auto reply = as_services_say(std::move(outcome));
    if (reply.has_value())
        co_return reply;
    const auto code = reply.error().code;
    if (code == errc::timeout || (sent && (code == errc::disconnected || code == errc::stopping)))
        co_return fail(errc::outcome_unknown, "The change was sent; whether it was made is not known.");
    co_return reply;
}

} // namespace marquee
