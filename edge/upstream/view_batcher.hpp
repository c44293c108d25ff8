// Views of one loop turn are one message of the stream, and their counts come back as one message.
#pragma once

#include "broker/base/turn_end.hpp"
#include "broker/jetstream/publish.hpp"
#include "broker/telemetry/span.hpp"
#include "edge/upstream/batch_gate.hpp"
#include "edge/upstream/outage_timer.hpp"
#include "edge/upstream/recent_median.hpp"
#include "edge/upstream/service_client.hpp"
#include "edge/upstream/suspended_call.hpp"
#include "edge/upstream/ticker.hpp"
#include "schemas/ids.hpp"
#include "schemas/messages.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// A view to record. With an Idempotency-Key, `event_id` is the same for every retry on every edge;
/// without one it is empty, and the sender gives the event an id.
struct view
{
    std::string event_id;
    asset_id asset;
    user_id user;
};

/// What became of a view that was stored.
struct stored_view
{
    std::uint64_t sequence = 0;         ///< of its message in the stream; 0 where `counts` says that it is counted
    std::optional<counts_reply> counts; ///< as they were at this view, which they include
};

/// Sends views (contract, section 2: "a batch of an edge"). The views of a loop turn become one
/// message with an event a line; reporting counts it from the stream, and then publishes the counts
/// of all events to an inbox that the message names. There is no acknowledgement: a consumer is
/// only given what is stored.
///
/// Where no counts come in time, once for each message and as far as the retry budget of reporting
/// goes, the same message is published again under the same Nats-Msg-Id and with a reply subject.
/// Its sequence says that it is stored; the caller then requests the counts. That is also the way
/// while the circuit of reporting is open, and while no instance is known to answer.
///
/// Used on one io thread. Destroyed before the io_context, which then destroys the coroutines of
/// the views in flight.
class view_batcher
{
public:
    using clock = deadline::clock;

    static constexpr std::size_t max_events = 256;
    static constexpr std::size_t max_bytes = 64U << 10U;

    /// All references outlive it.
    view_batcher(asio::io_context& io, service_client& services, outage_timer& stream_outage, const batch_gate& gate,
                 view_message_counters& counted);
    ~view_batcher();
    view_batcher(const view_batcher&) = delete;
    view_batcher& operator=(const view_batcher&) = delete;

    /// Whether views may be sent this way now.
    [[nodiscard]] bool ready() const noexcept { return gate_.open(clock::now()); }

    [[nodiscard]] const batch_gate& gate() const noexcept { return gate_; }

    /// Sends a view and waits until it is stored. Fails with key_reused, if its id was first used
    /// for another asset or user; with timeout at `until`, if storing is not confirmed; as
    /// store_message() does. Both arguments outlive the call.
    [[nodiscard]] asio::awaitable<result<stored_view>> send(const view& seen, std::string_view request_id,
                                                            deadline until, const trace_context* trace = nullptr);

private:
    /// A view that waits in send().
    struct waiting_view : suspended_call<stored_view>
    {
        waiting_view(const view& v, std::string_view id, deadline d, span& s)
            : suspended_call(d), seen(v), request_id(id), trace(s)
        {
        }

        const view& seen;
        std::string_view request_id;
        span& trace;          ///< of sending it
        std::size_t line = 0; ///< in the message, from 0
    };
    using view_list = suspended_calls<waiting_view>;

    struct batch;
    using batch_ptr = std::shared_ptr<batch>;

    /// What a message says about reporting.
    enum class batch_end : std::uint8_t
    {
        counted,
        not_counted, ///< it was stored, and no counts came
        unknown,     ///< it was not stored, or is not known to be
    };

    void gather(waiting_view& one);
    void flush();
    batch_ptr make_batch();
    static void add_line(batch& to, waiting_view& one, std::string_view time, bool alone);
    void send(const batch_ptr& one);
    void on_counts(const batch_ptr& of, const result<message>& reply);
    [[nodiscard]] bool take_counts(batch& of, const message& reply);
    void confirm(const batch_ptr& one);
    static asio::awaitable<void> store(std::shared_ptr<view_batcher*> self, batch_ptr one);
    void confirmed(batch& of, const result<stored_event>& how);
    void send_singly(batch& one);
    void report(batch& of, batch_end how);
    static void end_all(batch& of, const result<stored_view>& how);
    [[nodiscard]] bool tick();
    void ask_if_late(const batch_ptr& one, clock::time_point now);

    asio::io_context& io_;
    service_client& services_;
    outage_timer& stream_outage_;
    const batch_gate& gate_;
    view_message_counters& counted_;
    view_list gathered_;
    turn_end turn_end_; ///< sends what is gathered
    std::vector<batch_ptr> in_flight_;
    ticker ticker_;
    recent_median waits_;
    std::size_t limit_ = max_events; ///< of events a message
    clock::time_point limited_until_{};
    std::shared_ptr<view_batcher*> self_; ///< points to null after destruction
};

} // namespace marquee
