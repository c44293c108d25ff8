#include "broker/jetstream/ordered_consumer.hpp"
#include "broker/jetstream/publish.hpp"

#include "tests/integration/broker_fixture.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/stored_headers.hpp"

#include <algorithm>
#include <stdexcept>

namespace
{

using namespace marquee;
using namespace marquee::test;

const header_list no_headers;

struct consumer_fixture : broker_fixture
{
    std::unique_ptr<connection> nats = connect();
    std::vector<std::uint64_t> sequences;
    std::vector<std::string> data;
    std::vector<std::chrono::nanoseconds> timestamps;
    std::vector<std::pair<bool, std::uint64_t>> states; ///< up, and the stream's last sequence then
    std::vector<resume_failure> resume_failures;
    std::uint64_t last_pending = 0;
    int throws_left = 0; ///< of the state handler
    signal changed{io};
    std::unique_ptr<ordered_consumer> consumer;

    void consume(std::uint64_t from) { consume_after({from - 1, 0ns}); }

    void consume_after(stream_position place)
    {
        ordered_consumer::settings what;
        what.stream = "EVENTS";
        what.after = place;
        what.idle_heartbeat = 200ms;
        consumer = ordered_consumer::start(
            *nats, what,
            [this](std::vector<stored_message> batch)
            {
                for (auto& m : batch)
                {
                    sequences.push_back(m.sequence);
                    data.push_back(m.data);
                    timestamps.push_back(m.timestamp);
                    last_pending = m.pending;
                }
                changed.notify();
            },
            [this](bool up, const stream_state& state)
            {
                states.emplace_back(up, state.last_sequence);
                changed.notify();
                if (throws_left > 0)
                {
                    --throws_left;
                    throw std::runtime_error("the handler's own fault");
                }
            },
            [this](resume_failure how)
            {
                resume_failures.push_back(how);
                changed.notify();
            });
    }

    /// A request to JetStream's API, which must be answered.
    asio::awaitable<std::string> stream_api(std::string_view verb)
    {
        const auto to = subject::of({"$JS", "API", "STREAM", verb, "EVENTS"});
        auto pending = nats->requests().request(to, "", no_headers, deadline::in(5s));
        auto reply = co_await pending.receive();
        BOOST_REQUIRE(reply.has_value());
        co_return reply->data;
    }

    asio::awaitable<bool> stuck(bool wanted)
    {
        asio::steady_timer pause(io);
        for (const auto end = deadline::in(20s); !end.passed();)
        {
            if (consumer->losses().stuck() == wanted)
                co_return true;
            pause.expires_after(5ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        co_return false;
    }

    asio::awaitable<void> make_stream()
    {
        stream_config c;
        c.name = "EVENTS";
        c.subject = "events";
        auto making = ensure_stream(nats->requests(), c, deadline::in(5s));
        auto made = co_await std::move(making);
        BOOST_REQUIRE(made.has_value());
    }

    /// Stores events numbered from..to, acknowledged.
    asio::awaitable<void> store(int from, int to)
    {
        std::vector<pending_reply> acks;
        const auto where = subject::of({"events"});
        for (int i = from; i <= to; ++i)
        {
            header_list headers;
            headers.set("Nats-Msg-Id", std::to_string(i));
            acks.push_back(nats->requests().request(where, std::to_string(i), headers, deadline::in(10s)));
        }
        for (auto& ack : acks)
        {
            auto reply = co_await ack.receive();
            BOOST_REQUIRE(reply.has_value());
        }
    }

    /// JetStream recovers its store after it takes connections.
    asio::awaitable<void> stream_is_back()
    {
        for (const auto end = deadline::in(20s); !end.passed();)
        {
            auto finding = find_stream(nats->requests(), "EVENTS", deadline::in(5s));
            const auto found = co_await std::move(finding);
            if (found.has_value())
                co_return;
            auto up = link_is(*nats, true);
            BOOST_REQUIRE(co_await std::move(up));
        }
        BOOST_FAIL("the stream did not come back");
    }

    /// Stores `count` events on its own connection and io_context, and blocks until they are
    /// acknowledged.
    void grow_aside(int count) const
    {
        asio::io_context own(1);
        auto opened = connection::open(own, options());
        BOOST_REQUIRE(opened.has_value());
        auto& other = **opened;
        auto storing = [&other, count]() -> asio::awaitable<void>
        {
            for (int stored = 0; stored < count;)
            {
                auto publishing =
                    publish_stored(other.requests(), subject::of({"events"}), "anew", "", deadline::in(5s));
                const auto done = co_await std::move(publishing);
                stored += done.has_value() ? 1 : 0;
            }
        };
        run_coro(own, storing);
    }

    asio::awaitable<bool> got(std::size_t count, std::chrono::milliseconds limit = 20s)
    {
        std::function<bool()> enough = [this, count] { return sequences.size() >= count; };
        return changed.until(enough, limit);
    }

    /// Each sequence from `first` on once, in order, with its own data.
    void require_in_order(std::uint64_t first, std::size_t count)
    {
        BOOST_REQUIRE(sequences.size() == count);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < count; ++i)
            wrong += sequences[i] != first + i || data[i] != std::to_string(first + i);
        BOOST_TEST(wrong == 0U);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(ordered_consumer_, consumer_fixture)

BOOST_AUTO_TEST_CASE(stored_events_come_in_order_and_new_ones_follow)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 5000);
            co_await std::move(before);
            consume(1);
            auto first = got(5000);
            BOOST_REQUIRE(co_await std::move(first));
            BOOST_TEST(last_pending == 0U);
            auto after = store(5001, 5100);
            co_await std::move(after);
            auto rest = got(5100);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(1, 5100);
            BOOST_REQUIRE(states.size() == 1U);
            BOOST_TEST(states[0].first);
            BOOST_TEST(states[0].second == 5000U);
        });
}

