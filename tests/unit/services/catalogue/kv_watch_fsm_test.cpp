#include "services/catalogue/kv_watch_fsm.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace
{

using namespace marquee;
namespace event = kv_watch_event;
using enum kv_watch_action;
using state = kv_watch_state;
using actions = std::vector<kv_watch_action>;

const actions nothing;
const actions put_in_place{set_history, count, await_end};

struct fsm_fixture
{
    kv_watch_fsm fsm;
    stream_state bucket; ///< five messages on four keys
    held_count whole{5, 4, 5};

    fsm_fixture()
    {
        bucket.created = "2026-01-01T00:00:00Z";
        bucket.last_sequence = 5;
        bucket.messages = 5;
        bucket.subjects = 4;
    }

    actions on(const any_kv_watch_event& e)
    {
        const auto todo = fsm.on(e);
        return {todo.begin(), todo.end()};
    }
    actions up() { return on(event::consumer_up{bucket}); }
    actions message(std::uint64_t sequence, std::uint64_t pending = 1)
    {
        return on(event::message{sequence, pending, false});
    }
    actions counted(held_count held) { return on(event::counted{held}); }

    /// Reads the bucket to its end.
    void read()
    {
        up();
        for (std::uint64_t each = fsm.taken() + 1; each <= bucket.last_sequence; ++each)
            message(each, bucket.last_sequence - each);
        counted(whole);
    }

    void expect(const actions& todo, const actions& wanted, state after) const
    {
        BOOST_TEST((todo == wanted));
        BOOST_TEST((fsm.state() == after));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(kv_watch_fsm_, fsm_fixture)

BOOST_AUTO_TEST_CASE(a_bucket_is_current_once_everything_in_it_at_the_begin_has_come)
{
    expect(up(), put_in_place, state::reading);
    expect(counted({0, 0, 0}), nothing, state::reading);
    for (std::uint64_t each = 1; each < 5; ++each)
    {
        expect(message(each), nothing, state::reading);
        expect(counted({each, each, each}), nothing, state::reading);
    }
    expect(message(5, 0), nothing, state::reading);
    expect(counted({5, 1, 1}), {serve}, state::current); // from the beginning the amount does not matter
    BOOST_TEST(fsm.taken() == 5U);
}

BOOST_AUTO_TEST_CASE(an_empty_bucket_is_current_at_once)
{
    bucket.last_sequence = 7; // all purged
    bucket.messages = 0;
    expect(up(), put_in_place, state::reading);
    expect(counted({0, 0, 0}), {serve}, state::current);
}

BOOST_AUTO_TEST_CASE(the_end_is_where_nothing_is_to_come)
{
    up();
    message(3, 0); // 4 and 5 were removed since
    expect(counted({3, 3, 3}), {serve}, state::current);
}

BOOST_AUTO_TEST_CASE(silence_before_the_end_reads_the_bucket_again)
{
    up();
    message(3);
    counted({3, 3, 3});
    expect(on(event::silence{2}), {await_end}, state::reading); // something came since
    expect(on(event::silence{3}), {read_again}, state::down);
    BOOST_TEST(fsm.resync_reason() == "nothing tells where the bucket ends");
    BOOST_TEST(fsm.taken() == 0U);
}

BOOST_AUTO_TEST_CASE(silence_after_the_end_means_nothing)
{
    read();
    expect(on(event::silence{5}), nothing, state::current);
    on(event::consumer_down());
    expect(on(event::silence{5}), nothing, state::down);
}

BOOST_AUTO_TEST_CASE(a_watch_that_is_lost_resumes_and_compares_the_amount)
{
    read();
    const auto before = fsm.epoch();
    expect(on(event::consumer_down()), nothing, state::down);
    BOOST_TEST(fsm.epoch() != before);
    bucket.last_sequence = 6;
    bucket.messages = 6;
    expect(up(), put_in_place, state::resuming);
    expect(counted(whole), nothing, state::resuming);
    message(6, 0);
    expect(counted({6, 4, 6}), {serve}, state::current);
}

BOOST_AUTO_TEST_CASE(messages_removed_while_the_watch_was_lost_are_noticed)
{
    read();
    on(event::consumer_down());
    bucket.messages = 4;
    bucket.subjects = 3;
    up();
    expect(counted(whole), {read_again}, state::down);
    BOOST_TEST(fsm.resync_reason() == "messages were removed unseen");
    BOOST_TEST(fsm.resyncs() == 1U);
    expect(up(), put_in_place, state::reading);
}

BOOST_AUTO_TEST_CASE(another_bucket_of_the_same_name_is_read_from_its_beginning)
{
    read();
    on(event::consumer_down());
    bucket.created = "2026-02-02T00:00:00Z";
    expect(up(), {read_again}, state::down);
    expect(up(), put_in_place, state::reading); // it is known to be new
}

BOOST_AUTO_TEST_CASE(a_bucket_that_is_shorter_than_what_was_read_is_another_one)
{
    read();
    on(event::consumer_down());
    bucket.last_sequence = 4;
    expect(up(), {read_again}, state::down);
    BOOST_TEST(fsm.resync_reason() == "it is another one than before");
}

BOOST_AUTO_TEST_CASE(signs_that_messages_vanished_bring_a_comparison_forward)
{
    read();
    expect(message(6, 0), nothing, state::current);
    expect(message(8, 1), {compare_soon}, state::current);                   // nothing was to come before it but 7
    expect(message(11, 0), nothing, state::current);                         // something was to come
    expect(on(event::message{12, 0, true}), {compare_soon}, state::current); // it removed others
}

BOOST_AUTO_TEST_CASE(no_sign_counts_while_the_bucket_is_read)
{
    up();
    message(1, 0);
    expect(message(3), nothing, state::reading);
    expect(on(event::message{4, 1, true}), nothing, state::reading);
}

BOOST_AUTO_TEST_CASE(a_resync_counts_as_a_loss_until_the_bucket_is_read)
{
    read();
    for (int i = 0; i < 3; ++i)
        expect(on(event::differs{"somebody says so"}), {read_again}, state::down);
    const auto lost = fsm.losses({});
    BOOST_TEST(lost.stuck());
    BOOST_TEST(lost.why == "somebody says so");
    consumer_losses of_consumer;
    of_consumer.in_a_row = 2;
    of_consumer.why = "no heartbeat";
    BOOST_TEST(fsm.losses(of_consumer).in_a_row == 5U);
    BOOST_TEST(fsm.losses(of_consumer).why == "no heartbeat");
    read();
    BOOST_TEST(fsm.losses({}).in_a_row == 0U);
    BOOST_TEST(fsm.resyncs() == 3U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_comes_after_the_loss_counts_and_serves_nothing)
{
    up();
    on(event::consumer_down());
    for (std::uint64_t each = 1; each <= 5; ++each)
        expect(message(each, 5 - each), nothing, state::down);
    expect(counted(whole), nothing, state::down);
    BOOST_TEST(fsm.taken() == 5U);
    expect(up(), put_in_place, state::resuming);
}

BOOST_AUTO_TEST_CASE(a_stopped_watch_does_nothing)
{
    read();
    const auto before = fsm.epoch();
    expect(on(event::stop()), nothing, state::stopped);
    BOOST_TEST(fsm.epoch() != before);
    expect(up(), nothing, state::stopped);
    expect(on(event::differs{"somebody says so"}), nothing, state::stopped);
}

BOOST_AUTO_TEST_SUITE_END()
