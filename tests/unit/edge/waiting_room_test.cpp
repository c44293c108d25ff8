#include "edge/waiting_room.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <vector>

using namespace marquee;
using namespace std::chrono_literals;

namespace
{

struct waiters
{
    waiting_room room;
    std::vector<int> left;
    asio::io_context io{1}; ///< goes first, with those who wait

    explicit waiters(std::chrono::milliseconds longest) : room(longest) {}

    void add(int count)
    {
        for (int i = 0; i < count; ++i)
            asio::co_spawn(io, room.wait(), [this, i](const std::exception_ptr&) { left.push_back(i); });
        io.restart(); // it stops when there is nobody
        io.poll();
    }
};

const std::vector<int> nobody;

} // namespace

BOOST_AUTO_TEST_SUITE(waiting_room_)

BOOST_AUTO_TEST_CASE(they_are_let_in_one_by_one_in_the_order_of_their_coming)
{
    waiters all(1h);
    all.room.let_in(); // nobody waits
    all.add(3);
    BOOST_TEST(all.left == nobody, boost::test_tools::per_element());
    BOOST_TEST(all.room.size() == 3U);
    all.room.let_in();
    all.io.poll();
    BOOST_TEST(all.left == std::vector<int>({0}), boost::test_tools::per_element());
    all.room.let_in(); // two before either has left
    all.room.let_in();
    all.room.let_in();
    all.io.poll();
    BOOST_TEST(all.left == std::vector<int>({0, 1, 2}), boost::test_tools::per_element());
    BOOST_TEST(all.room.size() == 0U);
}

BOOST_AUTO_TEST_CASE(nobody_waits_longer_than_the_longest_time)
{
    waiters all(1ms);
    all.add(2);
    all.io.run_for(20s);
    BOOST_TEST(all.left.size() == 2U);
    BOOST_TEST(all.room.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_closed_room_keeps_nobody)
{
    waiters all(1h);
    all.add(2);
    all.room.close();
    all.io.poll();
    BOOST_TEST(all.left.size() == 2U);
    all.add(1);
    BOOST_TEST(all.left.size() == 3U);
}

BOOST_AUTO_TEST_CASE(who_still_waits_may_go_with_the_io_context)
{
    waiters all(1h);
    all.add(2);
    all.room.let_in();
    BOOST_TEST(all.left == nobody, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
