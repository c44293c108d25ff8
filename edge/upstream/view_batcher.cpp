#include "edge/upstream/view_batcher.hpp"

#include "broker/base/co_spawn_logged.hpp"
#include "broker/base/fault_injection.hpp"
#include "broker/base/log.hpp"
#include "broker/base/log_quota.hpp"
#include "edge/upstream/counts_lines.hpp"
#include "edge/upstream/send_span.hpp"
#include "edge/upstream/store_message.hpp"
#include "schemas/event.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/subjects.hpp"
#include "schemas/ulid.hpp"

#include <algorithm>
#include <utility>

namespace marquee
{

namespace
{

using namespace std::chrono_literals;

constexpr auto tick_period = 10ms;       ///< precision of deadlines and of asking again
constexpr auto shortest_patience = 50ms; ///< before a message without counts is asked about
constexpr auto longest_patience = 500ms; ///< the same without a retry budget: as long as a play waits for statistics
constexpr auto limit_time = 60s;         ///< a limit on events a message is tried again afterwards

/// Whether JetStream or the broker refused the message, which may be one event's fault.
bool is_refusal(const error& why) { return why == errc::unavailable || why == errc::payload_too_large; }

limited_log& senseless_log()
{
    static limited_log log(log_level::warning, "the counts of a message made no sense");
    return log;
}

} // namespace

/// The views of one message, until the last of them has ended.
struct view_batcher::batch
{
    std::string id; ///< a ULID: Nats-Msg-Id, and the first part of the events' ids
    std::string payload;
    std::size_t lines = 0;
    view_list views;                          ///< those that still wait, in the order of their lines
    deadline until{clock::time_point::min()}; ///< the latest of the views'
    clock::time_point sent_at;
    clock::time_point ask_at; ///< when to ask where no counts have come
    std::string named;        ///< the instance that is to answer; empty: none
    bool budget_denied = false;
    bool confirming = false;                      ///< or confirmed
    std::optional<service_health::permit> permit; ///< of reporting's circuit; empty once it is reported on
};

view_batcher::view_batcher(asio::io_context& io, service_client& services, outage_timer& stream_outage,
                           const batch_gate& gate, view_message_counters& counted)
    : io_(io), services_(services), stream_outage_(stream_outage), gate_(gate), counted_(counted),
      turn_end_(io, [this] { flush(); }), ticker_(io, tick_period, [this] { return tick(); }),
      self_(std::make_shared<view_batcher*>(this))
{
}

view_batcher::~view_batcher()
{
    *self_ = nullptr;
    drop_calls(gathered_);
    for (const auto& each : in_flight_)
        drop_calls(each->views);
}

asio::awaitable<result<stored_view>> view_batcher::send(const view& seen, std::string_view request_id, deadline until,
                                                        const trace_context* trace)
{
    auto sending = send_span(trace);
    waiting_view mine(seen, request_id, until, sending);
    auto waiting = wait_in<stored_view>(mine, [this](waiting_view& one) { gather(one); });
    auto ended = co_await std::move(waiting);
    end_send_span(sending, ended);
    co_return ended;
}

void view_batcher::gather(waiting_view& one)
{
    gathered_.push_back(one);
    turn_end_.request();
}

void view_batcher::flush()
{
    while (!gathered_.empty())
        send(make_batch());
}

/// Moves views from those that are gathered into a message, as many as it holds.
view_batcher::batch_ptr view_batcher::make_batch()
{
    const auto now = std::chrono::system_clock::now();
    const auto most = clock::now() < limited_until_ ? limit_ : max_events;
    const auto time = rfc3339(now);
    auto made = std::make_shared<batch>();
    made->id = make_ulid(now);
    static const auto longest_line = longest_event_bytes();
    const bool one_event = most == 1 || std::next(gathered_.begin()) == gathered_.end();
    while (!gathered_.empty() && made->lines < most && made->payload.size() + longest_line <= max_bytes)
    {
        auto& one = gathered_.front();
        one.unlink();
        add_line(*made, one, time, one_event);
        if (one_event)
            break;
    }
    return made;
}

/// Without a key an event is called like its message where it is alone, else BATCH.LINE.
void view_batcher::add_line(batch& to, waiting_view& one, std::string_view time, bool alone)
{
    one.line = to.lines++;
    auto id = !one.seen.event_id.empty() ? one.seen.event_id : alone ? to.id : to.id + '.' + std::to_string(one.line);
    if (one.line > 0)
        to.payload += '\n';
    append_event(to.payload, id, one.seen.asset, one.seen.user, time, one.trace.context());
    if (one.trace)
        describe_send(one.trace, to.id, id);
    to.until = deadline(std::max(to.until.at(), one.until.at()));
    to.views.push_back(one);
    if (is_logged(log_level::debug))
        log(log_level::debug, "a view is sent",
            {{"request", std::string(one.request_id)}, {"event", std::move(id)}, {"message", to.id}});
}

/// Sends the message, and waits for its counts where an instance is known that may send them.
void view_batcher::send(const batch_ptr& one)
{
    auto& health = services_.health.of(upstream_service::reporting);
    counted_.messages.add();
    counted_.views.add(one->lines);
    one->sent_at = clock::now();
    one->named = services_.counting.name();
    const auto permit = health.admit(one->sent_at, services_.link_up);
    if (permit != service_health::permit::refused)
        one->permit = permit;
    if (!one->permit || one->named.empty())
    {
        report(*one, batch_end::unknown);
        one->named.clear();
        in_flight_.push_back(one);
        confirm(one);
        return ticker_.start();
    }
    one->ask_at = one->sent_at + std::clamp<clock::duration>(3 * waits_.value(), shortest_patience, longest_patience);
    header_list headers;
    headers.set(names::header_msg_id, one->id);
    headers.set(names::header_counts_from, one->named);
    in_flight_.push_back(one);
    auto pending = services_.direct.request_by_header(subjects::events(), one->payload, std::move(headers),
                                                      names::header_counts_to, one->until);
    pending.on_settled(
        [self = self_, one](result<message> reply)
        {
            if (*self != nullptr)
                (*self)->on_counts(one, reply);
        });
    ticker_.start();
    if (fault_injected("ack_before_stored"))
        end_all(*one, stored_view{1, std::nullopt});
}

void view_batcher::on_counts(const batch_ptr& of, const result<message>& reply)
{
    if (reply.has_value())
    {
        if (take_counts(*of, *reply))
            report(*of, batch_end::counted);
        else if (!of->confirming)
            confirm(of);
    }
    else if (!of->confirming) // not sent, the link is lost, or the last view's deadline has passed
    {
        report(*of, batch_end::unknown);
        end_all(*of, reply.error());
    }
}

/// Ends the views with their counts. False where the reply does not have one line for each.
bool view_batcher::take_counts(batch& of, const message& reply)
{
    const auto lines = read_counts_lines(reply.data, of.lines);
    if (!lines)
    {
        senseless_log().write({{"message", of.id}, {"from", of.named}});
        return false;
    }
    services_.counting.replied(reply.headers.get(names::header_instance));
    waits_.add(clock::now() - of.sent_at);
    while (!of.views.empty()) // the end of one may end others
    {
        auto& first = of.views.front();
        const auto& line = (*lines)[first.line];
        if (line.counts)
            first.end(stored_view{0, line.counts});
        else if (line.key_reused)
            first.end(fail(errc::key_reused));
        else
            first.end(stored_view{0, std::nullopt}); // reporting took it for no event: it has no counts
    }
    return true;
}

/// Publishes the message with a reply subject, for what became of it.
void view_batcher::confirm(const batch_ptr& one)
{
    counted_.asked.add();
    one->confirming = true;
    co_spawn_logged("confirming views", io_.get_executor(), store(self_, one));
}

asio::awaitable<void> view_batcher::store(std::shared_ptr<view_batcher*> self, batch_ptr one)
{
    auto storing =
        store_message((*self)->services_.direct, (*self)->stream_outage_, one->payload, one->id, {}, one->until);
    const auto how = co_await std::move(storing);
    if (*self != nullptr)
        (*self)->confirmed(*one, how);
}

void view_batcher::confirmed(batch& of, const result<stored_event>& how)
{
    if (how.has_value())
    {
        report(of, how->duplicate ? batch_end::not_counted : batch_end::unknown);
        return end_all(of, stored_view{how->sequence, std::nullopt});
    }
    report(of, batch_end::unknown);
    if (is_refusal(how.error()) && of.lines > 1)
        send_singly(of);
    else
        end_all(of, how.error());
}

/// Sends each view in a message of its own, and fewer together for a while.
void view_batcher::send_singly(batch& one)
{
    limit_ = std::max<std::size_t>(one.lines / 2, 1);
    limited_until_ = clock::now() + limit_time;
    log(log_level::warning, "a message of views is refused: they are sent one by one",
        {{"events", std::to_string(one.lines)}, {"at_most", std::to_string(limit_)}});
    while (!one.views.empty())
    {
        auto& first = one.views.front();
        first.unlink();
        auto single = std::make_shared<batch>();
        const auto now = std::chrono::system_clock::now();
        single->id = make_ulid(now);
        add_line(*single, first, rfc3339(now), true);
        send(single);
    }
}

/// Reports on reporting's health, once for each message.
void view_batcher::report(batch& of, batch_end how)
{
    auto& health = services_.health.of(upstream_service::reporting);
    const auto permit = std::exchange(of.permit, std::nullopt);
    if (!permit)
        return;
    if (how == batch_end::counted)
        health.answered(*permit, clock::now());
    else if (how == batch_end::not_counted)
    {
        services_.counting.missed(of.named);
        health.failed(*permit, errc::timeout, of.sent_at, clock::now());
    }
    else
        health.abandoned(*permit);
}

void view_batcher::end_all(batch& of, const result<stored_view>& how)
{
    while (!of.views.empty())
        of.views.front().end(how);
}

/// Returns whether there are messages to wait for.
bool view_batcher::tick()
{
    const auto now = clock::now();
    const auto not_confirmed = fail(errc::timeout, "storing is not confirmed in time");
    const auto batches = in_flight_; // the end of a view may send others
    for (const auto& each : batches)
    {
        ask_if_late(each, now);
        end_late_calls(each->views, now, not_confirmed);
    }
    std::erase_if(in_flight_, [](const batch_ptr& each) { return each->views.empty(); });
    return !in_flight_.empty();
}

/// At once while the circuit of reporting is not closed; late where there is no retry budget.
void view_batcher::ask_if_late(const batch_ptr& one, clock::time_point now)
{
    if (one->confirming || one->views.empty())
        return;
    auto& health = services_.health.of(upstream_service::reporting);
    const bool is_probe = one->permit == service_health::permit::probe;
    if (!health.closed() && !is_probe)
        return confirm(one);
    if (now < one->ask_at)
        return;
    if (one->budget_denied || is_probe || health.take_retry())
        return confirm(one);
    one->budget_denied = true;
    one->ask_at = one->sent_at + longest_patience;
}

} // namespace marquee
