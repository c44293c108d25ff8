#include "edge/limits/overload_queue.hpp"

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
    overload_queue queue;
    std::vector<int> left;
    asio::io_context io{1}; ///< destroyed before the queue, with the waiting coroutines

    explicit waiters(std::chrono::milliseconds longest) : queue(longest) {}

    void add(int count)
    {
        for (int i = 0; i < count; ++i)
            asio::co_spawn(io, queue.wait(), [this, i](const std::exception_ptr&) { left.push_back(i); });
        io.restart(); // it stops when it runs out of work
        io.poll();
    }
};

const std::vector<int> none;

} // namespace

BOOST_AUTO_TEST_SUITE(overload_queue_)

BOOST_AUTO_TEST_CASE(waiting_callers_are_released_one_by_one_in_the_order_of_arrival)
{
    waiters all(1h);
    all.queue.release_one(); // none waits
    all.add(3);
    BOOST_TEST(all.left == none, boost::test_tools::per_element());
    BOOST_TEST(all.queue.size() == 3U);
    all.queue.release_one();
    all.io.poll();
    BOOST_TEST(all.left == std::vector<int>({0}), boost::test_tools::per_element());
    all.queue.release_one(); // two before either has left
    all.queue.release_one();
    all.queue.release_one();
    all.io.poll();
    BOOST_TEST(all.left == std::vector<int>({0, 1, 2}), boost::test_tools::per_element());
    BOOST_TEST(all.queue.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_after_the_longest_time)
{
    waiters all(1ms);
    all.add(2);
    all.io.run_for(20s);
    BOOST_TEST(all.left.size() == 2U);
    BOOST_TEST(all.queue.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_closed_queue_releases_all_and_takes_none)
{
    waiters all(1h);
    all.add(2);
    all.queue.close();
    all.io.poll();
    BOOST_TEST(all.left.size() == 2U);
    all.add(1);
    BOOST_TEST(all.left.size() == 3U);
}

BOOST_AUTO_TEST_CASE(waiting_callers_may_be_destroyed_with_the_io_context)
{
    waiters all(1h);
    all.add(2);
    all.queue.release_one();
    BOOST_TEST(all.left == none, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
