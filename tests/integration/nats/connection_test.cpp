#include "tests/integration/broker_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <thread>

namespace
{

using namespace marquee;
using namespace marquee::test;

const auto somewhere = subject::of({"somewhere"});
const header_list no_headers;

/// Answers each request with its own payload.
connection::message_handler echo(connection& nats)
{
    return [&nats](message m) { (void)nats.publish(m.reply, m.data); };
}

/// Both ways replies can take through nats.c.
const auto both_ways = boost::unit_test::data::make({false, true});

} // namespace

BOOST_FIXTURE_TEST_SUITE(connection_, broker_fixture)

BOOST_DATA_TEST_CASE_F(broker_fixture, a_request_gets_its_reply, both_ways, by_callback)
{
    auto o = options();
    o.replies_by_callback = by_callback;
    auto nats = connect(o);
    auto sub = nats->subscribe("somewhere", "q", echo(*nats));
    run(
        [&]() -> asio::awaitable<void>
        {
            auto pending = nats->requests().request(somewhere, "hello", no_headers, deadline::in(5s));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_value());
            BOOST_TEST(reply->data == "hello");
        });
}

BOOST_DATA_TEST_CASE_F(broker_fixture, ten_thousand_requests_at_once_each_get_their_own_reply, both_ways, by_callback)
{
    auto o = options();
    o.replies_by_callback = by_callback;
    auto nats = connect(o);
    auto service = connect();
    auto sub = service->subscribe("somewhere", "q", echo(*service));
    run(
        [&]() -> asio::awaitable<void>
        {
            auto subscribed = service->flush(deadline::in(5s));
            co_await std::move(subscribed);
            std::vector<pending_reply> all;
            for (int i = 0; i < 10000; ++i)
                all.push_back(nats->requests().request(somewhere, std::to_string(i), no_headers, deadline::in(20s)));
            int right = 0;
            for (int i = 0; i < 10000; ++i)
            {
                auto reply = co_await all[static_cast<std::size_t>(i)].receive();
                right += reply.has_value() && reply->data == std::to_string(i);
            }
            BOOST_TEST(right == 10000);
            BOOST_TEST(nats->stats().in_flight == 0U);
            BOOST_TEST(nats->stats().late_replies == 0U);
        });
}

BOOST_DATA_TEST_CASE_F(broker_fixture, a_subject_without_listeners_is_no_responders_at_once, both_ways, by_callback)
{
    auto o = options();
    o.replies_by_callback = by_callback;
    auto nats = connect(o);
    run(
        [&]() -> asio::awaitable<void>
        {
            const auto until = deadline::in(10s);
            auto pending = nats->requests().request(somewhere, "", no_headers, until);
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::no_responders));
            BOOST_TEST(!until.passed());
        });
}

BOOST_AUTO_TEST_CASE(a_listener_that_is_silent_is_a_timeout_at_the_deadline_and_its_late_reply_is_dropped)
{
    auto nats = connect();
    std::string kept;
    auto sub = nats->subscribe("somewhere", {}, [&](message m) { kept = m.reply; });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto pending = nats->requests().request(somewhere, "", no_headers, deadline::in(50ms));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::timeout));
            BOOST_REQUIRE(!kept.empty());
            BOOST_TEST(nats->publish(kept, "late").has_value());
            auto flushed = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(flushed));
            BOOST_TEST(nats->stats().late_replies == 1U);
        });
}

BOOST_AUTO_TEST_CASE(headers_travel_both_ways)
{
    auto nats = connect();
    auto sub = nats->subscribe("somewhere", {},
                               [&](message m)
                               {
                                   header_list back;
                                   back.set("Got", m.headers.get("Marquee-After"));
                                   (void)nats->publish(m.reply, "", back);
                               });
    run(
        [&]() -> asio::awaitable<void>
        {
            header_list headers;
            headers.set("Marquee-After", "42");
            auto pending = nats->requests().request(somewhere, "", headers, deadline::in(5s));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_value());
            BOOST_TEST(reply->headers.get("Got") == "42");
        });
}

BOOST_AUTO_TEST_CASE(a_reply_whose_headers_cannot_be_read_makes_no_sense)
{
    auto nats = connect();
    header_list unreadable; // perhaps an error among them
    unreadable.set("Empty", "");
    auto sub =
        nats->subscribe("somewhere", {}, [&](const message& m) { (void)nats->publish(m.reply, "x", unreadable); });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto pending = nats->requests().request(somewhere, "", no_headers, deadline::in(5s));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::malformed_reply));
        });
}

