#include "broker/base/wait.hpp"

#include "tests/support/run_coro.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

} // namespace

BOOST_AUTO_TEST_SUITE(wait_)

BOOST_AUTO_TEST_CASE(a_wait_to_its_end_is_true)
{
    asio::io_context io(1);
    run_coro(io,
             [&io]() -> asio::awaitable<void>
             {
                 asio::steady_timer timer(io);
                 const auto until = deadline::in(5ms);
                 const bool ended = co_await wait(timer, until);
                 BOOST_TEST(ended);
                 BOOST_TEST(until.passed());
                 const bool ended_again = co_await wait(timer); // it has expired
                 BOOST_TEST(ended_again);
             });
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_is_false_and_throws_nothing)
{
    asio::io_context io(1);
    run_coro(io,
             [&io]() -> asio::awaitable<void>
             {
                 asio::steady_timer timer(io);
                 asio::post(io, [&timer] { timer.cancel(); });
                 const bool ended = co_await wait(timer, deadline::in(1min));
                 BOOST_TEST(!ended);
             });
}

BOOST_AUTO_TEST_SUITE_END()
