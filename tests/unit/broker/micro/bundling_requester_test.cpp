#include "broker/micro/bundling_requester.hpp"

#include "broker/micro/bundle.hpp"
#include "tests/support/fake_requester.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

struct bundling_kit
{
    asio::io_context io{1};
    fake_requester nats{io.get_executor()};
    bundling_requester lookups{io, nats};

    static subject get(std::string_view token) { return subject::of({"metadata", "get", token}); }

    pending_reply ask(const subject& to, header_list headers = {}, std::chrono::milliseconds time = 1s)
    {
        headers.set(names::header_request_id, "r-" + std::to_string(++asked_));
        return call_service(lookups, to, {}, std::move(headers), deadline::in(time));
    }

    /// Runs until each of `all` is settled, and returns the outcomes in order.
    std::vector<result<message>> outcomes(const std::vector<pending_reply>& all)
    {
        std::vector<result<message>> found;
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     for (const auto& each : all)
                     {
                         auto reply = co_await each.receive();
                         found.push_back(std::move(reply));
                     }
                 });
        return found;
    }

    static std::string bundle_of(const std::vector<std::pair<header_list, std::string>>& replies)
    {
        std::string text;
        for (const auto& [headers, data] : replies)
            append_to_bundle(text, {}, headers, data);
        return text;
    }

private:
    int asked_ = 0;
};