BOOST_AUTO_TEST_CASE(a_subject_or_header_that_would_break_the_protocol_is_refused)
{
    auto nats = connect();
    int strays = 0;
    auto listener = nats->subscribe(">", {}, [&](message m) { strays += !m.subject.starts_with("_INBOX"); });
    run(
        [&]() -> asio::awaitable<void>
        {
            for (const char* to : {"", "a b", "a\r\nPUB b 0\r\n", "a\tb"})
                BOOST_TEST(nats->publish(to, "x").has_error());
            BOOST_TEST(nats->publish("a", "x", {}, "re ply").has_error());
            for (const auto& [name, value] : {std::pair{"A B", "x"}, {"A:B", "x"}, {"", "x"}, {"A", "x\r\nB: y"}})
            {
                header_list headers;
                headers.set(name, value);
                BOOST_TEST(nats->publish("a", "x", headers).has_error());
            }
            BOOST_TEST(nats->subscribe("a b", {}, [](const message&) {}).has_error());
            auto flushed = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(flushed));
            BOOST_TEST(strays == 0);
        });
}

BOOST_AUTO_TEST_CASE(a_message_larger_than_the_broker_takes_is_refused_and_the_link_stays)
{
    auto nats = connect();
    run(
        [&]() -> asio::awaitable<void>
        {
            auto sent = nats->publish("a", std::string(16 << 20, 'x'));
            BOOST_REQUIRE(sent.has_error());
            BOOST_TEST((sent.error() == errc::payload_too_large));
            auto flushed = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(flushed));
        });
}

BOOST_AUTO_TEST_CASE(a_turn_may_send_more_than_the_write_buffer_holds)
{
    auto nats = connect();
    std::uint64_t arrived = 0;
    auto sub = nats->subscribe("large", {},
                               [&](const message& m)
                               {
                                   const auto reply = std::to_string(++arrived);
                                   auto sent = nats->publish(m.reply, reply);
                                   if (sent.has_error() && sent.error() == errc::overloaded) // requests wait for room
                                       sent = nats->publish_later(m.reply, reply, {}, {}, deadline::in(10s), {});
                                   BOOST_TEST(sent.has_value());
                               });
    run(
        [&]() -> asio::awaitable<void>
        {
            const std::string chunk(900'000, 'x');
            const auto to = subject::of({"large"});
            std::vector<pending_reply> all;
            for (int i = 0; i < 24; ++i)
                all.push_back(nats->requests().request(to, chunk, no_headers, deadline::in(10s)));
            for (auto& one : all)
            {
                auto reply = co_await one.receive();
                BOOST_TEST(reply.has_value());
            }
            BOOST_TEST(nats->stats().unsent == 0U);
            BOOST_TEST(nats->stats().waiting_bytes == 0U);
        });
}

BOOST_AUTO_TEST_CASE(messages_that_a_frozen_broker_does_not_take_are_bounded_in_bytes_and_time_and_reported)
{
    auto o = options();
    o.send_room = 4 << 20;
    o.send_patience = 200ms;
    o.ping_interval = 60s; // that nobody answers is not to be noticed
    auto nats = connect(o);
    run(
        [&]() -> asio::awaitable<void>
        {
            server.suspend();
            const std::string chunk(100'000, 'x');
            const auto to = subject::of({"large"});
            std::vector<pending_reply> all;
            std::size_t refused = 0;
            const auto began = std::chrono::steady_clock::now();
            while (refused < 10 && all.size() < 1000)
            {
                all.push_back(nats->requests().request(to, chunk, no_headers, deadline::in(2s)));
                refused += all.back().settled() ? 1 : 0;
            }
            BOOST_TEST(refused == 10U);
            BOOST_TEST(nats->stats().waiting_bytes <= (5U << 20));
            BOOST_TEST(nats->stats().waiting_bytes > (3U << 20));
            const auto waited = nats->stats().waited;
            BOOST_TEST(waited >= 39U);
            auto small =
                nats->requests().request(to, "x", no_headers, deadline::in(1s)); // these have room of their own
            BOOST_TEST(!small.settled());
            std::size_t overloaded = 0;
            for (std::size_t i = all.size() - refused - waited; i < all.size(); ++i)
            {
                auto reply = co_await all[i].receive();
                overloaded += reply.has_error() && reply.error() == errc::overloaded ? 1 : 0;
                BOOST_TEST(
                    (reply.has_error() && (reply.error() == errc::overloaded || reply.error() == errc::timeout)));
            }
            // The system's buffers may take a few more meanwhile: those wait for an answer.
            BOOST_TEST(overloaded <= waited + refused);
            BOOST_TEST(overloaded >= waited + refused - 10);
            const auto gone = co_await small.receive();
            const bool was_sent = gone.error() == errc::timeout && overloaded < waited + refused;
            BOOST_TEST((was_sent || gone.error() == errc::overloaded));
            BOOST_TEST((std::chrono::steady_clock::now() - began < 5s));
            BOOST_TEST(nats->stats().unsent == overloaded + (was_sent ? 0 : 1));
            BOOST_TEST(nats->stats().waiting_bytes == 0U);
            server.resume();
            auto flushed = nats->flush(deadline::in(10s));
            BOOST_TEST(co_await std::move(flushed));
        });
}

BOOST_AUTO_TEST_CASE(a_flush_waits_for_messages_that_wait_for_room)
{
    auto nats = connect();
    auto other = connect();
    std::size_t arrived = 0;
    auto sub = other->subscribe("large", {}, [&](const message&) { ++arrived; });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = other->flush(deadline::in(5s));
            co_await std::move(ready);
            server.suspend();
            const std::string chunk(500'000, 'x');
            std::size_t sent = 0;
            for (; sent < 40; ++sent)
                if (nats->publish("large", chunk).has_error())
                    break;
            BOOST_REQUIRE(sent < 40U);
            for (int i = 0; i < 8; ++i, ++sent)
                BOOST_TEST(nats->publish_later("large", chunk, {}, {}, deadline::in(10s), {}).has_value());
            server.resume();
            auto flushed = nats->flush(deadline::in(10s));
            BOOST_TEST(co_await std::move(flushed));
            auto received = other->flush(deadline::in(10s));
            co_await std::move(received);
            BOOST_TEST(arrived == sent);
        });
}

BOOST_AUTO_TEST_CASE(a_publish_that_the_socket_does_not_take_is_overloaded_and_none_is_once_it_does)
{
    auto nats = connect();
    const std::string chunk(100000, 'x');
    std::optional<errc> refused;
    server.suspend();
    for (int i = 0; i < 1000 && !refused; ++i)
        if (auto sent = nats->publish("a", chunk); sent.has_error())
            refused = sent.error().code;
    server.resume();
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST((*refused == errc::overloaded));
    run(
        [&]() -> asio::awaitable<void>
        {
            std::function<bool()> sendable = [&] { return nats->publish("a", "x").has_value(); };
            signal again(io);
            auto flushed = link_is(*nats, true);
            co_await std::move(flushed);
            while (!sendable())
            {
                asio::steady_timer turn(io, 1ms);
                co_await turn.async_wait(asio::use_awaitable);
            }
            auto pong = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(pong));
        });
}

