// The rules of an ordered consumer (ADR-17) without I/O: what each event means, and what is to be
// done about it. ordered_consumer executes the actions; tests need no server.
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"

#include <boost/container/static_vector.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace marquee
{

/// "Attempt": the coroutine that makes a consumer. "Confirmed": the last message handed out was
/// looked for in the stream, and on_state(true) was called.
///
///     waiting ──▶ finding_stream ──▶ creating ──▶ unconfirmed
///        ▲              │         ╲      │             │
///        │              │          ▶ creating_confirmed ──▶ confirmed
///        │◀─ abandoned ◀┴──── lost ──────┴─────────────┴───────┘
///
/// A consumer that is lost after its attempt ended goes to `waiting` directly.
enum class consumer_state
{
    waiting = 1,        ///< no consumer and no attempt: waits for the link or for the retry timer
    finding_stream,     ///< the attempt asks for the stream's state
    creating,           ///< subscribed; the attempt awaits the answer to CONSUMER.CREATE
    creating_confirmed, ///< the same, confirmed
    unconfirmed,        ///< the consumer exists
    confirmed,          ///< the consumer exists, confirmed
    abandoned,          ///< lost while the attempt runs: the next one starts after its end
    stopped             ///< final
};

/// What happens to a consumer. `epoch` is that of the attempt which caused the event: one of an
/// earlier epoch is void.
namespace consumer_event
{

struct link_up
{
};
struct link_down
{
};
struct retry_due
{
};
/// The attempt has the stream's state, and a subscription.
struct stream_found
{
};
/// The attempt ended: the server made the consumer.
struct created
{
    bool nothing_to_deliver = false; ///< no message at or after start_sequence() exists
};
/// The attempt ended without a consumer. `why` names the cause for the operator.
struct not_created
{
    std::string_view why;
};
/// The attempt ended with an exception.
struct attempt_threw
{
};
/// A handler threw an exception.
struct handler_threw
{
};
/// A stored message came.
struct delivered
{
    std::uint64_t epoch = 0;
    stream_position position;
    std::uint64_t consumer_sequence = 0;
};
/// A message of JetStream's own came: a heartbeat, a request of flow control, or the end.
struct controlled
{
    std::uint64_t epoch = 0;
    int status = 0; ///< 100: the consumer goes on
    std::string_view description;
    bool wants_flow_reply = false;
    std::optional<std::uint64_t> last_consumer_sequence;
};
/// One idle_heartbeat passed.
struct watchdog_due
{
    std::uint64_t epoch = 0;
};
struct stop
{
};

} // namespace consumer_event

using any_consumer_event =
    std::variant<consumer_event::link_up, consumer_event::link_down, consumer_event::retry_due,
                 consumer_event::stream_found, consumer_event::created, consumer_event::not_created,
                 consumer_event::attempt_threw, consumer_event::handler_threw, consumer_event::delivered,
                 consumer_event::controlled, consumer_event::watchdog_due, consumer_event::stop>;

/// To be executed in order. Where a handler stops the consumer the rest is void.
enum class consumer_action
{
    begin_attempt = 1, ///< with epoch()
    announce,          ///< on_state(true)
    withdraw,          ///< on_state(false)
    report_gone,       ///< on_resume_failure(gone)
    report_another,    ///< on_resume_failure(another); the consumer has stopped
    take_message,      ///< put the message that was delivered into the batch, then call taken()
    reply_to_flow,     ///< publish the empty message that flow control asks for
    hand_out,          ///< call on_batch with what the batch has
    log_loss,          ///< with loss_reason()
    unsubscribe,
    start_watchdog, ///< watchdog_due after idle_heartbeat
    cancel_watchdog,
    start_retry, ///< retry_due after retry_delay()
    release      ///< stopped: drop the batch, the subscription, all timers
};

using consumer_actions = boost::container::static_vector<consumer_action, 8>;

/// Not thread-safe.
class ordered_consumer_fsm
{
public:
    /// Reading begins after `after`.
    explicit ordered_consumer_fsm(stream_position after) noexcept : resume_at_(after) {}

    /// The transition function. `link_up`: the connection is up at this moment; a loss while it is
    /// down is no fault of the consumer and is not counted.
    [[nodiscard]] consumer_actions on(const any_consumer_event& event, bool link_up);

    /// The delivered message is in the batch: progress, and a new consumer resumes after it.
    void taken(stream_position position);

    [[nodiscard]] consumer_state state() const noexcept { return state_; }

    /// Of the last attempt; grows by one with each.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

    /// Whether the attempt still works on a consumer of use.
    [[nodiscard]] bool attempting() const noexcept;

    /// Whether a consumer takes messages that come to a subscription of that epoch.
    [[nodiscard]] bool listens(std::uint64_t epoch) const noexcept;

    /// Where the consumer that is created begins: at the last message handed out where its
    /// timestamp is known and will be compared, else after it.
    [[nodiscard]] std::uint64_t start_sequence() const noexcept;

    [[nodiscard]] std::chrono::milliseconds retry_delay() const noexcept { return retry_delay_; }
    [[nodiscard]] const std::string& loss_reason() const noexcept { return loss_reason_; }
    [[nodiscard]] const consumer_losses& losses() const noexcept { return losses_; }

private:
    using actions = consumer_actions;

    actions apply(const consumer_event::link_up&, bool link_up);
    actions apply(const consumer_event::link_down&, bool link_up);
    actions apply(const consumer_event::retry_due&, bool link_up);
    actions apply(const consumer_event::stream_found&, bool link_up);
    actions apply(const consumer_event::created& answer, bool link_up);
    actions apply(const consumer_event::not_created& failure, bool link_up);
    actions apply(const consumer_event::attempt_threw&, bool link_up);
    actions apply(const consumer_event::handler_threw&, bool link_up);
    actions apply(const consumer_event::delivered& message, bool link_up);
    actions apply(const consumer_event::controlled& told, bool link_up);
    actions apply(const consumer_event::watchdog_due& tick, bool link_up);
    actions apply(const consumer_event::stop&, bool link_up);

    [[nodiscard]] bool has_consumer() const noexcept;
    [[nodiscard]] bool is_confirmed() const noexcept;
    actions begin(bool link_up);
    actions confirm(const stream_position& first);
    actions lose(std::string_view why, bool link_up);
    void give_up(actions& todo);
    void retry_later(actions& todo);
    void count_loss(std::string_view why, bool link_up);
    void note_progress() noexcept;

    consumer_state state_ = consumer_state::waiting;
    std::uint64_t epoch_ = 0;
    stream_position resume_at_;           ///< the last message taken
    std::uint64_t consumer_sequence_ = 0; ///< of the last message delivered by this consumer
    bool heard_ = false;                  ///< something came since the last tick of the watchdog
    int silent_ticks_ = 0;
    std::chrono::milliseconds backoff_ = first_backoff;
    std::chrono::milliseconds retry_delay_ = first_backoff;
    std::string loss_reason_;
    consumer_losses losses_;

    static constexpr std::chrono::milliseconds first_backoff{50};
    static constexpr std::chrono::milliseconds longest_backoff{2000};
    static constexpr int most_silent_ticks = 3;
};

} // namespace marquee