header_list failure(const char* text, const char* number)
{
    header_list headers;
    headers.set(names::header_service_error, text);
    headers.set(names::header_service_error_code, number);
    return headers;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(bundling_requester_, bundling_kit)

BOOST_AUTO_TEST_CASE(the_only_request_of_a_turn_is_sent_unchanged)
{
    nats.script_json("metadata.get.1", "one");
    const auto found = outcomes({ask(get("1"))});
    BOOST_TEST(found[0]->data == "one");
    BOOST_REQUIRE(nats.seen.size() == 1U);
    BOOST_TEST(nats.seen[0].headers.get(names::header_request_id) == "r-1");
    BOOST_TEST(nats.seen[0].headers.has(names::header_timeout));
}

BOOST_AUTO_TEST_CASE(requests_of_a_turn_to_one_service_leave_as_one_and_each_gets_its_own_reply)
{
    nats.script_json("metadata.many",
                     bundle_of({{{}, "one"}, {failure("Asset not found", "404"), R"({"status":"x"})"}, {{}, "three"}}));
    nats.script_json("cdnurl.get.1", "url");
    const auto found =
        outcomes({ask(get("1")), ask(get("2")), ask(get("3")), ask(subject::of({"cdnurl", "get", "1"}))});
    BOOST_TEST(found[0]->data == "one");
    BOOST_TEST((found[1].error() == errc::asset_not_found));
    BOOST_TEST(found[2]->data == "three");
    BOOST_TEST(found[3]->data == "url");
    BOOST_REQUIRE(nats.seen.size() == 2U);
    for (const auto& seen : nats.seen)
        if (seen.subject == "metadata.many")
        {
            const auto items = read_bundle(seen.payload).value();
            BOOST_REQUIRE(items.size() == 3U);
            BOOST_TEST(items[1].subject == "metadata.get.2");
            BOOST_TEST(items[1].headers.get(names::header_request_id) == "r-2");
            BOOST_TEST(!items[1].headers.has(names::header_timeout)); // the bundle's holds
            BOOST_TEST(seen.headers.has(names::header_timeout));
        }
}

BOOST_AUTO_TEST_CASE(equal_requests_of_a_turn_are_sent_once_unless_a_header_makes_them_differ)
{
    nats.script_json("metadata.get.1", "one");
    const auto found = outcomes({ask(get("1")), ask(get("1")), ask(get("1"))});
    for (const auto& each : found)
        BOOST_TEST(each->data == "one");
    BOOST_TEST(nats.seen.size() == 1U);

    header_list after;
    after.set(names::header_after, "7");
    nats.script_json("metadata.many", bundle_of({{{}, "a"}, {{}, "b"}}));
    const auto different = outcomes({ask(get("1")), ask(get("1"), after)});
    BOOST_TEST(different[0]->data == "a");
    BOOST_TEST(different[1]->data == "b");
}

BOOST_AUTO_TEST_CASE(the_earliest_deadline_holds_for_equal_requests_in_any_order)
{
    for (const bool early_first : {true, false})
    {
        nats.seen.clear();
        nats.script_json("metadata.get.1", "one");
        (void)outcomes({ask(get("1"), {}, early_first ? 2s : 10s), ask(get("1"), {}, early_first ? 10s : 2s)});
        BOOST_REQUIRE(nats.seen.size() == 1U);
        BOOST_TEST(nats.seen[0].until.remaining() <= 2s);
        BOOST_TEST(std::stoi(std::string(nats.seen[0].headers.get(names::header_timeout))) <= 2000);
    }
}

BOOST_AUTO_TEST_CASE(a_request_of_a_later_turn_is_sent_again)
{
    nats.script_json("metadata.get.1", "before");
    nats.script_json("metadata.get.1", "after");
    BOOST_TEST(outcomes({ask(get("1"))})[0]->data == "before");
    BOOST_TEST(outcomes({ask(get("1"))})[0]->data == "after");
}

BOOST_AUTO_TEST_CASE(the_earliest_deadline_holds_for_the_bundle)
{
    nats.script_json("metadata.many", bundle_of({{{}, "a"}, {{}, "b"}}));
    const auto found = outcomes({ask(get("1"), {}, 10s), ask(get("2"), {}, 2s)});
    BOOST_TEST(found[0].has_value());
    BOOST_TEST(nats.seen.at(0).until.remaining() <= 2s);
}

BOOST_AUTO_TEST_CASE(each_request_is_sent_alone_if_nobody_takes_bundles)
{
    nats.script_json("metadata.get.1", "one");
    const auto found = outcomes({ask(get("1")), ask(get("2"))});
    BOOST_TEST(found[0]->data == "one");
    BOOST_TEST((found[1].error() == errc::no_responders));
    BOOST_TEST(nats.seen.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_request_whose_reply_found_no_room_in_the_bundle_is_sent_alone)
{
    const auto no_room = failure(std::string(title_of(errc::payload_too_large)).c_str(), "413");
    nats.script_json("metadata.many", bundle_of({{{}, "one"}, {no_room, "{}"}}));
    nats.script_json("metadata.get.2", "two");
    const auto found = outcomes({ask(get("1")), ask(get("2"))});
    BOOST_TEST(found[0]->data == "one");
    BOOST_TEST(found[1]->data == "two");
}

BOOST_AUTO_TEST_CASE(the_failure_of_a_bundle_is_the_failure_of_each_request)
{
    const std::pair<result<message>, errc> table[] = {
        {fail(errc::timeout), errc::timeout},
        {fail(errc::disconnected), errc::disconnected},
        {message{"", "", "garbage", {}}, errc::malformed_reply},
        {message{"", "", bundle_of({{{}, "only one"}}), {}}, errc::malformed_reply},
        {message{"", "", bundle_of({{{}, "1"}, {{}, "2"}, {{}, "3"}}), {}}, errc::malformed_reply},
    };
    for (const auto& [reply, code] : table)
    {
        nats.script("metadata.many", reply);
        for (const auto& each : outcomes({ask(get("1")), ask(get("2"))}))
            BOOST_TEST((each.error() == code));
    }
    nats.script_json("metadata.get.1", "one");
    BOOST_TEST(outcomes({ask(get("1"))})[0]->data == "one");
}

BOOST_AUTO_TEST_CASE(more_requests_than_a_bundle_holds_leave_as_several)
{
    std::vector<pending_reply> all;
    for (std::size_t i = 0; i < max_bundle_items + 2; ++i)
        all.push_back(ask(get(std::to_string(i))));
    std::vector<std::pair<header_list, std::string>> replies(max_bundle_items, {header_list(), "full"});
    nats.script_json("metadata.many", bundle_of(replies));
    nats.script_json("metadata.many", bundle_of({{{}, "rest"}, {{}, "rest"}}));
    const auto found = outcomes(all);
    BOOST_TEST(found.front()->data == "full");
    BOOST_TEST(found.back()->data == "rest");
    BOOST_TEST(nats.seen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_one_request_that_a_full_bundle_leaves_over_is_sent_alone)
{
    std::vector<pending_reply> all;
    for (std::size_t i = 0; i < max_bundle_items + 1; ++i)
        all.push_back(ask(get(std::to_string(i))));
    std::vector<std::pair<header_list, std::string>> replies(max_bundle_items, {header_list(), "full"});
    nats.script_json("metadata.many", bundle_of(replies));
    nats.script_json("metadata.get." + std::to_string(max_bundle_items), "rest");
    const auto found = outcomes(all);
    BOOST_TEST(found.front()->data == "full");
    BOOST_TEST(found.back()->data == "rest");
}

BOOST_AUTO_TEST_CASE(a_bundled_reply_is_posted_once)
{
    nats.script_silence("metadata.many");
    int received = 0;
    for (const auto& pending : {ask(get("1")), ask(get("2"))})
        asio::co_spawn(
            io,
            [](pending_reply mine, int& count) -> asio::awaitable<void>
            {
                auto reply = co_await mine.receive();
                count += reply.has_value() ? 1 : 0;
            }(pending, received),
            asio::detached);
    io.poll();
    BOOST_REQUIRE(nats.open.size() == 1U);
    nats.open[0].settle(message{"", "", bundle_of({{{}, "one"}, {{}, "two"}}), {}});
    int received_by_then = 0;
    asio::post(io, [&] { received_by_then = received; });
    io.poll();
    BOOST_TEST(received_by_then == 2);
}

BOOST_AUTO_TEST_CASE(requests_in_flight_survive_the_requester)
{
    std::optional<bundling_requester> short_lived(std::in_place, io, nats);
    nats.script_silence("metadata.get.1");
    const header_list none;
    const auto pending = short_lived->request(get("1"), {}, none, deadline::in(1s));
    io.poll();
    BOOST_REQUIRE(nats.open.size() == 1U);
    const auto never_sent = short_lived->request(get("2"), {}, none, deadline::in(1s));
    short_lived.reset();
    nats.open[0].settle(message{"", "", "late", {}});
    BOOST_TEST(outcomes({pending})[0]->data == "late");
    BOOST_TEST((outcomes({never_sent})[0].error() == errc::stopping));
}

BOOST_AUTO_TEST_SUITE_END()
