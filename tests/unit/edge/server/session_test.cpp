#include "tests/unit/edge/client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <tuple>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

const std::string last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::size_t count_of(const std::string& text, std::string_view part)
{
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(session, server_kit)

BOOST_AUTO_TEST_CASE(an_answer_has_a_date_a_request_id_and_no_server_name)
{
    start();
    const auto answer = exchange("GET /x HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc-1\r\nConnection: close\r\n\r\n");
    BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
    BOOST_TEST(has(answer, "\r\nX-Request-ID: abc-1\r\n"));
    BOOST_TEST(has(answer, "\r\nDate: "));
    BOOST_TEST(has(answer, " GMT\r\n"));
    BOOST_TEST(has(answer, "\r\nConnection: close\r\n"));
    BOOST_TEST(!has(answer, "Server:"));
    BOOST_TEST(answer.ends_with("\r\n\r\nGET /x "));
    BOOST_TEST(closed_in_order);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order)
{
    start();
    std::string requests;
    for (int i = 0; i < 20; ++i)
        requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab" +
                    static_cast<char>('a' + i);
    const auto answers = exchange(requests + last);
    BOOST_TEST(count_of(answers, "HTTP/1.1 200 OK") == 21U);
    std::size_t found = 0;
    for (int i = 0; i < 20; ++i)
    {
        found = answers.find("POST /" + std::to_string(i) + " ab" + static_cast<char>('a' + i), found);
        BOOST_REQUIRE(found != std::string::npos);
    }
    BOOST_TEST(has(answers.substr(found), "GET /last"));
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_for_the_next_request)
{
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 for (int i = 0; i < 3; ++i)
                 {
                     co_await client.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
                     const auto answer = co_await client.receive_one();
                     BOOST_TEST(answer.ends_with("GET /" + std::to_string(i) + ' '));
                     BOOST_TEST(!has(answer, "Connection: close"));
                 }
                 BOOST_TEST(server->connections() == 1U);
             });
}

BOOST_AUTO_TEST_CASE(a_connection_is_closed_after_its_maximum_of_requests_and_the_last_answer_says_so)
{
    settings.requests = 3;
    start();
    std::string requests;
    for (int i = 0; i < 10; ++i)
        requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    const auto answers = exchange(requests);
    BOOST_TEST(count_of(answers, "HTTP/1.1 200 OK") == 3U);
    BOOST_TEST(count_of(answers, "Connection: close") == 1U);
    BOOST_TEST(answers.find("Connection: close") > answers.find("GET /1 "));
    BOOST_TEST(handled == 3);
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_it_asks_otherwise)
{
    start();
    const auto closed = exchange("GET /x HTTP/1.0\r\n\r\n");
    BOOST_TEST(status_line(closed) == "HTTP/1.0 200 OK");
    BOOST_TEST(closed.ends_with("GET /x "));
    const auto kept = exchange("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n");
    BOOST_TEST(has(kept, "Connection: keep-alive\r\n"));
    BOOST_TEST(has(kept, "GET /1 "));
    BOOST_TEST(has(kept, "GET /2 "));
}