BOOST_AUTO_TEST_CASE(a_slow_consumer_loses_messages_which_are_counted_and_goes_on)
{
    auto nats = connect();
    int got = 0;
    auto sub = nats->subscribe(
        "flood", {}, [&](const message&) { ++got; }, 1);
    auto other = connect();
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = nats->flush(deadline::in(5s));
            co_await std::move(ready);
            for (int i = 0; i < 1000; ++i)
                (void)other->publish("flood", "x");
            auto sent = other->flush(deadline::in(5s));
            co_await std::move(sent);
            auto seen = nats->flush(deadline::in(5s));
            co_await std::move(seen);
            BOOST_TEST(got >= 1);
            BOOST_TEST(static_cast<std::uint64_t>(got) + nats->stats().dropped_messages == 1000U);
            const int before = got;
            (void)other->publish("flood", "x");
            auto sent_more = other->flush(deadline::in(5s));
            co_await std::move(sent_more);
            auto seen_more = nats->flush(deadline::in(5s));
            co_await std::move(seen_more);
            BOOST_TEST(got == before + 1);
        });
}

BOOST_DATA_TEST_CASE_F(broker_fixture, what_has_arrived_can_be_read_ahead_of_what_else_waits_on_the_loop, both_ways,
                       by_callback)
{
    auto o = options();
    o.replies_by_callback = by_callback;
    auto nats = connect(o);
    int got = 0;
    auto sub = nats->subscribe("news", {}, [&](const message&) { ++got; });
    run(
        [&]() -> asio::awaitable<void>
        {
            for (int round = 1; round <= 100; ++round)
            {
                (void)nats->publish("news", "x");
                auto sent = nats->flush(deadline::in(5s)); // on the loop, in turn with what is read ahead of it
                co_await std::move(sent);
                (void)nats->publish("news", "x");
                co_await asio::post(nats->context(), asio::use_awaitable); // so that it is written
                const auto until = deadline::in(20s);
                while (got < 2 * round && !until.passed()) // without the loop
                    nats->read_now();
                BOOST_TEST_REQUIRE(got == 2 * round);
            }
        });
    nats->read_now();
    server.kill();
    run(
        [&]() -> asio::awaitable<void>
        {
            const auto until = deadline::in(20s);
            while (nats->connected() && !until.passed())
            {
                nats->read_now(); // sees the end, or nothing any more
                co_await asio::post(nats->context(), asio::use_awaitable);
            }
            BOOST_TEST(!nats->connected());
        });
}

