#include "broker/nats/reply_inbox.hpp"
#include "tests/support/run_coro.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

struct sent
{
    std::string to;
    std::string payload;
    std::string reply;
};

/// An inbox whose publishes are recorded; `refuse` makes them fail.
struct recording_inbox
{
    explicit recording_inbox(asio::io_context& io)
        : inbox(
              io, "_INBOX.me.r",
              [this](const std::string& to, std::string_view payload, const header_list&,
                     const std::string& reply) -> result<void>
              {
                  if (refuse)
                      return fail(*refuse);
                  out.push_back({to, std::string(payload), reply});
                  return {};
              },
              [this](const std::string& to, std::string_view payload, const header_list&, const std::string& reply,
                     deadline, unsent_handler unsent) -> result<void>
              {
                  if (!waits)
                      return fail(errc::overloaded, "full");
                  out.push_back({to, std::string(payload), reply});
                  waiting.push_back(std::move(unsent));
                  return {};
              })
    {
    }

    message answer_to(std::size_t i, std::string data, header_list headers = {}) const
    {
        message m;
        m.subject = out.at(i).reply;
        m.data = std::move(data);
        m.headers = std::move(headers);
        return m;
    }

    void deliver(message m)
    {
        const auto at = m.subject;
        inbox.deliver(at, std::move(m));
    }

    std::vector<sent> out;
    std::optional<errc> refuse;
    bool waits = false;                  ///< is there a queue for what finds no room?
    std::vector<unsent_handler> waiting; ///< in it
    detail::reply_inbox inbox;
};

} // namespace

BOOST_AUTO_TEST_SUITE(reply_inbox_)

BOOST_AUTO_TEST_CASE(replies_find_their_requests_in_any_order)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 auto first = nats.inbox.request(to, "1", {}, deadline::in(5s));
                 auto second = nats.inbox.request(to, "2", {}, deadline::in(5s));
                 BOOST_TEST(nats.inbox.in_flight() == 2U);
                 nats.deliver(nats.answer_to(1, "two"));
                 nats.deliver(nats.answer_to(0, "one"));
                 auto one = co_await first.receive();
                 auto two = co_await second.receive();
                 BOOST_TEST(one->data == "one");
                 BOOST_TEST(two->data == "two");
                 BOOST_TEST(nats.inbox.in_flight() == 0U);
             });
}

BOOST_AUTO_TEST_CASE(a_request_without_a_reply_fails_at_its_deadline_and_its_late_reply_is_counted)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 const auto until = deadline::in(20ms);
                 auto slow =
                     nats.inbox.request(to, "", {}, deadline::in(10s)); // its deadline must not hold up the other
                 auto pending = nats.inbox.request(to, "", {}, until);
                 auto got = co_await pending.receive();
                 BOOST_REQUIRE(got.has_error());
                 BOOST_TEST((got.error() == errc::timeout));
                 BOOST_TEST(until.passed());
                 nats.deliver(nats.answer_to(1, "late"));
                 nats.deliver(nats.answer_to(0, "in time"));
                 nats.deliver(nats.answer_to(0, "twice"));
                 BOOST_TEST(nats.inbox.late_replies() == 2U);
                 auto other = co_await slow.receive();
                 BOOST_TEST(other->data == "in time");
             });
}

BOOST_AUTO_TEST_CASE(a_request_without_room_waits_for_it_and_is_overloaded_if_it_was_not_sent)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 nats.refuse = errc::overloaded;
                 auto full = nats.inbox.request(to, "", {}, deadline::in(5s));
                 BOOST_TEST(full.settled());
                 auto refused = co_await full.receive();
                 BOOST_TEST((refused.error() == errc::overloaded));
                 nats.waits = true;
                 auto sent = nats.inbox.request(to, "", {}, deadline::in(5s));
                 auto expired = nats.inbox.request(to, "", {}, deadline::in(5s));
                 auto cut_off = nats.inbox.request(to, "", {}, deadline::in(5s));
                 BOOST_TEST(!sent.settled());
                 nats.deliver(nats.answer_to(0, "found room"));
                 nats.waiting.at(1)(fail(errc::overloaded));
                 nats.waiting.at(2)(fail(errc::disconnected)); // it never left: nothing was done
                 auto answer = co_await sent.receive();
                 BOOST_TEST(answer->data == "found room");
                 auto first = co_await expired.receive();
                 BOOST_TEST((first.error() == errc::overloaded));
                 auto second = co_await cut_off.receive();
                 BOOST_TEST((second.error() == errc::overloaded));
                 BOOST_TEST(nats.inbox.in_flight() == 0U);
             });
}

BOOST_AUTO_TEST_CASE(a_lost_link_fails_all_requests_in_flight)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 auto a = nats.inbox.request(to, "", {}, deadline::in(5s));
                 auto b = nats.inbox.request(to, "", {}, deadline::in(5s));
                 nats.inbox.fail_all(errc::disconnected);
                 auto first = co_await a.receive();
                 auto second = co_await b.receive();
                 BOOST_TEST((first.error() == errc::disconnected));
                 BOOST_TEST((second.error() == errc::disconnected));
             });
}

