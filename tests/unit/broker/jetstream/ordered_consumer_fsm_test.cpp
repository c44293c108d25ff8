#include "broker/jetstream/ordered_consumer_fsm.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <vector>

namespace
{

using namespace marquee;
using namespace std::chrono_literals;
namespace event = consumer_event;
using enum consumer_action;
using state = consumer_state;

/// An action handler in place of the I/O class: collects what is to be done.
struct fsm_fixture
{
    ordered_consumer_fsm fsm{stream_position()};
    bool link = true;

    std::vector<consumer_action> on(const any_consumer_event& e)
    {
        const auto todo = fsm.on(e, link);
        return {todo.begin(), todo.end()};
    }

    void resume_at(std::uint64_t sequence, std::chrono::nanoseconds timestamp)
    {
        fsm = ordered_consumer_fsm({sequence, timestamp});
    }

    /// The message of that stream sequence, as this consumer's `nth`. Its timestamp is 100 times
    /// its sequence.
    std::vector<consumer_action> deliver(std::uint64_t sequence, std::uint64_t nth)
    {
        const stream_position position{sequence, std::chrono::nanoseconds(100 * sequence)};
        const auto todo = on(event::delivered{fsm.epoch(), position, nth});
        for (const auto one : todo)
            if (one == take_message)
                fsm.taken(position);
        return todo;
    }

    std::vector<consumer_action> heartbeat(std::uint64_t last, bool wants_flow_reply = false)
    {
        return on(event::controlled{fsm.epoch(), 100, "Idle Heartbeat", wants_flow_reply, last});
    }

    std::vector<consumer_action> tick() { return on(event::watchdog_due{fsm.epoch()}); }

    void attempt(bool nothing_to_deliver = false)
    {
        on(event::link_up());
        on(event::stream_found());
        on(event::created{nothing_to_deliver});
    }

    void expect(const std::vector<consumer_action>& todo, const std::vector<consumer_action>& wanted, state after) const
    {
        BOOST_TEST((todo == wanted));
        BOOST_TEST((fsm.state() == after));
    }
};

const std::vector<consumer_action> nothing;
const std::vector<consumer_action> lost_while_confirmed{cancel_watchdog, hand_out, log_loss,
                                                        unsubscribe,     withdraw, start_retry};

} // namespace

BOOST_FIXTURE_TEST_SUITE(ordered_consumer_fsm_, fsm_fixture)