BOOST_AUTO_TEST_CASE(reading_starts_at_the_sequence_asked_for)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            consume(8);
            auto some = got(3);
            BOOST_REQUIRE(co_await std::move(some));
            require_in_order(8, 3);
        });
}

BOOST_AUTO_TEST_CASE(a_start_beyond_the_end_waits_for_new_events)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 3);
            co_await std::move(before);
            consume(4);
            std::function<bool()> up = [&] { return !states.empty(); };
            auto ready = changed.until(up);
            BOOST_REQUIRE(co_await std::move(ready));
            auto after = store(4, 4);
            co_await std::move(after);
            auto some = got(1);
            BOOST_REQUIRE(co_await std::move(some));
            require_in_order(4, 1);
        });
}

BOOST_AUTO_TEST_CASE(a_stream_made_later_is_found)
{
    consume(1);
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto storing = store(1, 3);
            co_await std::move(storing);
            auto some = got(3);
            BOOST_REQUIRE(co_await std::move(some));
            require_in_order(1, 3);
        });
}

BOOST_AUTO_TEST_CASE(a_killed_broker_costs_no_event_and_repeats_none)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            for (int round = 0; round < 3; ++round)
            {
                auto storing = store(round * 500 + 1, round * 500 + 500);
                co_await std::move(storing);
                server.kill();
                auto down = link_is(*nats, false);
                BOOST_REQUIRE(co_await std::move(down));
                server.restart();
                auto back = stream_is_back();
                co_await std::move(back);
            }
            auto last = store(1501, 1600);
            co_await std::move(last);
            auto all = got(1600);
            BOOST_REQUIRE(co_await std::move(all));
            require_in_order(1, 1600);
            BOOST_TEST(states.size() >= 3U);
        },
        60s);
}

BOOST_AUTO_TEST_CASE(a_consumer_deleted_on_the_server_is_made_again)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            auto before = store(1, 10);
            co_await std::move(before);
            auto some = got(10);
            BOOST_REQUIRE(co_await std::move(some));

            auto pending = nats->requests().request(subject::of({"$JS", "API", "CONSUMER", "NAMES", "EVENTS"}), "",
                                                    no_headers, deadline::in(5s));
            auto names_reply = co_await pending.receive();
            BOOST_REQUIRE(names_reply.has_value());
            const auto& text = names_reply->data;
            const auto at = text.find("\"consumers\":[\"") + 14;
            const auto name = text.substr(at, text.find('"', at) - at);
            auto deleting = nats->requests().request(subject::of({"$JS", "API", "CONSUMER", "DELETE", "EVENTS", name}),
                                                     "", no_headers, deadline::in(5s));
            auto deleted = co_await deleting.receive();
            BOOST_REQUIRE(deleted.has_value());

            auto after = store(11, 20);
            co_await std::move(after);
            auto rest = got(20);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(1, 20);
        });
}

BOOST_AUTO_TEST_CASE(reading_resumes_after_a_message_that_is_still_there)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            consume(7);
            auto some = got(4);
            BOOST_REQUIRE(co_await std::move(some));
            const stream_position eight{8, timestamps.at(1)};
            sequences.clear();
            data.clear();
            consume_after(eight);
            auto rest = got(2);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(9, 2);
            BOOST_TEST(resume_failures.empty());
        });
}

BOOST_AUTO_TEST_CASE(another_message_at_the_resume_position_ends_the_consumer)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            consume_after({8, 1ns});
            std::function<bool()> told = [&] { return !resume_failures.empty(); };
            auto waiting = changed.until(told);
            BOOST_REQUIRE(co_await std::move(waiting));
            BOOST_TEST((resume_failures == std::vector<resume_failure>{resume_failure::another}));
            auto seen = nats->flush(deadline::in(5s));
            co_await std::move(seen);
            BOOST_TEST(sequences.empty());
        });
}