BOOST_AUTO_TEST_CASE(draining_delivers_the_messages_in_flight_and_none_after)
{
    auto nats = connect();
    auto other = connect();
    int got = 0;
    auto sub = nats->subscribe("work", "q", [&](const message&) { ++got; });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = nats->flush(deadline::in(5s));
            co_await std::move(ready);
            for (int i = 0; i < 500; ++i)
                (void)other->publish("work", "x");
            auto sent = other->flush(deadline::in(5s));
            co_await std::move(sent);
            std::vector<std::shared_ptr<subscription>> subs{std::move(*sub)};
            auto draining = nats->drain(std::move(subs), deadline::in(5s));
            co_await std::move(draining);
            BOOST_TEST(got == 500);
            auto pending = other->requests().request(subject::of({"work"}), "", no_headers, deadline::in(5s));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::no_responders));
        });
}

BOOST_DATA_TEST_CASE_F(broker_fixture,
                       a_killed_broker_fails_requests_in_flight_at_once_and_everything_works_when_it_is_back, both_ways,
                       by_callback)
{
    auto o = options();
    o.replies_by_callback = by_callback;
    auto nats = connect(o);
    auto silent = nats->subscribe("silence", {}, [](const message&) {});
    auto sub = nats->subscribe("somewhere", "q", echo(*nats));
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = nats->flush(deadline::in(5s));
            co_await std::move(ready);
            const auto until = deadline::in(20s);
            auto pending = nats->requests().request(subject::of({"silence"}), "", no_headers, until);
            auto sent = nats->flush(deadline::in(5s));
            co_await std::move(sent);
            server.kill();
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::disconnected));
            BOOST_TEST(!until.passed());

            BOOST_TEST((nats->publish("somewhere", "lost").error() == errc::disconnected));
            auto refused = nats->requests().request(somewhere, "", no_headers, deadline::in(5s));
            auto failed = co_await refused.receive();
            BOOST_TEST((failed.error() == errc::disconnected));

            server.restart();
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
            auto again = nats->requests().request(somewhere, "back", no_headers, deadline::in(5s));
            auto answer = co_await again.receive();
            BOOST_REQUIRE(answer.has_value());
            BOOST_TEST(answer->data == "back");
            BOOST_TEST(nats->stats().reconnects == 1U);
        });
}

BOOST_AUTO_TEST_CASE(a_publish_refused_while_the_broker_was_down_is_not_sent_later)
{
    auto nats = connect();
    int got = 0;
    auto sub = nats->subscribe("news", {}, [&](const message&) { ++got; });
    run(
        [&]() -> asio::awaitable<void>
        {
            server.kill();
            auto down = link_is(*nats, false);
            BOOST_REQUIRE(co_await std::move(down));
            for (int i = 0; i < 100; ++i)
                BOOST_TEST(nats->publish("news", "old").has_error());
            server.restart();
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
            BOOST_TEST(nats->publish("news", "new").has_value());
            auto flushed = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(flushed));
            BOOST_TEST(got == 1);
        });
}

BOOST_AUTO_TEST_CASE(a_frozen_broker_is_detected_by_unanswered_pings)
{
    auto o = options();
    o.ping_interval = 50ms;
    auto nats = connect(o);
    auto sub = nats->subscribe("somewhere", "q", echo(*nats));
    run(
        [&]() -> asio::awaitable<void>
        {
            server.suspend();
            auto pending = nats->requests().request(somewhere, "", no_headers, deadline::in(20s));
            auto reply = co_await pending.receive();
            server.resume();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::disconnected));
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
            auto again = nats->requests().request(somewhere, "x", no_headers, deadline::in(5s));
            auto answer = co_await again.receive();
            BOOST_TEST(answer.has_value());
        });
}

BOOST_AUTO_TEST_CASE(ten_restarts_in_a_row_leave_one_working_link)
{
    auto nats = connect();
    auto sub = nats->subscribe("somewhere", "q", echo(*nats));
    run(
        [&]() -> asio::awaitable<void>
        {
            for (int i = 0; i < 10; ++i)
            {
                server.kill();
                auto down = link_is(*nats, false);
                BOOST_REQUIRE(co_await std::move(down));
                server.restart();
                auto up = link_is(*nats, true);
                BOOST_REQUIRE(co_await std::move(up));
                auto pending = nats->requests().request(somewhere, "x", no_headers, deadline::in(5s));
                auto reply = co_await pending.receive();
                BOOST_TEST(reply.has_value());
            }
        },
        60s);
}

