#include "services/catalogue/kv_watch_fsm.hpp"

namespace marquee
{

using action = kv_watch_action;
using state = kv_watch_state;

kv_watch_actions kv_watch_fsm::on(const any_kv_watch_event& event)
{
    if (state_ == state::stopped)
        return {};
    return std::visit([this](const auto& e) { return apply(e); }, event);
}

bool kv_watch_fsm::catching_up() const noexcept { return state_ == state::reading || state_ == state::resuming; }

kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::consumer_up& up)
{
    const auto& bucket = up.bucket;
    const bool known = !bucket_.created.empty();
    if (known && (bucket.created != bucket_.created || bucket.last_sequence < taken_))
        return resync("it is another one than before");
    bucket_ = {bucket.created, bucket.last_sequence, bucket.messages, bucket.subjects};
    at_end_ = bucket.messages == 0;
    enter(taken_ > 0 ? state::resuming : state::reading);
    return {action::set_history, action::count, action::await_end};
}

kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::consumer_down&)
{
    enter(state::down);
    ++epoch_;
    return {};
}

/// Where nothing was to come, the next message has the next number, unless one was removed before
/// it was delivered.
kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::message& next)
{
    const bool left_out = at_end_ && next.sequence != taken_ + 1;
    taken_ = next.sequence;
    at_end_ = next.pending == 0;
    if (current() && (left_out || next.removes_others))
        return {action::compare_soon};
    return {};
}

/// Current once everything that was in the bucket when the consumer was made has come. What was
/// removed while the consumer was lost leaves no trace but how much is left.
kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::counted& now)
{
    if (!catching_up() || (taken_ < bucket_.last_sequence && !at_end_))
        return {};
    const held_count wanted{taken_, bucket_.subjects, bucket_.messages};
    if (state_ == state::resuming && !now.held.same_amount(wanted))
        return resync("messages were removed unseen");
    enter(state::current);
    resyncs_in_a_row_ = 0;
    return {action::serve};
}

/// The last messages of a bucket may have been removed. After a message before them `pending`
/// tells; when none is left to come, nothing does.
kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::silence& since)
{
    if (!catching_up())
        return {};
    if (taken_ == since.taken)
        return resync("nothing tells where the bucket ends");
    return {action::await_end};
}

kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::differs& found) { return resync(found.why); }

kv_watch_actions kv_watch_fsm::apply(const kv_watch_event::stop&)
{
    enter(state::stopped);
    ++epoch_;
    return {};
}

/// Revisions may be used again: nothing is known of the bucket.
kv_watch_actions kv_watch_fsm::resync(std::string_view why)
{
    enter(state::down);
    ++epoch_;
    ++resyncs_;
    ++resyncs_in_a_row_;
    resync_reason_ = why;
    bucket_.created.clear();
    taken_ = 0;
    return {action::read_again};
}

consumer_losses kv_watch_fsm::losses(consumer_losses of_consumer) const
{
    if (of_consumer.in_a_row == 0 && resyncs_in_a_row_ > 0)
        of_consumer.why = resync_reason_;
    of_consumer.in_a_row += resyncs_in_a_row_;
    return of_consumer;
}

} // namespace marquee