BOOST_AUTO_TEST_CASE(a_removed_message_at_the_resume_position_is_reported_and_reading_goes_on)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            const auto purge = subject::of({"$JS", "API", "STREAM", "PURGE", "EVENTS"});
            auto pending = nats->requests().request(purge, R"({"seq":9})", no_headers, deadline::in(5s));
            auto purged = co_await pending.receive();
            BOOST_REQUIRE(purged.has_value());
            consume_after({8, 1ns});
            auto rest = got(2);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(9, 2);
            BOOST_TEST((resume_failures == std::vector<resume_failure>{resume_failure::gone}));
        });
}

BOOST_AUTO_TEST_CASE(a_removed_message_at_the_end_of_the_stream_is_reported)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            const auto purge = subject::of({"$JS", "API", "STREAM", "PURGE", "EVENTS"});
            auto pending = nats->requests().request(purge, "", no_headers, deadline::in(5s));
            auto purged = co_await pending.receive();
            BOOST_REQUIRE(purged.has_value());
            consume_after({10, 1ns});
            std::function<bool()> told = [&] { return !resume_failures.empty(); };
            auto waiting = changed.until(told);
            BOOST_REQUIRE(co_await std::move(waiting));
            auto after = store(11, 12);
            co_await std::move(after);
            auto rest = got(2);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(11, 2);
            BOOST_TEST((resume_failures == std::vector<resume_failure>{resume_failure::gone}));
        });
}

BOOST_AUTO_TEST_CASE(a_stream_that_lost_its_end_and_grew_again_while_the_broker_was_away_is_noticed)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 10);
            co_await std::move(before);
            server.stop();
            const auto copy = server.store().parent_path() / "copy";
            std::filesystem::copy(server.store(), copy, std::filesystem::copy_options::recursive);
            server.restart();
            auto back = stream_is_back();
            co_await std::move(back);
            consume(1);
            auto more = store(11, 20);
            co_await std::move(more);
            auto all = got(20);
            BOOST_REQUIRE(co_await std::move(all));

            server.stop();
            std::filesystem::remove_all(server.store());
            std::filesystem::rename(copy, server.store());
            server.restart();
            // Another client is quicker than the consumer, whose io_context does not run meanwhile.
            grow_aside(30);
            std::function<bool()> told = [&] { return !resume_failures.empty(); };
            auto waiting = changed.until(told);
            BOOST_REQUIRE(co_await std::move(waiting));
            BOOST_TEST((resume_failures == std::vector<resume_failure>{resume_failure::another}));
            BOOST_TEST(sequences.size() == 20U);
        },
        60s);
}

BOOST_AUTO_TEST_CASE(a_stored_message_is_data_whatever_its_headers_say_and_nothing_it_names_is_published_to)
{
    const auto rows = every_odd_header();
    int obeyed = 0;
    auto watching = connect();
    const auto victim = watching->subscribe(victims, {}, [&](const message& m) { obeyed += m.data.empty() ? 1 : 0; });
    const auto log = std::make_unique<captured_log>();
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            std::function<bool()> up = [&] { return !states.empty(); };
            auto ready = changed.until(up);
            BOOST_REQUIRE(co_await std::move(ready));
            raw_publisher foreigner(server.port());
            for (const auto& row : rows)
                for (const auto* payload : {"", "data"})
                    foreigner.publish("events", row.reply, row.section, payload);
            foreigner.publish("events", "", "", "the end");
            foreigner.flush();
            std::function<bool()> ended = [&] { return !data.empty() && data.back() == "the end"; };
            auto all = changed.until(ended);
            BOOST_REQUIRE(co_await std::move(all));
            const auto stored = sequences.back();
            BOOST_TEST(stored >= 2 * rows.size() - 3); // all but those that the server refuses
            BOOST_TEST(sequences.size() == stored);
            BOOST_TEST((std::count(data.begin(), data.end(), "data") == std::count(data.begin(), data.end(), "")));
            BOOST_TEST(consumer->losses().in_a_row == 0U);
            BOOST_TEST(states.size() == 1U);

            const auto before = data;
            sequences.clear();
            data.clear();
            consume(1); // as after a restart
            auto again = changed.until(ended);
            BOOST_REQUIRE(co_await std::move(again));
            BOOST_TEST((data == before));
            auto seen = watching->flush(deadline::in(5s));
            co_await std::move(seen);
        });
    BOOST_TEST(obeyed == 0);
    BOOST_TEST(log->text().find("lost") == std::string::npos);
}

