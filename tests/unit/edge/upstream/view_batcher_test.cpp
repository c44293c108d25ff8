// Views that travel together: what is sent, and what becomes of each.
#include "edge/upstream/counts_lines.hpp"
#include "edge/upstream/view_batcher.hpp"
#include "schemas/event.hpp"
#include "schemas/subjects.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"
#include "tests/unit/edge/upstream/kit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <deque>
#include <functional>
#include <sstream>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr auto acknowledged = R"({"stream":"EVENTS","seq":41})";
constexpr auto duplicate = R"({"stream":"EVENTS","seq":41,"duplicate":true})";
constexpr auto refused = R"({"error":{"code":400,"err_code":10054,"description":"message size exceeds maximum"}})";

std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    return lines;
}

view view_of(const std::string& asset, const std::string& key = {})
{
    return {key, asset_id::parse(asset).value(), user_id::parse("u").value()};
}

struct batch_kit
{
    batch_kit()
    {
        gate.looked(true);
        services.counting.replied("REPORTING1");
    }

    /// A view on its way, and what became of it.
    struct sent
    {
        view seen;
        std::optional<result<stored_view>> ended;
    };

    sent& send(view what, deadline::clock::duration time = 20s)
    {
        auto& one = all.emplace_back(sent{std::move(what), {}});
        asio::co_spawn(io, batcher.send(one.seen, "request-1", deadline::in(time)),
                       [&one](const std::exception_ptr&, result<stored_view> how) { one.ended = std::move(how); });
        return one;
    }

    void run_until(const std::function<bool()>& done) { test::run_until(io, done); }

    void run_until_sent(std::size_t messages)
    {
        run_until([&] { return nats.seen.size() >= messages; });
    }

    void run_until_ended()
    {
        run_until([&]
                  { return std::all_of(all.begin(), all.end(), [](const sent& s) { return s.ended.has_value(); }); });
    }

    void script_counts(std::string text, const std::string& instance = "REPORTING1")
    {
        header_list headers;
        if (!instance.empty())
            headers.set(names::header_instance, instance);
        nats.script_json("events counts", std::move(text), std::move(headers));
    }

    service_health& health() { return services.health.of(upstream_service::reporting); }

    /// Whether the message at `index` names an inbox for its counts.
    bool waits_for_counts(std::size_t index) { return nats.seen.at(index).headers.has(names::header_counts_to); }

