#include "broker/base/co_spawn_logged.hpp"

#include "tests/support/captured_log.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace
{

using namespace marquee;
using namespace marquee::test;

asio::awaitable<void> fails(bool standard)
{
    co_await asio::post(asio::use_awaitable);
    if (standard)
        throw std::runtime_error("the reason");
    throw 7; // NOLINT(hicpp-exception-baseclass): anything may come out of a library
}

asio::awaitable<void> succeeds() { co_await asio::post(asio::use_awaitable); }

} // namespace

BOOST_AUTO_TEST_SUITE(co_spawn_logged_)

BOOST_AUTO_TEST_CASE(an_exception_is_logged_with_the_task_name_and_the_end_is_reported)
{
    asio::io_context io(1);
    int threw = 0;
    const auto text = log_of(
        [&]
        {
            co_spawn_logged("counting", io.get_executor(), fails(true), [&](bool failed) { threw += failed ? 1 : 0; });
            co_spawn_logged("drawing", io.get_executor(), fails(false));
            io.run();
        });
    BOOST_TEST(threw == 1);
    BOOST_TEST(text.find(": a task threw an exception task=counting what=\"the reason\"") != std::string::npos, text);
    BOOST_TEST(text.find("task=drawing what=\"not a standard exception\"") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_task_without_an_exception_is_not_logged)
{
    asio::io_context io(1);
    int ended = 0;
    const auto text = log_of(
        [&]
        {
            co_spawn_logged("counting", io.get_executor(), succeeds(), [&](bool failed) { ended += failed ? 100 : 1; });
            co_spawn_logged("drawing", io.get_executor(), succeeds());
            io.run();
        });
    BOOST_TEST(ended == 1);
    BOOST_TEST(text.empty(), text);
}

BOOST_AUTO_TEST_SUITE_END()