// Whoever learns a consumer's deliver subject can publish there.
BOOST_AUTO_TEST_CASE(a_forged_message_on_the_deliver_subject_causes_no_publish_and_is_no_event)
{
    int obeyed = 0;
    auto watching = connect();
    const auto victim = watching->subscribe(victims, {}, [&](const message& m) { obeyed += m.data.empty() ? 1 : 0; });
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            auto before = store(1, 3);
            co_await std::move(before);
            auto some = got(3);
            BOOST_REQUIRE(co_await std::move(some));
            auto asking = nats->requests().request(subject::of({"$JS", "API", "CONSUMER", "LIST", "EVENTS"}), "",
                                                   no_headers, deadline::in(5s));
            auto reply = co_await asking.receive();
            BOOST_REQUIRE(reply.has_value());
            const std::string mark = "\"deliver_subject\":\"";
            const auto at = reply->data.find(mark) + mark.size();
            const auto inbox = reply->data.substr(at, reply->data.find('"', at) - at);
            raw_publisher foreigner(server.port());
            for (const auto& row : every_odd_header())
                for (const auto* payload : {"", "data"})
                    foreigner.publish(inbox, row.reply, row.section, payload);
            foreigner.publish(inbox, "$JS.ACK.EVENTS.victim.1.4.4.1.0", "", "forged");
            foreigner.flush();
            auto after = store(4, 10);
            co_await std::move(after);
            auto rest = got(10);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(1, 10);
            auto seen = watching->flush(deadline::in(5s));
            co_await std::move(seen);
        });
    BOOST_TEST(obeyed == 0);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_cannot_be_made_again_and_again_is_stuck_until_it_can)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            auto before = store(1, 3);
            co_await std::move(before);
            auto some = got(3);
            BOOST_REQUIRE(co_await std::move(some));
            BOOST_TEST(consumer->losses().in_a_row == 0U);
            auto deleting = stream_api("DELETE");
            co_await std::move(deleting);
            auto lost = stuck(true);
            BOOST_REQUIRE(co_await std::move(lost));
            BOOST_TEST(consumer->losses().after == 3U);
            BOOST_TEST(consumer->losses().text().find("again and again after sequence 3: ") != std::string::npos);

            auto anew = make_stream();
            co_await std::move(anew);
            auto well = stuck(false);
            BOOST_TEST(co_await std::move(well));
        });
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_during_the_set_up_does_not_end_the_consumer)
{
    const auto log = std::make_unique<captured_log>();
    throws_left = 4;
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            auto before = store(1, 3);
            co_await std::move(before);
            consume(1);
            auto all = got(3);
            BOOST_REQUIRE(co_await std::move(all));
            require_in_order(1, 3);
            const stream_position three{3, timestamps.at(2)};
            throws_left = 3; // and when the last message handed out is looked for
            sequences.clear();
            data.clear();
            consume_after(three);
            auto after = store(4, 5);
            co_await std::move(after);
            auto rest = got(2);
            BOOST_REQUIRE(co_await std::move(rest));
            require_in_order(4, 2);
            auto well = stuck(false);
            BOOST_TEST(co_await std::move(well));
        });
    BOOST_TEST(throws_left == 0);
    BOOST_TEST(log->text().find("what=\"the handler's own fault\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_ends_leaves_nothing_in_the_connection)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            const auto held = std::make_shared<int>();
            for (int i = 0; i < 5; ++i)
            {
                ordered_consumer::settings what;
                what.stream = "EVENTS";
                auto one = ordered_consumer::start(
                    *nats, what, [held](const std::vector<stored_message>&) {}, [held](bool, const stream_state&) {},
                    [held](resume_failure) {});
                auto seen = nats->flush(deadline::in(5s));
                co_await std::move(seen);
            }
            asio::steady_timer pause(io);
            for (const auto end = deadline::in(10s); held.use_count() > 1 && !end.passed();)
            {
                pause.expires_after(5ms);
                co_await pause.async_wait(asio::use_awaitable);
            }
            BOOST_TEST(held.use_count() == 1);
        });
}

BOOST_AUTO_TEST_CASE(a_stopped_consumer_calls_no_handler)
{
    run(
        [&]() -> asio::awaitable<void>
        {
            auto making = make_stream();
            co_await std::move(making);
            consume(1);
            auto before = store(1, 1);
            co_await std::move(before);
            auto some = got(1);
            BOOST_REQUIRE(co_await std::move(some));
            consumer->stop();
            auto after = store(2, 5);
            co_await std::move(after);
            auto seen = nats->flush(deadline::in(5s));
            co_await std::move(seen);
            BOOST_TEST(sequences.size() == 1U);
        });
}

BOOST_AUTO_TEST_SUITE_END()
