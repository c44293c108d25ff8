#include "broker/nats/send_queue.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee::detail;
using namespace std::chrono_literals;
using clock = send_queue::clock;

const auto start = clock::now();

send_queue::item item(std::string to, std::size_t bytes, clock::duration patience = 1s)
{
    send_queue::item made;
    made.to = std::move(to);
    made.payload.assign(bytes, 'x');
    made.until = start + patience;
    return made;
}

} // namespace

BOOST_AUTO_TEST_SUITE(send_queue_)

BOOST_AUTO_TEST_CASE(small_messages_go_ahead_of_large_ones_and_each_lane_is_a_fifo)
{
    send_queue queue(1'000'000);
    BOOST_TEST(queue.empty());
    for (auto& one : {item("l1", 10'000), item("s1", 10), item("l2", 10'000), item("s2", 10)})
        BOOST_TEST(queue.add(one));
    for (const auto* expected : {"s1", "s2", "l1", "l2"})
        BOOST_TEST(queue.next().to == expected);
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_without_room_is_refused_and_small_ones_have_room_of_their_own)
{
    send_queue queue(100'000);
    BOOST_TEST(queue.add(item("l", 60'000)));
    BOOST_TEST(!queue.add(item("l", 60'000)));
    BOOST_TEST(queue.add(item("l", 30'000)));
    std::size_t small = 0;
    while (small < 10'000 && queue.add(item("s", 100)))
        ++small;
    BOOST_TEST(small > 1000U);
    BOOST_TEST(small < 10'000U);
    BOOST_TEST(queue.bytes() <= 100'000 + send_queue::room_of_small);
    (void)queue.next();
    BOOST_TEST(queue.add(item("s", 100))); // what left makes room
}

BOOST_AUTO_TEST_CASE(expired_messages_are_removed_and_the_rest_keeps_its_order)
{
    send_queue queue(1'000'000);
    for (auto& one :
         {item("a", 10, 3s), item("b", 10, 1s), item("c", 9000, 1s), item("d", 9000, 3s), item("e", 10, 3s)})
        BOOST_TEST(queue.add(one));
    const auto gone = queue.take_expired(start + 2s);
    BOOST_REQUIRE(gone.size() == 2U);
    BOOST_TEST(gone[0].to == "b");
    BOOST_TEST(gone[1].to == "c");
    for (const auto* expected : {"a", "e", "d"})
        BOOST_TEST(queue.next().to == expected);
    BOOST_TEST(queue.bytes() == 0U);

    BOOST_TEST(queue.add(item("f", 10, 1h)));
    BOOST_TEST(queue.take_all().size() == 1U);
    BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_SUITE_END()
