#include "broker/jetstream/ordered_consumer_fsm.hpp"

#include "broker/base/fault_injection.hpp"

#include <algorithm>

namespace marquee
{

using enum consumer_state;
using action = consumer_action;

std::string consumer_losses::text() const
{
    return "the consumer is lost again and again after sequence " + std::to_string(after) + ": " + why;
}

consumer_actions ordered_consumer_fsm::on(const any_consumer_event& event, bool link_up)
{
    if (state_ == stopped)
        return {};
    return std::visit([this, link_up](const auto& e) { return apply(e, link_up); }, event);
}

bool ordered_consumer_fsm::attempting() const noexcept
{
    return state_ == finding_stream || state_ == creating || state_ == creating_confirmed;
}

bool ordered_consumer_fsm::has_consumer() const noexcept
{
    return state_ == creating || state_ == creating_confirmed || state_ == unconfirmed || state_ == confirmed;
}

bool ordered_consumer_fsm::is_confirmed() const noexcept { return state_ == creating_confirmed || state_ == confirmed; }

bool ordered_consumer_fsm::listens(std::uint64_t epoch) const noexcept { return epoch == epoch_ && has_consumer(); }

std::uint64_t ordered_consumer_fsm::start_sequence() const noexcept
{
    return is_confirmed() ? resume_at_.sequence + 1 : resume_at_.sequence;
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::link_up&, bool link_up) { return begin(link_up); }

consumer_actions ordered_consumer_fsm::apply(const consumer_event::retry_due&, bool link_up) { return begin(link_up); }

consumer_actions ordered_consumer_fsm::apply(const consumer_event::link_down&, bool link_up)
{
    return lose("the broker link is down", link_up);
}

consumer_actions ordered_consumer_fsm::begin(bool link_up)
{
    if (state_ != waiting || !link_up)
        return {};
    state_ = finding_stream;
    ++epoch_;
    return {action::begin_attempt};
}

/// A timestamp that is known is compared first. Else there is nothing to confirm.
consumer_actions ordered_consumer_fsm::apply(const consumer_event::stream_found&, bool)
{
    if (state_ != finding_stream)
        return {};
    consumer_sequence_ = 0;
    silent_ticks_ = 0;
    const bool compares = resume_at_.timestamp.count() != 0 && !fault_injected("place_not_checked");
    if (epoch_ > 1 && fault_injected("resume_skips_one"))
        resume_at_ = {resume_at_.sequence + 1, std::chrono::nanoseconds(0)};
    state_ = compares ? creating : creating_confirmed;
    return compares ? actions() : actions{action::announce};
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::created& answer, bool)
{
    actions todo;
    if (state_ == abandoned)
    {
        retry_later(todo);
        return todo;
    }
    if (!attempting())
        return todo;
    if (state_ == creating && !answer.nothing_to_deliver)
        state_ = unconfirmed;
    else
    {
        if (state_ == creating)
            todo = {action::announce, action::report_gone};
        state_ = confirmed;
    }
    heard_ = false;
    todo.push_back(action::start_watchdog);
    return todo;
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::not_created& failure, bool link_up)
{
    actions todo;
    if (state_ != abandoned && !attempting())
        return todo;
    if (attempting())
        count_loss("it cannot be made: " + std::string(failure.why), link_up);
    give_up(todo);
    retry_later(todo);
    return todo;
}

/// What was done of the attempt is not known.
consumer_actions ordered_consumer_fsm::apply(const consumer_event::attempt_threw&, bool link_up)
{
    actions todo{action::cancel_watchdog};
    count_loss("its set-up threw an exception", link_up);
    give_up(todo);
    retry_later(todo);
    return todo;
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::handler_threw&, bool link_up)
{
    if (!has_consumer()) // it is lost already
        return {};
    return lose("its set-up threw an exception", link_up);
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::delivered& message, bool link_up)
{
    if (!listens(message.epoch))
        return {};
    heard_ = true;
    if (message.consumer_sequence != consumer_sequence_ + 1)
        return lose("a message is missing", link_up);
    consumer_sequence_ = message.consumer_sequence;
    if (is_confirmed())
        return {action::take_message};
    return confirm(message.position);
}

/// `first` is the first message of a new consumer: the last one handed out, delivered once more,
/// where it is still in the stream.
consumer_actions ordered_consumer_fsm::confirm(const stream_position& first)
{
    const bool there = first.sequence == resume_at_.sequence;
    if (there && first.timestamp != resume_at_.timestamp)
    {
        state_ = stopped;
        return {action::release, action::report_another};
    }
    state_ = state_ == creating ? creating_confirmed : confirmed;
    if (there)
        return {action::announce};
    return {action::announce, action::report_gone, action::take_message};
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::controlled& told, bool link_up)
{
    if (!listens(told.epoch))
        return {};
    heard_ = true;
    if (told.status != 100)
        return lose(told.description, link_up);
    actions todo;
    if (told.wants_flow_reply) // what came before is taken
        todo.push_back(action::reply_to_flow);
    if (!told.last_consumer_sequence)
        return todo;
    if (*told.last_consumer_sequence != consumer_sequence_)
    {
        const auto loss = lose("a heartbeat tells of messages that did not arrive", link_up);
        todo.insert(todo.end(), loss.begin(), loss.end());
    }
    else if (!told.wants_flow_reply) // neither stalled nor behind
        note_progress();
    return todo;
}

/// Three intervals in a row without a message: the consumer is gone, even while the link is up.
consumer_actions ordered_consumer_fsm::apply(const consumer_event::watchdog_due& tick, bool link_up)
{
    if (!listens(tick.epoch))
        return {};
    silent_ticks_ = heard_ ? 0 : silent_ticks_ + 1;
    heard_ = false;
    if (silent_ticks_ < most_silent_ticks)
        return {action::start_watchdog};
    return lose("no heartbeat", link_up);
}

consumer_actions ordered_consumer_fsm::apply(const consumer_event::stop&, bool)
{
    state_ = stopped;
    return {action::release};
}

/// What the batch has is in order and is handed out first.
consumer_actions ordered_consumer_fsm::lose(std::string_view why, bool link_up)
{
    actions todo{action::cancel_watchdog, action::hand_out};
    const bool attempt_runs = attempting() || state_ == abandoned;
    if (has_consumer())
    {
        loss_reason_ = why;
        count_loss(why, link_up);
        todo.push_back(action::log_loss);
    }
    give_up(todo);
    if (attempt_runs)
        state_ = abandoned;
    else
        retry_later(todo);
    return todo;
}

void ordered_consumer_fsm::give_up(actions& todo)
{
    if (has_consumer())
        todo.push_back(action::unsubscribe);
    if (is_confirmed())
        todo.push_back(action::withdraw);
}

void ordered_consumer_fsm::retry_later(actions& todo)
{
    state_ = waiting;
    retry_delay_ = backoff_;
    backoff_ = std::min(backoff_ * 2, longest_backoff);
    todo.push_back(action::start_retry);
}

void ordered_consumer_fsm::count_loss(std::string_view why, bool link_up)
{
    if (!link_up)
        return;
    ++losses_.in_a_row;
    losses_.after = resume_at_.sequence;
    losses_.why = why;
}

void ordered_consumer_fsm::taken(stream_position position)
{
    note_progress();
    resume_at_ = position;
}

void ordered_consumer_fsm::note_progress() noexcept
{
    losses_.in_a_row = 0;
    backoff_ = first_backoff;
}

} // namespace marquee
