// Limits of a connection: numbers, sizes and times, with real processes.
#include "tests/end_to_end/kit.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/test/unit_test.hpp>

#include <poll.h>

using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

marquee_system::settings limited()
{
    marquee_system::settings with;
    with.start.insert(with.start.end(), {"edge-numbers", "edge-sizes", "edge-times"});
    with.extra["edge-numbers"] = {
        "--max-connections-per-address", "2", "--max-requests-per-connection", "3", "--threads", "2"};
    with.extra["edge-sizes"] = {"--max-header-bytes", "1000", "--max-header-fields", "10",
                                "--max-target-bytes", "200",  "--max-body-bytes",    "100"};
    with.extra["edge-times"] = {"--header-timeout", "1s", "--body-timeout",  "1s",
                                "--idle-timeout",   "1s", "--write-timeout", "1s"};
    return with;
}

using shared = shared_system<limited>;

const std::string healthz_request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string last = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

int port(const std::string& edge) { return shared::system->port(edge); }

std::vector<http_answer> exchange(const std::string& edge, const std::string& bytes)
{
    raw_connection link(port(edge));
    link.send(bytes);
    BOOST_TEST_REQUIRE(link.wait_for_end());
    return answers_in(link.received());
}

/// The statuses of all answers, one after the other.
std::string statuses(const std::string& edge, const std::string& bytes)
{
    std::string all;
    for (const auto& answer : exchange(edge, bytes))
        all += (all.empty() ? "" : " ") + std::to_string(answer.status);
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(limits, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(connections_are_limited_per_address)
{
    auto first = std::make_unique<raw_connection>(port("edge-numbers"), 2);
    raw_connection second(port("edge-numbers"), 2);
    for (auto* each : {first.get(), &second})
    {
        each->send(healthz_request);
        BOOST_TEST(each->wait_for("200 OK"));
    }
    raw_connection third(port("edge-numbers"), 2);
    BOOST_TEST(third.wait_for_end());
    const auto refused = answers_in(third.received());
    BOOST_TEST_REQUIRE(refused.size() == 1U);
    check_problem(refused[0], 503, "overloaded");
    BOOST_TEST(refused[0].text("detail") == "Too many connections from this address.");

    raw_connection elsewhere(port("edge-numbers"), 3);
    elsewhere.send(last);
    BOOST_TEST(elsewhere.wait_for("200 OK"));

    first.reset();
    const auto until = std::chrono::steady_clock::now() + 30s;
    for (bool let_in = false; !let_in;) // once the edge has noticed
    {
        BOOST_TEST_REQUIRE((std::chrono::steady_clock::now() < until));
        raw_connection again(port("edge-numbers"), 2);
        again.send(healthz_request);
        BOOST_TEST(again.wait_for("HTTP/1.1 "));
        let_in = again.received().starts_with("HTTP/1.1 200");
    }
}

BOOST_AUTO_TEST_CASE(requests_per_connection_are_limited)
{
    const auto answers = exchange("edge-numbers", healthz_request + healthz_request + healthz_request +
                                                      healthz_request + healthz_request);
    BOOST_TEST_REQUIRE(answers.size() == 3U);
    BOOST_TEST(answers[1].header("Connection") == "");
    BOOST_TEST(answers[2].status == 200);
    BOOST_TEST(answers[2].header("Connection") == "close");
}

BOOST_AUTO_TEST_CASE(each_size_limit_has_its_status_and_is_exact)
{
    const auto target = [](std::size_t size)
    { return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
    const auto head = [](std::size_t size)
    {
        const std::string fixed = "GET /x HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
        return "GET /x HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - fixed.size(), 'x') + "\r\n\r\n";
    };
    const auto fields = [](std::size_t count)
    {
        std::string more;
        for (std::size_t i = 1; i < count; ++i)
            more += "X: y\r\n";
        return "GET /x HTTP/1.1\r\nHost: a\r\n" + more + "\r\n";
    };
    const auto body = [](std::size_t size)
    {
        return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
               std::string(size, 'x');
    };
    const auto chunks = [](std::size_t size)
    {
        return "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n" + std::string(50, 'x') +
               "\r\n" + (size == 100 ? "32\r\n" : "33\r\n") + std::string(size - 50, 'x') + "\r\n0\r\n\r\n";
    };
    const std::tuple<std::string, std::string, const char*> table[] = {
        {target(200), target(201), "414"}, {head(1000), head(1001), "431"},   {fields(10), fields(11), "431"},
        {body(100), body(101), "413"},     {chunks(100), chunks(101), "413"},
    };
    for (const auto& [fits, over, status] : table)
        BOOST_TEST_CONTEXT(status)
        {
            BOOST_TEST(statuses("edge-sizes", fits + last) == "404 200");
            BOOST_TEST(statuses("edge-sizes", over + last) == status);
        }
}

BOOST_AUTO_TEST_CASE(a_slow_head_or_body_is_408_and_an_idle_connection_is_closed)
{
    raw_connection slow_head(port("edge-times"));
    slow_head.send("GET /healthz HTTP/1.1\r\nHo");
    raw_connection slow_body(port("edge-times"));
    slow_body.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    raw_connection slow_chunks(port("edge-times"));
    slow_chunks.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n");
    raw_connection silent(port("edge-times"));
    raw_connection idle(port("edge-times"));
    idle.send(healthz_request);
    for (auto* each : {&slow_head, &slow_body, &slow_chunks})
    {
        BOOST_TEST(each->wait_for_end());
        const auto answers = answers_in(each->received());
        BOOST_TEST_REQUIRE(answers.size() == 1U);
        check_problem(answers[0], 408, "request_timeout");
    }
    BOOST_TEST(silent.wait_for_end());
    BOOST_TEST(silent.received() == "");
    BOOST_TEST(idle.wait_for_end());
    BOOST_TEST(answers_in(idle.received()).size() == 1U);
    BOOST_TEST(statuses("edge-times", last) == "200");
}

BOOST_AUTO_TEST_CASE(a_head_sent_byte_by_byte_has_the_same_timeout)
{
    raw_connection drip(port("edge-times"));
    std::string head = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    std::size_t sent = 0;
    for (bool open = true; open && drip.received().empty() && sent < 600;
         ++sent) // a byte at intervals, until the edge closes
    {
        open = drip.send(sent < head.size() ? head.substr(sent, 1) : "X");
        (void)drip.wait_for("HTTP/1.1 408", 50ms);
    }
    BOOST_TEST(sent < 600U);
    BOOST_TEST(drip.received().starts_with("HTTP/1.1 408"));
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_is_disconnected)
{
    const std::string summary(16000, 's');
    const http_call put{"POST", "/content/asset/long", {}, R"({"title":"T","genre":"g","summary":")" + summary + "\"}"};
    BOOST_TEST(shared::system->call_as_admin(put).status == 200);
    BOOST_TEST(shared::system->call_until(200, {"GET", "/content/asset/long"}, 20s, "edge-times").status == 200);
    std::string many;
    for (int i = 0; i < 900; ++i) // 14 MB of answers, far more than sockets hold
        many += "GET /content/asset/long HTTP/1.1\r\nHost: a\r\n\r\n";
    std::vector<raw_connection> clients;
    for (int i = 0; i < 3; ++i)
    {
        clients.emplace_back(port("edge-times"));
        clients.back().send(many);
        BOOST_TEST(clients.back().wait_for("HTTP/1.1 200 OK")); // and no more
    }
    for (auto& each : clients)
    {
        pollfd gone{each.descriptor(), 0, 0}; // the edge has closed while requests are unread
        BOOST_TEST(::poll(&gone, 1, 60'000) == 1);
        BOOST_TEST((gone.revents & (POLLHUP | POLLERR)) != 0);
        BOOST_TEST(each.wait_for_end());
        BOOST_TEST(each.received().size() < many.size() * 200);
    }
    BOOST_TEST(statuses("edge-times", last) == "200");
}

BOOST_AUTO_TEST_SUITE_END()