BOOST_AUTO_TEST_CASE(without_a_known_message_the_consumer_is_announced_once_the_stream_is_found)
{
    expect(on(event::link_up()), {begin_attempt}, state::finding_stream);
    expect(on(event::stream_found()), {announce}, state::creating_confirmed);
    BOOST_TEST(fsm.start_sequence() == 1U);
    expect(on(event::created()), {start_watchdog}, state::confirmed);
    expect(deliver(1, 1), {take_message}, state::confirmed);
    expect(deliver(2, 2), {take_message}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(nothing_is_attempted_while_the_link_is_down)
{
    link = false;
    expect(on(event::retry_due()), nothing, state::waiting);
    expect(on(event::link_down()), {cancel_watchdog, hand_out, start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 0U);
}

BOOST_AUTO_TEST_CASE(there_is_one_attempt_at_a_time)
{
    on(event::link_up());
    expect(on(event::link_up()), nothing, state::finding_stream);
    expect(on(event::retry_due()), nothing, state::finding_stream);
    on(event::stream_found());
    on(event::created());
    expect(on(event::retry_due()), nothing, state::confirmed);
    BOOST_TEST(fsm.epoch() == 1U);
}

BOOST_AUTO_TEST_CASE(the_last_message_is_delivered_once_more_and_not_taken_twice)
{
    resume_at(8, 800ns);
    on(event::link_up());
    expect(on(event::stream_found()), nothing, state::creating);
    BOOST_TEST(fsm.start_sequence() == 8U);
    expect(on(event::created()), {start_watchdog}, state::unconfirmed);
    expect(deliver(8, 1), {announce}, state::confirmed);
    expect(deliver(9, 2), {take_message}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(a_message_may_come_before_the_answer_to_the_creation)
{
    resume_at(8, 800ns);
    on(event::link_up());
    on(event::stream_found());
    expect(deliver(8, 1), {announce}, state::creating_confirmed);
    expect(deliver(9, 2), {take_message}, state::creating_confirmed);
    expect(on(event::created()), {start_watchdog}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(another_message_at_the_sequence_stops_the_consumer_without_an_announcement)
{
    resume_at(8, 1ns);
    attempt();
    expect(deliver(8, 1), {release, report_another}, state::stopped);
}

BOOST_AUTO_TEST_CASE(a_later_message_first_means_that_the_last_one_is_gone)
{
    resume_at(8, 800ns);
    attempt();
    expect(deliver(11, 1), {announce, report_gone, take_message}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(nothing_to_deliver_means_that_the_last_one_is_gone)
{
    resume_at(8, 800ns);
    on(event::link_up());
    on(event::stream_found());
    expect(on(event::created{true}), {announce, report_gone, start_watchdog}, state::confirmed);
    expect(deliver(9, 1), {take_message}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(nothing_to_deliver_is_no_loss_where_no_message_is_known)
{
    on(event::link_up());
    on(event::stream_found());
    expect(on(event::created{true}), {start_watchdog}, state::confirmed);
}

BOOST_AUTO_TEST_CASE(a_missing_message_loses_the_consumer_and_the_next_one_resumes_after_the_last)
{
    attempt();
    deliver(1, 1);
    expect(deliver(3, 3), lost_while_confirmed, state::waiting);
    BOOST_TEST(fsm.loss_reason() == "a message is missing");
    BOOST_TEST(fsm.losses().in_a_row == 1U);
    BOOST_TEST(fsm.losses().after == 1U);
    expect(on(event::retry_due()), {begin_attempt}, state::finding_stream);
    on(event::stream_found());
    BOOST_TEST(fsm.start_sequence() == 1U);
    on(event::created());
    expect(deliver(1, 1), {announce}, state::confirmed);
    expect(deliver(2, 2), {take_message}, state::confirmed);
    BOOST_TEST(fsm.losses().in_a_row == 0U);
}

BOOST_AUTO_TEST_CASE(an_unconfirmed_consumer_that_is_lost_is_not_withdrawn)
{
    resume_at(8, 800ns);
    attempt();
    expect(on(event::link_down()), {cancel_watchdog, hand_out, log_loss, unsubscribe, start_retry}, state::waiting);
}

BOOST_AUTO_TEST_CASE(a_loss_during_the_attempt_waits_for_its_end)
{
    on(event::link_up());
    expect(on(event::link_down()), {cancel_watchdog, hand_out}, state::abandoned);
    BOOST_TEST(!fsm.attempting());
    expect(on(event::link_up()), nothing, state::abandoned);
    expect(on(event::stream_found()), nothing, state::abandoned);
    expect(on(event::created()), {start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 0U); // there was no consumer to lose

    on(event::retry_due());
    on(event::stream_found());
    expect(deliver(5, 2), {cancel_watchdog, hand_out, log_loss, unsubscribe, withdraw}, state::abandoned);
    expect(on(event::not_created{"refused"}), {start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().why == "a message is missing");
}

BOOST_AUTO_TEST_CASE(a_creation_that_is_refused_counts_and_is_tried_again)
{
    on(event::link_up());
    expect(on(event::not_created{"no stream"}), {start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().why == "it cannot be made: no stream");
    on(event::retry_due());
    on(event::stream_found());
    expect(on(event::not_created{"no stream"}), {unsubscribe, withdraw, start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 2U);
    BOOST_TEST(!fsm.losses().stuck());
    on(event::retry_due());
    on(event::not_created{"no stream"});
    BOOST_TEST(fsm.losses().stuck());
}

BOOST_AUTO_TEST_CASE(a_loss_while_the_link_is_down_is_not_counted)
{
    attempt();
    link = false;
    expect(on(event::link_down()), lost_while_confirmed, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 0U);
}

BOOST_AUTO_TEST_CASE(the_pause_before_an_attempt_doubles_up_to_two_seconds_and_progress_resets_it)
{
    const std::vector<std::chrono::milliseconds> wanted{50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms};
    for (const auto each : wanted)
    {
        on(event::retry_due());
        on(event::not_created{"no stream"});
        BOOST_TEST(fsm.retry_delay().count() == each.count());
    }
    attempt();
    deliver(1, 1);
    on(event::link_down());
    BOOST_TEST(fsm.retry_delay().count() == 50);
}

BOOST_AUTO_TEST_CASE(flow_control_is_answered_and_is_no_progress)
{
    attempt();
    on(event::link_down());
    on(event::retry_due());
    on(event::stream_found());
    on(event::created());
    BOOST_TEST(fsm.losses().in_a_row == 1U);
    expect(on(event::controlled{fsm.epoch(), 100, "FlowControl Request", true, std::nullopt}), {reply_to_flow},
           state::confirmed);
    expect(heartbeat(0, true), {reply_to_flow}, state::confirmed);
    BOOST_TEST(fsm.losses().in_a_row == 1U);
    expect(heartbeat(0), nothing, state::confirmed);
    BOOST_TEST(fsm.losses().in_a_row == 0U);
}

BOOST_AUTO_TEST_CASE(a_heartbeat_that_tells_of_messages_that_did_not_come_loses_the_consumer)
{
    attempt();
    deliver(1, 1);
    expect(heartbeat(1), nothing, state::confirmed);
    expect(heartbeat(2), lost_while_confirmed, state::waiting);
}

BOOST_AUTO_TEST_CASE(another_status_than_100_is_the_end_of_the_consumer)
{
    attempt();
    expect(on(event::controlled{fsm.epoch(), 409, "Consumer Deleted", false, std::nullopt}), lost_while_confirmed,
           state::waiting);
    BOOST_TEST(fsm.losses().why == "Consumer Deleted");
}

BOOST_AUTO_TEST_CASE(three_silent_intervals_in_a_row_lose_the_consumer)
{
    attempt();
    expect(tick(), {start_watchdog}, state::confirmed);
    expect(tick(), {start_watchdog}, state::confirmed);
    heartbeat(0);
    for (int i = 0; i < 3; ++i)
        expect(tick(), {start_watchdog}, state::confirmed); // the first one after the heartbeat
    expect(tick(), lost_while_confirmed, state::waiting);
    BOOST_TEST(fsm.losses().why == "no heartbeat");
}

BOOST_AUTO_TEST_CASE(what_belongs_to_an_earlier_consumer_is_void)
{
    attempt();
    deliver(1, 1);
    const auto before = fsm.epoch();
    on(event::link_down());
    on(event::retry_due());
    on(event::stream_found());
    on(event::created());
    BOOST_TEST(!fsm.listens(before));
    expect(on(event::delivered{before, {2, 200ns}, 2}), nothing, state::unconfirmed);
    expect(on(event::controlled{before, 409, "Consumer Deleted", false, std::nullopt}), nothing, state::unconfirmed);
    expect(on(event::watchdog_due{before}), nothing, state::unconfirmed);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_loses_the_consumer_and_the_message_comes_again)
{
    resume_at(8, 800ns);
    attempt();
    const auto todo = on(event::delivered{fsm.epoch(), {11, 1100ns}, 1}); // announce throws: nothing is taken
    BOOST_TEST((todo == std::vector{announce, report_gone, take_message}));
    expect(on(event::handler_threw()), lost_while_confirmed, state::waiting);
    on(event::retry_due());
    on(event::stream_found());
    BOOST_TEST(fsm.start_sequence() == 8U);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_during_the_attempt_waits_for_its_end)
{
    on(event::link_up());
    on(event::stream_found());
    expect(on(event::handler_threw()), {cancel_watchdog, hand_out, log_loss, unsubscribe, withdraw}, state::abandoned);
    expect(on(event::created()), {start_retry}, state::waiting);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_when_it_is_told_of_the_loss_changes_nothing)
{
    attempt();
    on(event::link_down());
    expect(on(event::handler_threw()), nothing, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 1U);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_throws_is_a_loss)
{
    on(event::link_up());
    expect(on(event::attempt_threw()), {cancel_watchdog, start_retry}, state::waiting);
    on(event::retry_due());
    on(event::stream_found());
    expect(on(event::attempt_threw()), {cancel_watchdog, unsubscribe, withdraw, start_retry}, state::waiting);
    BOOST_TEST(fsm.losses().in_a_row == 2U);
}

BOOST_AUTO_TEST_CASE(a_stopped_consumer_does_nothing)
{
    attempt();
    expect(on(event::stop()), {release}, state::stopped);
    expect(on(event::link_up()), nothing, state::stopped);
    expect(on(event::link_down()), nothing, state::stopped);
    expect(on(event::retry_due()), nothing, state::stopped);
    expect(deliver(1, 1), nothing, state::stopped);
    expect(on(event::created()), nothing, state::stopped);
    expect(on(event::stop()), nothing, state::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