BOOST_AUTO_TEST_CASE(headers_of_a_reply_decide_what_it_means)
{
    struct row
    {
        std::vector<std::pair<std::string, std::string>> headers;
        std::string data;
        std::optional<errc> expected;
    };
    const row rows[] = {
        {{}, "{}", std::nullopt},
        {{{"Marquee-Revision", "3"}}, "{}", std::nullopt},
        {{{"Status", "503"}}, "", errc::no_responders},
        {{{"Nats-Service-Error", "Asset not found"}, {"Nats-Service-Error-Code", "404"}}, "{}", errc::asset_not_found},
        {{{"Nats-Service-Error", "User not found"}, {"Nats-Service-Error-Code", "404"}}, "{}", errc::user_not_found},
        {{{"Nats-Service-Error", "key_reused"}, {"Nats-Service-Error-Code", "422"}}, "{}", errc::key_reused},
        {{{"Nats-Service-Error", "outcome_unknown"}, {"Nats-Service-Error-Code", "504"}}, "{}", errc::outcome_unknown},
        {{{"Nats-Service-Error", "overloaded"}, {"Nats-Service-Error-Code", "503"}}, "{}", errc::overloaded},
        {{{"Nats-Service-Error", "?"}, {"Nats-Service-Error-Code", "nonsense"}}, "{}", errc::malformed_reply},
    };
    for (const auto& r : rows)
    {
        asio::io_context io(1);
        recording_inbox nats(io);
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     const auto to = subjects::metadata_list();
                     auto pending = nats.inbox.request(to, "", {}, deadline::in(5s));
                     header_list headers;
                     for (const auto& [name, value] : r.headers)
                         headers.set(name, value);
                     nats.deliver(nats.answer_to(0, r.data, headers));
                     auto got = co_await pending.receive();
                     BOOST_TEST(got.has_error() == r.expected.has_value());
                     if (r.expected && got.has_error())
                         BOOST_TEST((got.error() == *r.expected));
                 });
    }
}

BOOST_AUTO_TEST_CASE(an_error_replys_detail_and_field_are_kept)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 auto pending = nats.inbox.request(to, "", {}, deadline::in(5s));
                 header_list headers;
                 headers.set("Nats-Service-Error", "Bad request");
                 headers.set("Nats-Service-Error-Code", "400");
                 nats.deliver(nats.answer_to(
                     0, R"({"status":"Bad request","detail":"expected a string","field":"title"})", headers));
                 auto got = co_await pending.receive();
                 BOOST_REQUIRE(got.has_error());
                 BOOST_TEST(got.error().detail == "expected a string");
                 BOOST_TEST(got.error().field == "title");
             });
}

BOOST_AUTO_TEST_CASE(a_publish_that_is_refused_fails_the_request_and_leaves_nothing_behind)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    nats.refuse = errc::overloaded;
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 const auto to = subjects::metadata_list();
                 auto pending = nats.inbox.request(to, "", {}, deadline::in(5s));
                 auto got = co_await pending.receive();
                 BOOST_TEST((got.error() == errc::overloaded));
                 BOOST_TEST(nats.inbox.in_flight() == 0U);
             });
}

BOOST_AUTO_TEST_CASE(malformed_messages_on_the_inbox_are_dropped)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    for (const char* subject : {"", "_INBOX.me.r", "_INBOX.me.r.", "_INBOX.me.r.x", "_INBOX.me.r.99999999999999999999"})
    {
        message m;
        m.subject = subject;
        nats.deliver(std::move(m));
    }
    BOOST_TEST(nats.inbox.late_replies() == 5U);
}

BOOST_AUTO_TEST_CASE(a_multi_request_gets_every_reply_until_its_end_and_later_ones_are_not_counted_as_late)
{
    asio::io_context io(1);
    recording_inbox nats(io);
    std::vector<std::string> heard;
    const auto listen = [&heard](result<message> reply)
    { heard.push_back(reply.has_error() ? std::string(name_of(reply.error().code)) : reply->data); };
    auto one = nats.inbox.ask_all(subjects::discovery("PING"), listen).value();
    auto other = nats.inbox.ask_all(subjects::discovery("INFO", "metadata"), listen).value();
    BOOST_TEST(nats.out.at(0).to == "$SRV.PING");
    BOOST_TEST(nats.out.at(1).to == "$SRV.INFO.metadata");
    BOOST_TEST(nats.out.at(0).reply != nats.out.at(1).reply);
    BOOST_TEST(nats.inbox.in_flight() == 0U);
    header_list nobody;
    nobody.set("Status", "503");
    nats.deliver(nats.answer_to(0, "a"));
    nats.deliver(nats.answer_to(1, "", nobody));
    nats.deliver(nats.answer_to(0, "b"));
    other.reset();
    nats.deliver(nats.answer_to(1, "too late"));
    nats.inbox.fail_all(errc::disconnected);
    nats.deliver(nats.answer_to(0, "after the link was lost"));
    const std::vector<std::string> expected{"a", "no_responders", "b", "disconnected"};
    BOOST_TEST(heard == expected, boost::test_tools::per_element());
    BOOST_TEST(nats.inbox.late_replies() == 0U);
    nats.refuse = errc::overloaded;
    BOOST_TEST((nats.inbox.ask_all(subjects::discovery("PING"), listen).error() == errc::overloaded));
}

BOOST_AUTO_TEST_SUITE_END()
