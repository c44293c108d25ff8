#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

message with_data(std::string data)
{
    message m;
    m.data = std::move(data);
    return m;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pending_reply_)

BOOST_AUTO_TEST_CASE(a_reply_that_came_first_is_received_at_once)
{
    run_coro(
        []() -> asio::awaitable<void>
        {
            pending_reply pending(co_await asio::this_coro::executor);
            pending.settle(with_data("x"));
            BOOST_TEST(pending.settled());
            auto got = co_await pending.receive();
            BOOST_REQUIRE(got.has_value());
            BOOST_TEST(got->data == "x");
        });
}

BOOST_AUTO_TEST_CASE(a_receiver_that_came_first_is_resumed_later_never_inside_settle)
{
    asio::io_context io(1);
    pending_reply pending(io.get_executor());
    bool settled_returned = false;
    asio::post(io,
               [&]
               {
                   pending.settle(with_data("late"));
                   settled_returned = true;
               });
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 auto got = co_await pending.receive();
                 BOOST_TEST(settled_returned);
                 BOOST_REQUIRE(got.has_value());
                 BOOST_TEST(got->data == "late");
             });
}

BOOST_AUTO_TEST_CASE(only_the_first_outcome_counts)
{
    run_coro(
        []() -> asio::awaitable<void>
        {
            pending_reply pending(co_await asio::this_coro::executor);
            pending.settle(fail(errc::timeout));
            pending.settle(with_data("too late"));
            auto got = co_await pending.receive();
            BOOST_REQUIRE(got.has_error());
            BOOST_TEST((got.error() == errc::timeout));
        });
}

BOOST_AUTO_TEST_CASE(a_handler_is_called_once_inside_settle_or_at_once_if_that_came_first)
{
    asio::io_context io(1);
    std::string got;
    const auto handler = [&got](const result<message>& outcome) { got += outcome->data; };
    const pending_reply early(io.get_executor());
    early.on_settled(handler);
    BOOST_TEST(got.empty());
    early.settle(with_data("a"));
    BOOST_TEST(got == "a");
    early.settle(with_data("x"));
    const pending_reply late(io.get_executor());
    late.settle(with_data("b"));
    late.on_settled(handler);
    BOOST_TEST(got == "ab");
    BOOST_TEST(io.poll() == 0U);
}

BOOST_AUTO_TEST_CASE(a_call_to_a_service_carries_what_is_left_of_the_deadline)
{
    run_coro(
        []() -> asio::awaitable<void>
        {
            fake_requester nats(co_await asio::this_coro::executor);
            const auto to = subjects::metadata_list();
            header_list headers;
            headers.set("X", "y");
            (void)call_service(nats, to, "p", headers, deadline::in(1500ms));
            BOOST_REQUIRE(nats.seen.size() == 1U);
            const auto left = std::stoi(std::string(nats.seen[0].headers.get(names::header_timeout)));
            BOOST_TEST(left > 1000);
            BOOST_TEST(left <= 1500);
            BOOST_TEST(nats.seen[0].headers.get("X") == "y");
            BOOST_TEST(nats.seen[0].payload == "p");
        });
}

BOOST_AUTO_TEST_SUITE_END()