BOOST_AUTO_TEST_CASE(head_is_answered_without_a_body_but_with_its_length)
{
    start();
    const auto answer = exchange("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + last);
    BOOST_TEST(has(answer, "Content-Length: 8\r\n")); // "HEAD /x "
    BOOST_TEST(!has(answer, "HEAD /x"));
    BOOST_TEST(has(answer, "GET /last"));
}

BOOST_AUTO_TEST_CASE(a_post_without_body_or_length_is_fine)
{
    start();
    BOOST_TEST(exchange("POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").ends_with("POST /x "));
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_skipped)
{
    start();
    BOOST_TEST(status_line(exchange("\r\n" + last)) == "HTTP/1.1 200 OK");
    BOOST_TEST(status_line(exchange("\r\n\r\n" + last)) == "HTTP/1.1 400 Bad Request");
}

BOOST_AUTO_TEST_CASE(chunked_bodies_are_decoded)
{
    start();
    const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    BOOST_TEST(
        has(exchange(head + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nServer-Timing: 1\r\n\r\n" + last), "POST /x abcdefg"));
}

BOOST_AUTO_TEST_CASE(a_malformed_chunk_is_refused_without_waiting_for_more_input)
{
    settings.body_timeout = 60s;
    start();
    const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string body :
         {"3;x=\"y\r\n", "0\r\n\n", "3\n", "0\n", "3\r\nabc\n", "0\r\nX: y\n", "3;x=\"y\"z", "0\r\n "})
        BOOST_TEST_CONTEXT(body) { BOOST_TEST(status_line(exchange(head + body)) == "HTTP/1.1 400 Bad Request"); }
    BOOST_TEST(handled == 0);
}

BOOST_AUTO_TEST_CASE(a_head_is_refused_without_a_body_however_it_is_refused)
{
    settings.header_timeout = 100ms;
    settings.body_timeout = 100ms;
    settings.body.body_bytes = 10;
    start();
    const std::pair<const char*, std::string> table[] = {
        {"no Host", "HEAD / HTTP/1.1\r\n\r\n"},
        {"bad Host", "HEAD / HTTP/1.1\r\nHost: a:b\r\n\r\n"},
        {"no version", "HEAD /\r\n\r\n"},
        {"version", "HEAD / HTTP/2.0\r\nHost: a\r\n\r\n"},
        {"bare LF", "HEAD / HTTP/1.1\nHost: a\n\n"},
        {"after an empty line", "\r\nHEAD / HTTP/1.1\r\n\r\n"},
        {"long target", "HEAD /" + std::string(5000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"endless target", "HEAD /" + std::string(50000, 'x')},
        {"long head", "HEAD / HTTP/1.1\r\nHost: a\r\nX: " + std::string(50000, 'x')},
        {"slow method", "HEAD"},
        {"slow head", "HEAD / HTTP/1.1\r\nHost: a\r\n"},
        {"slow body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"},
        {"long body", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"},
        {"two framings", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"bad chunk", "HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx"},
    };
    for (const auto& [name, request] : table)
        BOOST_TEST_CONTEXT(name)
        {
            const auto answer = exchange(request);
            BOOST_TEST(has(answer, "HTTP/1.1 "));
            BOOST_TEST(has(answer, "Content-Type: application/problem+json\r\n"));
            BOOST_TEST(answer.ends_with("\r\n\r\n"));
            BOOST_TEST(count_of(answer, "\r\n\r\n") == 1U);
        }
    BOOST_TEST(handled == 0);
}

BOOST_AUTO_TEST_CASE(refusals_of_a_head_have_a_date_and_the_cors_fields_of_its_origin)
{
    settings.header_timeout = 100ms;
    BOOST_TEST(settings.cors.add("https://shop.example").has_value());
    start();
    const std::string granted = "Access-Control-Allow-Origin: https://shop.example\r\n";
    const std::string of_shop = "Origin: https://shop.example\r\n";
    const std::string of_others = "Origin: https://evil.example\r\n";
    const std::string line = "GET / HTTP/1.1\r\n";
    const std::string endless = "X: " + std::string(50000, 'x');
    const std::tuple<std::string, const char*, bool> table[] = {
        {line + of_shop + "\r\n", "400", true}, // no Host
        {line + of_others + "\r\n", "400", false},
        {line + "\r\n", "400", false},
        {line + "Host: a:b\r\n" + of_shop + "\r\n", "400", true},
        {"FOO / HTTP/1.1\r\nHost: a\r\n" + of_shop + "\r\n", "501", true},
        {"GET / HTTP/2.0\r\nHost: a\r\n" + of_shop + "\r\n", "505", true},
        {line + of_shop + endless, "431", true},
        {line + of_others + endless, "431", false},
        {line + of_shop + of_others + endless, "431", false},
        {line + endless + of_others, "431",
         true}, // it may have one, and then it is the only one that is granted anything
        {"GET /" + std::string(50000, 'x'), "414", true},
        {"GET /" + std::string(5000, 'x') + " HTTP/1.1\r\nHost: a\r\n" + of_others + "\r\n", "414", false},
        {line + of_shop + "Host: a\r\n", "408", true},
        {line + of_others + "Host: a\r\n", "408", false},
        {"\x16\x03\x01", "400", true},
    };
    for (const auto& [request, status, grants] : table)
        BOOST_TEST_CONTEXT(request.substr(0, 90))
        {
            const auto answer = exchange(request);
            BOOST_TEST(answer.substr(9, 3) == status);
            BOOST_TEST(has(answer, granted) == grants);
            BOOST_TEST(has(answer, "Access-Control-") == grants);
            BOOST_TEST(has(answer, "Vary: Origin\r\n"));
            BOOST_TEST(has(answer, "\r\nDate: "));
        }
}

BOOST_AUTO_TEST_CASE(a_refused_head_keeps_its_request_id_and_version)
{
    start();
    const auto answer = exchange("GET a HTTP/1.0\r\nX-Request-ID: abc-1\r\n\r\n");
    BOOST_TEST(status_line(answer) == "HTTP/1.0 400 Bad Request");
    BOOST_TEST(has(answer, "\r\nX-Request-ID: abc-1\r\n"));
    for (const std::string id : {"caf\xc3\xa9", "two words"})
        BOOST_TEST(!has(exchange("GET a HTTP/1.1\r\nX-Request-ID: " + id + "\r\n\r\n"), id));
}

BOOST_AUTO_TEST_CASE(bytes_beyond_ascii_pass_and_are_in_no_answer)
{
    http_fields seen;
    handler = [&](http_request request) -> asio::awaitable<http_response>
    {
        seen = request.fields;
        BOOST_TEST(request.id.size() == 26U);
        co_return http_response{};
    };
    BOOST_TEST(settings.cors.add("*").has_value());
    start();
    const auto answer =
        exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: n=\xc3\xa9\r\nX-City: Z\xfcrich\r\n"
                 "X-Request-ID: \xc3\xa9\r\nOrigin: https://\xc3\xa9\r\n\r\n");
    BOOST_TEST(status_line(answer) == "HTTP/1.1 200 OK");
    BOOST_TEST(seen.get("Cookie").value_or("") == "n=\xc3\xa9");
    BOOST_TEST(seen.get("X-City").value_or("") == "Z\xfcrich");
    BOOST_TEST(std::all_of(answer.begin(), answer.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

BOOST_AUTO_TEST_CASE(a_target_in_absolute_form_reaches_the_handler_as_a_path)
{
    start();
    const std::string end = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    BOOST_TEST(exchange("GET http://b/x?y" + end).ends_with("GET /x?y "));
    BOOST_TEST(exchange("OPTIONS HTTPS://b:443" + end).ends_with("OPTIONS * "));
    BOOST_TEST(exchange("GET / HTTP/1.7\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

BOOST_AUTO_TEST_CASE(malformed_bodies_are_refused_and_the_connection_closed)
{
    start();
    const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::pair<const char*, std::string> table[] = {
        {"no size", "x\r\nabc\r\n0\r\n\r\n"},
        {"wrong size", "2\r\nabc\r\n0\r\n\r\n"},
        {"negative size", "-1\r\n\r\n0\r\n\r\n"},
        {"size over 64 bits", "fffffffffffffffff\r\nabc\r\n"},
        {"bad extension", "3;\r\nabc\r\n0\r\n\r\n"},
        {"control character in an extension", "3;x=\"\x01\"\r\nabc\r\n0\r\n\r\n"},
        {"endless extension", "3;" + std::string(2000, 'x') + "\r\nabc\r\n0\r\n\r\n"},
        {"extension over the buffer", "3;" + std::string(100000, 'x')},
        {"trailers over the buffer", "0\r\nX: " + std::string(100000, 'x')},
        {"framing in a trailer", "0\r\nContent-Length: 5\r\n\r\n"},
        {"encoding in a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"Host in a trailer", "0\r\nHost: b\r\n\r\n"},
        {"credentials in a trailer", "0\r\nAuthorization: Bearer x\r\n\r\n"},
    };
    for (const auto& [name, body] : table)
        BOOST_TEST_CONTEXT(name)
        {
            const auto answer = exchange(head + body + last);
            BOOST_TEST(status_line(answer) == "HTTP/1.1 400 Bad Request");
            BOOST_TEST(has(answer, "application/problem+json"));
            BOOST_TEST(has(answer, "Connection: close"));
            BOOST_TEST(count_of(answer, "HTTP/1.1") == 1U);
        }
    BOOST_TEST(handled == 0);
    BOOST_TEST(status_line(exchange(last)) == "HTTP/1.1 200 OK");
}

BOOST_AUTO_TEST_CASE(ambiguous_framing_is_refused_and_the_connection_closed)
{
    start();
    const auto answer = exchange(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + last);
    BOOST_TEST(status_line(answer) == "HTTP/1.1 400 Bad Request");
    BOOST_TEST(count_of(answer, "HTTP/1.1") == 1U);
    BOOST_TEST(handled == 0);
}

BOOST_AUTO_TEST_CASE(limits_are_answered_with_their_own_status)
{
    start();
    const std::string body(settings.body.body_bytes, 'x');
    const auto post = [](const std::string& content) {
        return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n" +
               content;
    };
    const auto chunked =
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n" + std::string(0x8000, 'x') + "\r\n";
    const std::pair<std::string, std::string> table[] = {
        {post(body + "x"), "HTTP/1.1 413 Payload Too Large"},
        {"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
         "HTTP/1.1 413 Payload Too Large"},
        {chunked + "8001\r\n" + std::string(0x8001, 'x') + "\r\n0\r\n\r\n", "HTTP/1.1 413 Payload Too Large"},
        {"GET /" + std::string(5000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 414 URI Too Long"},
        {"GET /" + std::string(50000, 'x'), "HTTP/1.1 414 URI Too Long"},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(50000, 'x'), "HTTP/1.1 431 Request Header Fields Too Large"},
    };
    for (const auto& [request, expected] : table)
        BOOST_TEST_CONTEXT(request.substr(0, 60))
        {
            const auto answer = exchange(request);
            BOOST_TEST(status_line(answer) == expected);
            BOOST_TEST(closed_in_order);
        }
    BOOST_TEST(handled == 0);
    BOOST_TEST(has(exchange(post(body) + last), body));
    BOOST_TEST(has(exchange(chunked + "8000\r\n" + std::string(0x8000, 'y') + "\r\n0\r\n\r\n" + last),
                   body.substr(0, 0x8000) + 'y'));
}

BOOST_AUTO_TEST_CASE(continue_is_sent_to_clients_that_expect_it)
{
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 co_await client.send(
                     "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
                 BOOST_TEST((co_await client.receive_one()) == "HTTP/1.1 100 Continue\r\n\r\n");
                 co_await client.send("abc");
                 BOOST_TEST((co_await client.receive_one()).ends_with("POST /x abc"));
             });
    const std::string impatient = "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc";
    BOOST_TEST(!has(exchange(impatient + last), "100 Continue"));
    const auto refused =
        exchange("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
    BOOST_TEST(status_line(refused) == "HTTP/1.1 413 Payload Too Large");
}

BOOST_AUTO_TEST_CASE(a_request_that_is_too_slow_is_answered_with_408)
{
    settings.header_timeout = 50ms;
    settings.body_timeout = 50ms;
    start();
    BOOST_TEST(status_line(exchange("GET / HT")) == "HTTP/1.1 408 Request Timeout");
    BOOST_TEST(status_line(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")) ==
               "HTTP/1.1 408 Request Timeout");
    BOOST_TEST(exchange("").empty());
    BOOST_TEST(handled == 0);
    BOOST_TEST(status_line(exchange(last)) == "HTTP/1.1 200 OK");
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_without_an_answer)
{
    settings.idle_timeout = 50ms;
    start();
    const auto answer = exchange("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(count_of(answer, "HTTP/1.1") == 1U);
    BOOST_TEST(answer.ends_with("GET /x "));
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_its_answer_is_disconnected)
{
    settings.write_timeout = 50ms;
    handler = [](http_request) -> asio::awaitable<http_response>
    {
        http_response answer;
        answer.body.assign(std::size_t(64) * 1024 * 1024, 'x');
        co_return answer;
    };
    start();
    run_coro(io,
             [&]() -> asio::awaitable<void>
             {
                 raw_client client(io, at);
                 co_await client.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
                 asio::steady_timer poll(io);
                 do // until the server has let go of it: run_coro bounds this
                 {
                     poll.expires_after(5ms);
                     co_await poll.async_wait(asio::use_awaitable);
                 } while (server->connections() > 0);
             });
    BOOST_TEST(server->connections() == 0U);
}

// The system takes a few megabytes at once, and reports room for more when a third of it has gone.
BOOST_AUTO_TEST_CASE(a_slow_reader_gets_the_whole_answer_within_the_answer_timeout)
{
    constexpr std::size_t size = std::size_t(16) * 1024 * 1024;
    settings.write_timeout = 250ms;
    handler = [](http_request) -> asio::awaitable<http_response>
    {
        http_response answer;
        answer.body.assign(size, 'x');
        co_return answer;
    };
    const auto read_in = [&](std::chrono::milliseconds time, std::size_t portions)
    {
        std::size_t total = 0;
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     raw_client client(io, at, 32 * 1024);
                     co_await client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                     asio::steady_timer pause(io);
                     for (std::size_t got = 1, sum = 0; got > 0; sum += got)
                     {
                         got = co_await client.read_some(size / portions - sum % (size / portions));
                         total += got;
                         if (sum / (size / portions) != (sum + got) / (size / portions))
                         {
                             pause.expires_after(time / portions);
                             co_await pause.async_wait(asio::use_awaitable);
                         }
                     }
                 });
        return total;
    };
    start();
    BOOST_TEST(read_in(800ms, 200) > size);
    const auto first = std::move(server); // it is not stopped: what it waits for ends when `io` runs again
    settings.answer_timeout = 300ms;
    start();
    BOOST_TEST(read_in(1600ms, 200) < size);
}

BOOST_AUTO_TEST_CASE(a_client_that_sends_much_before_it_reads_gets_its_refusal)
{
    settings.linger_timeout = 1s;
    start();
    const std::string body(std::size_t(20) * 1024 * 1024, 'x');
    const std::string post = "POST /x HTTP/1.1\r\nHost: a\r\n";
    const std::pair<std::string, const char*> table[] = {
        {post + "Content-Length: 20971520\r\n\r\n" + body, "413"},
        {post + "Transfer-Encoding: chunked\r\n\r\n1400000\r\n" + body, "413"},
        {post + "Transfer-Encoding: chunked\r\n\r\nx" + body, "400"},
        {"POST /x HTTP/1.1\r\n\r\n" + body, "400"},
        {post + "X: " + body, "431"},
        {"GET /" + body, "414"},
        {"FOO / HTTP/1.1\r\nHost: a\r\n\r\n" + body, "501"},
        {post + "Connection: close\r\n\r\n" + body, "200"},
    };
    for (const auto& [request, status] : table)
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     raw_client client(io, at);
                     BOOST_TEST(co_await client.send(request));
                     client.shutdown();
                     const auto answer = co_await client.receive_all();
                     BOOST_TEST(answer.substr(9, 3) == status);
                     BOOST_TEST(client.closed_in_order());
                 });
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_is_answered_with_502_and_nothing_else_fails)
{
    handler = [first = true](http_request) mutable -> asio::awaitable<http_response>
    {
        if (std::exchange(first, false))
            throw std::runtime_error("bug");
        co_return http_response{};
    };
    start();
    const auto answers = exchange("GET /x HTTP/1.1\r\nHost: a\r\n\r\n" + last);
    BOOST_TEST(status_line(answers) == "HTTP/1.1 502 Bad Gateway");
    BOOST_TEST(has(answers, "HTTP/1.1 200 OK"));
    BOOST_TEST(!has(answers, "bug"));
}

BOOST_AUTO_TEST_CASE(a_304_has_neither_body_nor_length)
{
    handler = [](http_request) -> asio::awaitable<http_response>
    {
        http_response answer;
        answer.status = 304;
        answer.fields.add("ETag", "\"7\"");
        co_return answer;
    };
    start();
    const auto answer = exchange(last);
    BOOST_TEST(status_line(answer) == "HTTP/1.1 304 Not Modified");
    BOOST_TEST(has(answer, "ETag: \"7\"\r\n"));
    BOOST_TEST(!has(answer, "Content-Length"));
}

BOOST_AUTO_TEST_SUITE_END()