    asio::io_context io{1};
    fake_requester nats{io.get_executor()};
    worker_metrics metrics{{}};
    service_client services{nats, nats, metrics};
    outage_timer outage;
    batch_gate gate;
    std::deque<sent> all;
    view_batcher batcher{io, services, outage, gate, metrics.views()};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(view_batcher_, batch_kit)

BOOST_AUTO_TEST_CASE(views_of_a_turn_are_lines_of_one_message_and_each_gets_its_own_counts)
{
    script_counts("7 1\n8 2\nkey_reused\nbad_id\n9 3\n");
    send(view_of("a"));
    send(view_of("a"));
    send(view_of("b", "k-key"));
    send(view_of("c"));
    send(view_of("d \"quoted\""));
    run_until_ended();
    BOOST_REQUIRE(nats.seen.size() == 1U);
    const auto& message = nats.seen[0];
    BOOST_TEST(message.subject == "events");
    const std::string id(message.headers.get(names::header_msg_id));
    BOOST_TEST(id.size() == 26U);
    BOOST_TEST(message.headers.get(names::header_counts_from) == "REPORTING1");
    BOOST_TEST(message.headers.get(names::header_counts_to) == "_INBOX.fake");
    const auto lines = lines_of(message.payload);
    BOOST_REQUIRE(lines.size() == 5U);
    const std::vector<std::string> ids{id + ".0", id + ".1", "k-key", id + ".3", id + ".4"};
    const std::vector<std::string> assets{"a", "a", "b", "c", "d \"quoted\""};
    for (std::size_t i = 0; i < lines.size(); ++i)
    {
        const auto event = parse_event(lines[i]);
        BOOST_REQUIRE(event.has_value());
        BOOST_TEST(event->id.value() == ids[i]);
        BOOST_TEST(event->asset.text() == assets[i]);
        BOOST_TEST(event->user.text() == "u");
    }
    for (const auto& [index, asset, user] : {std::tuple{0, 7, 1}, std::tuple{1, 8, 2}, std::tuple{4, 9, 3}})
    {
        const auto& how = *all[static_cast<std::size_t>(index)].ended;
        BOOST_REQUIRE(how.has_value());
        BOOST_TEST(how->counts.value().assetviews == static_cast<std::uint64_t>(asset));
        BOOST_TEST(how->counts.value().userviews == static_cast<std::uint64_t>(user));
    }
    BOOST_TEST((all[2].ended->error() == errc::key_reused));
    BOOST_TEST(!all[3].ended->value().counts.has_value()); // no event to reporting: there are no counts
    BOOST_TEST(all[3].ended->value().sequence == 0U);
}

BOOST_AUTO_TEST_CASE(a_view_alone_is_a_message_with_one_event_of_the_same_id)
{
    for (const auto* key : {"", "k-key"})
    {
        batch_kit kit;
        kit.script_counts("1 1");
        kit.send(view_of("a", key));
        kit.run_until_ended();
        const auto& message = kit.nats.seen.at(0);
        BOOST_TEST(message.payload.find('\n') == std::string::npos);
        const auto event = parse_event(message.payload).value();
        BOOST_TEST(event.id.value() ==
                   (*key != '\0' ? std::string(key) : std::string(message.headers.get(names::header_msg_id))));
        BOOST_TEST(kit.all[0].ended->value().counts.value().assetviews == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_message_holds_256_events_and_64_kib)
{
    const struct
    {
        std::size_t views;
        std::string asset;
        std::vector<std::size_t> expected; ///< lines of each message; empty: only the bounds hold
    } rows[] = {{256, "a", {256}}, {257, "a", {256, 1}}, {600, "a", {256, 256, 88}}, {300, std::string(128, '"'), {}}};
    for (const auto& row : rows)
    {
        batch_kit kit;
        for (std::size_t i = 0; i < row.views; ++i)
            kit.send(view_of(row.asset));
        kit.run_until([&] { return !kit.nats.seen.empty(); });
        kit.io.poll();
        std::vector<std::size_t> lines;
        std::size_t sum = 0;
        for (const auto& message : kit.nats.seen)
        {
            if (!message.headers.has(names::header_counts_to))
                continue; // asked about
            lines.push_back(lines_of(message.payload).size());
            sum += lines.back();
            BOOST_TEST(message.payload.size() <= view_batcher::max_bytes);
            BOOST_TEST(lines.back() <= view_batcher::max_events);
        }
        BOOST_TEST(sum == row.views);
        if (!row.expected.empty())
            BOOST_TEST(lines == row.expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_message_without_counts_is_asked_about_once_under_its_own_id)
{
    nats.script_silence("events counts");
    nats.script_json("events", duplicate);
    send(view_of("a"));
    send(view_of("b"));
    run_until_ended();
    BOOST_REQUIRE(nats.seen.size() == 2U);
    BOOST_TEST(nats.seen[1].payload == nats.seen[0].payload);
    BOOST_TEST(nats.seen[1].headers.get(names::header_msg_id) == nats.seen[0].headers.get(names::header_msg_id));
    BOOST_TEST(!waits_for_counts(1)); // its reply is that of JetStream
    for (const auto& each : all)
    {
        BOOST_TEST(each.ended->value().sequence == 41U);
        BOOST_TEST(!each.ended->value().counts.has_value());
    }
}

BOOST_AUTO_TEST_CASE(counts_that_come_while_it_is_asked_are_taken)
{
    nats.script_silence("events counts");
    nats.script_silence("events");
    send(view_of("a"));
    run_until_sent(2);
    header_list headers;
    headers.set(names::header_instance, "REPORTING1");
    nats.open[0].settle(message{"", "", "5 4\n", headers});
    run_until_ended();
    BOOST_TEST(all[0].ended->value().counts.value().assetviews == 5U);
    nats.open[1].settle(message{"", "", duplicate, {}}); // too late to say anything
    io.restart();
    io.poll();
}

BOOST_AUTO_TEST_CASE(without_a_retry_budget_it_is_asked_after_half_a_second)
{
    spend_budget(health());
    nats.script_silence("events counts");
    nats.script_json("events", duplicate);
    const auto begin = deadline::clock::now();
    send(view_of("a"));
    run_until_ended();
    BOOST_TEST((deadline::clock::now() - begin >= 500ms));
    BOOST_TEST(all[0].ended->value().sequence == 41U);
}

BOOST_AUTO_TEST_CASE(it_is_asked_at_once_while_the_circuit_is_open_or_no_instance_is_known)
{
    for (const bool is_open : {true, false})
    {
        batch_kit kit;
        if (is_open)
            open_circuit(kit.health());
        else
            for (int i = 0; i < 2; ++i)
                kit.services.counting.missed("REPORTING1");
        kit.nats.script_json("events", acknowledged);
        kit.send(view_of("a"));
        kit.run_until_ended();
        BOOST_REQUIRE(kit.nats.seen.size() == 1U);
        BOOST_TEST(!kit.waits_for_counts(0));
        BOOST_TEST(kit.all[0].ended->value().sequence == 41U);
    }
}

BOOST_AUTO_TEST_CASE(a_circuit_that_opens_meanwhile_ends_the_wait_for_counts)
{
    spend_budget(health());
    nats.script_silence("events counts");
    nats.script_json("events", duplicate);
    const auto begin = deadline::clock::now();
    send(view_of("a"));
    run_until_sent(1);
    open_circuit(health());
    run_until_ended();
    BOOST_TEST((deadline::clock::now() - begin < 500ms));
    BOOST_TEST(all[0].ended->value().sequence == 41U);
}

BOOST_AUTO_TEST_CASE(an_instance_that_misses_two_messages_is_named_no_more_until_it_replies)
{
    for (int i = 0; i < 2; ++i)
    {
        BOOST_TEST(services.counting.name() == "REPORTING1");
        nats.script_silence("events counts");
        nats.script_json("events", duplicate);
        send(view_of("a"));
        run_until_ended();
    }
    BOOST_TEST(services.counting.name().empty());
    services.counting.replied("REPORTING2");
    script_counts("3 3", "REPORTING2");
    send(view_of("a"));
    run_until_ended();
    BOOST_TEST(nats.seen.back().headers.get(names::header_counts_from) == "REPORTING2");
}

BOOST_AUTO_TEST_CASE(a_message_that_was_not_stored_at_first_says_nothing_about_reporting)
{
    for (int i = 0; i < 3; ++i)
    {
        nats.script_silence("events counts");
        nats.script_json("events", acknowledged); // stored now: the stream had no leader before
        send(view_of("a"));
        run_until_ended();
    }
    BOOST_TEST(services.counting.name() == "REPORTING1");
}

BOOST_AUTO_TEST_CASE(counts_that_make_no_sense_are_no_counts)
{
    for (const auto* text :
         {"", "\n", "1 1", "1 1\n2 2\n3 3\n", "1 1\n2\n", "1 1\nx y\n", "1 1\n-1 2\n", "1 1\n\n2 2\n",
          "1 1\nno_such_code\n", "1 1\n2 2 2\n", "1 1\r\n2 2\r\n", R"({"assetviews":1})"})
        BOOST_TEST_CONTEXT("counts " << text)
        {
            const captured_log log;
            batch_kit kit;
            kit.script_counts(text);
            kit.nats.script_json("events", duplicate);
            kit.send(view_of("a"));
            kit.send(view_of("b"));
            kit.run_until_ended();
            for (const auto& each : kit.all)
                BOOST_TEST(each.ended->value().sequence == 41U);
        }
}

BOOST_AUTO_TEST_CASE(a_refused_message_is_sent_event_by_event_and_the_next_ones_are_smaller)
{
    const captured_log log;
    nats.script_silence("events counts");
    nats.script_json("events", refused);
    for (const auto* counts : {"1 1", "2 2", "3 3", "4 4"})
        script_counts(counts);
    for (const auto* asset : {"a", "b", "c", "d"})
        send(view_of(asset));
    run_until_ended();
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(all[i].ended->value().counts.value().assetviews == i + 1);

    const auto before = nats.seen.size();
    script_counts("5 5\n5 5\n");
    script_counts("6 6\n6 6\n");
    for (const auto* asset : {"a", "b", "c", "d"})
        send(view_of(asset));
    run_until_ended();
    BOOST_TEST(lines_of(nats.seen[before].payload).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_single_event_that_is_refused_fails)
{
    nats.script_silence("events counts");
    nats.script_json("events", refused);
    send(view_of("a"));
    run_until_ended();
    BOOST_TEST((all[0].ended->error() == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_lost_link_ends_all_views_of_a_message)
{
    nats.script("events counts", fail(errc::disconnected));
    send(view_of("a"));
    send(view_of("b"));
    run_until_ended();
    for (const auto& each : all)
        BOOST_TEST((each.ended->error() == errc::disconnected));
    BOOST_TEST(nats.seen.size() == 1U);
}

BOOST_AUTO_TEST_CASE(each_view_has_its_own_deadline)
{
    spend_budget(health());
    nats.script_silence("events counts");
    auto& hurried = send(view_of("a"), 30ms);
    auto& patient = send(view_of("b"), 20s);
    run_until([&] { return hurried.ended.has_value(); });
    BOOST_TEST((hurried.ended->error() == errc::timeout));
    BOOST_TEST(!patient.ended.has_value());
    nats.open[0].settle(message{"", "", "1 1\n2 2\n", {}});
    run_until_ended();
    BOOST_TEST(patient.ended->value().counts.value().assetviews == 2U);
}

// What holds a permit to probe has to give it back, or the circuit stays open for ever.
BOOST_AUTO_TEST_CASE(a_probe_whose_views_end_before_it_is_asked_about_lets_another_one_follow)
{
    const auto begin = deadline::clock::now();
    run_until([&] { return deadline::clock::now() - begin > circuit_breaker::min_silence_to_open; });
    const auto now = deadline::clock::now();
    for (int i = 0; i < 10; ++i)
        health().failed(service_health::permit::granted, errc::timeout, now, now);
    BOOST_TEST(!health().closed());
    run_until([&] { return deadline::clock::now() - now > circuit_breaker::first_pause; });
    nats.script_silence("events counts");
    auto& probe = send(view_of("a"), 20ms);
    run_until([&] { return probe.ended.has_value(); });
    BOOST_REQUIRE(waits_for_counts(0));
    nats.open[0].settle(fail(errc::timeout)); // as at the deadline of its last view

    const auto given_back = deadline::clock::now();
    run_until([&] { return deadline::clock::now() - given_back > circuit_breaker::longest_pause; });
    script_counts("1 1");
    send(view_of("b"));
    run_until_ended();
    BOOST_TEST(waits_for_counts(1));
    BOOST_TEST(health().closed());
}

BOOST_AUTO_TEST_CASE(the_end_of_a_batcher_destroys_the_coroutines_of_its_views)
{
    nats.script_silence("events counts");
    auto own = std::make_unique<view_batcher>(io, services, outage, gate, metrics.views());
    const auto sent_one = view_of("a");
    const auto gathered_one = view_of("b");
    std::vector<std::weak_ptr<int>> alive;
    const auto start = [&](const view& seen)
    {
        auto held = std::make_shared<int>();
        alive.emplace_back(held);
        auto waits = [](view_batcher& by, const view& what, std::shared_ptr<int>) -> asio::awaitable<void>
        {
            auto sending = by.send(what, "request-1", deadline::in(20s));
            [[maybe_unused]] const auto never = co_await std::move(sending);
            BOOST_ERROR("a view ended");
        };
        asio::co_spawn(io, waits(*own, seen, std::move(held)), asio::detached);
    };
    start(sent_one);
    run_until_sent(1);
    start(gathered_one);
    io.restart();
    io.run_one(); // as far as gathered
    own.reset();
    nats.open[0].settle(message{"", "", "1 1\n", {}});
    io.restart();
    io.poll();
    for (const auto& each : alive)
        BOOST_TEST(each.expired());
    BOOST_TEST(nats.seen.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
