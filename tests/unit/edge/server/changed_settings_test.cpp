// Settings that change while connections are open.
#include "tests/unit/edge/client.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string request(std::size_t field_bytes, const std::string& body = {})
{
    return "POST /a HTTP/1.1\r\nHost: x\r\nOrigin: https://shop.example\r\nX-Field: " + std::string(field_bytes, 'f') +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Awaited at once; see CONTRIBUTING.md on coroutines.
asio::awaitable<std::string> answer_to(raw_client* client, std::string text)
{
    auto sending = client->send(std::move(text));
    const bool sent = co_await std::move(sending);
    BOOST_TEST(sent);
    auto receiving = client->receive_one();
    co_return co_await std::move(receiving);
}

} // namespace

BOOST_AUTO_TEST_SUITE(changed_settings)

BOOST_AUTO_TEST_CASE(an_open_connection_gets_new_origins_and_limits_of_bodies_and_keeps_those_of_heads)
{
    server_kit kit;
    kit.settings.head.header_bytes = 1000;
    kit.settings.buffer_bytes = 2000;
    int refused = 0;
    kit.settings.on_refused = [&refused](const refused_input&) { ++refused; };
    kit.start();
    const auto one = [&]() -> asio::awaitable<void>
    {
        raw_client before(kit.io, kit.at);
        auto asking = answer_to(&before, request(100, "body"));
        auto answer = co_await std::move(asking);
        BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
        BOOST_TEST(!has(answer, "Access-Control-Allow-Origin"));

        session_settings next = kit.settings;
        next.head.header_bytes = 100'000;
        next.buffer_bytes = 200'000;
        next.body.body_bytes = 10;
        next.on_refused = nullptr;
        BOOST_TEST(next.cors.add("https://shop.example").has_value());
        kit.server->change(next);

        asking = answer_to(&before, request(100, "body"));
        answer = co_await std::move(asking);
        BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
        BOOST_TEST(has(answer, "Access-Control-Allow-Origin: https://shop.example"));
        asking = answer_to(&before, request(50'000)); // more than its buffer takes
        answer = co_await std::move(asking);
        BOOST_TEST(status_line(answer).starts_with("HTTP/1.1 431 "));

        raw_client after(kit.io, kit.at);
        asking = answer_to(&after, request(50'000));
        answer = co_await std::move(asking);
        BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
        asking = answer_to(&after, request(100, "a longer body"));
        answer = co_await std::move(asking);
        BOOST_TEST(status_line(answer).starts_with("HTTP/1.1 413 "));
        BOOST_TEST(refused == 2);
    };
    run_coro(kit.io, one);
}

BOOST_AUTO_TEST_SUITE_END()