BOOST_AUTO_TEST_CASE(a_subscription_destroyed_while_the_broker_is_down_does_not_block_and_is_not_restored)
{
    auto nats = connect();
    auto sub = nats->subscribe("somewhere", "q", echo(*nats));
    run(
        [&]() -> asio::awaitable<void>
        {
            server.kill();
            auto down = link_is(*nats, false);
            BOOST_REQUIRE(co_await std::move(down));
            sub->reset();
            server.restart();
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
            auto flushed = nats->flush(deadline::in(5s));
            co_await std::move(flushed);
            auto pending = nats->requests().request(somewhere, "", no_headers, deadline::in(5s));
            auto reply = co_await pending.receive();
            BOOST_REQUIRE(reply.has_error());
            BOOST_TEST((reply.error() == errc::no_responders));
        });
}

BOOST_AUTO_TEST_CASE(a_link_handler_is_called_until_its_registration_is_destroyed)
{
    auto nats = connect();
    int kept = 0;
    int ended = 0;
    int once = 0;
    std::shared_ptr<void> self; // ends itself within its first call
    const auto shared = std::make_shared<int>();
    const auto keeps = nats->on_link_change([&](bool) { ++kept; });
    auto ends = nats->on_link_change([&, shared](bool) { ++ended; });
    self = nats->on_link_change(
        [&, shared](bool)
        {
            ++once;
            self.reset();
        });
    BOOST_TEST(shared.use_count() == 3);
    ends.reset();
    run(
        [&]() -> asio::awaitable<void>
        {
            server.kill();
            auto down = link_is(*nats, false);
            BOOST_REQUIRE(co_await std::move(down));
            server.restart();
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
        });
    BOOST_TEST(kept >= 2);
    BOOST_TEST(ended == 0);
    BOOST_TEST(once == 1);
    BOOST_TEST(shared.use_count() == 1); // nothing of them is left in the connection
}

BOOST_AUTO_TEST_CASE(a_broker_that_cannot_be_reached_is_one_clear_error)
{
    auto o = options();
    server.kill();
    auto opened = connection::open(io, o);
    BOOST_REQUIRE(opened.has_error());
    BOOST_TEST((opened.error() == errc::disconnected));
    BOOST_TEST(opened.error().detail.find(server.url()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_connection_told_to_wait_comes_up_when_the_broker_does)
{
    auto o = options();
    o.wait_for_server = true;
    server.kill();
    auto nats = connect(o);
    BOOST_TEST(!nats->connected());
    run(
        [&]() -> asio::awaitable<void>
        {
            server.restart();
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
            auto flushed = nats->flush(deadline::in(5s));
            BOOST_TEST(co_await std::move(flushed));
        });
}

// What is left behind is what the leak sanitizer sees. Some attempts have failed by then on their
// thread, which the thread sanitizer sees.
BOOST_AUTO_TEST_CASE(a_connection_that_ends_while_an_attempt_fails_leaves_nothing_behind)
{
    auto o = options();
    o.wait_for_server = true;
    server.kill();
    for (int i = 0; i < 40; ++i)
    {
        const auto nats = connect(o); // tries on a thread of its own; its failure is never heard of
        BOOST_TEST(!nats->connected());
        for (int turns = 0; turns < 1000 * i; ++turns)
            std::this_thread::yield();
    }
}

BOOST_AUTO_TEST_CASE(closing_sends_the_write_buffer_and_fails_requests_in_flight)
{
    auto nats = connect();
    auto other = connect();
    int got = 0;
    auto sub = other->subscribe("last", {}, [&](const message&) { ++got; });
    auto silent = other->subscribe("silence", {}, [](const message&) {});
    run(
        [&]() -> asio::awaitable<void>
        {
            auto ready = other->flush(deadline::in(5s));
            co_await std::move(ready);
            auto pending = nats->requests().request(subject::of({"silence"}), "", no_headers, deadline::in(20s));
            (void)nats->publish("last", "word");
            auto closing = nats->close(deadline::in(5s));
            co_await std::move(closing);
            auto reply = co_await pending.receive();
            BOOST_TEST((reply.error() == errc::stopping));
            BOOST_TEST((nats->publish("last", "x").error() == errc::disconnected));
            auto seen = other->flush(deadline::in(5s));
            co_await std::move(seen);
            BOOST_TEST(got == 1);
        });
}

BOOST_AUTO_TEST_SUITE_END()
