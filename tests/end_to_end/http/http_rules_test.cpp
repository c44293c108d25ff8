// What HTTP itself asks of the edge, through the real processes.
#include "tests/end_to_end/kit.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/unbundle.hpp"
#include "tests/support/wiretap.hpp"

#include <boost/test/unit_test.hpp>

#include <ctime>
#include <set>

using namespace marquee::test;

namespace
{

marquee_system::settings with_origins()
{
    marquee_system::settings with;
    with.start.insert(with.start.end(), {"edge-shop", "edge-any"});
    with.extra["edge-shop"] = {"--cors-origin", "https://shop.example,http://localhost:3000", "--cors-origin",
                               "https://b.example"};
    with.extra["edge-any"] = {"--cors-origin", "*"};
    return with;
}

using shared = shared_system<with_origins>;

http_answer send(const http_call& call, const std::string& edge = "edge") { return shared::system->call(call, edge); }

/// Everything that comes back until the edge closes.
std::vector<http_answer> exchange(const std::string& bytes, const std::vector<std::size_t>& bodiless = {})
{
    raw_connection link(shared::system->port());
    link.send(bytes);
    BOOST_TEST_REQUIRE(link.wait_for_end());
    return answers_in(link.received(), bodiless);
}

const std::vector<std::string> paths = {
    "/play/asset/123/user/1",
    "/content/asset/123",
    "/content/assets",
    "/url/asset/123",
    "/url/assets",
    "/events/asset/123",
    "/events/user/1",
    "/events/top",
    "/events/series",
    "/events/asset/123/series",
    "/events/user/1/history",
    "/events/assets",
    "/events/asset/123/user/1",
    "/healthz",
    "/readyz",
    "/metrics",
    "/metrics/fleet",
    "/services",
    "/openapi.json",
};

/// The ids that the requests on `pattern` carried, of messages number `from` and later; a play's
/// lookup may be a line of a request to `gets` instead. At least one has been waited for.
std::set<std::string> ids_sent_on(const wiretap& tap, const std::string& pattern, std::size_t from)
{
    const auto start = pattern.substr(0, pattern.find('*'));
    const auto lines = start.ends_with(".get.") ? start.substr(0, start.size() - 1) + 's' : start;
    const auto is_one = [&](const marquee::message& msg)
    { return (msg.subject.starts_with(start) || msg.subject == lines) && !msg.reply.empty(); };
    BOOST_TEST(
        tap.wait_for([&](const marquee::message& msg) { return is_one(msg) || msg.subject.ends_with(".many"); }, from)
            .has_value(),
        "nothing on " << pattern);
    std::set<std::string> ids;
    for (const auto& msg : unbundled(tap.seen(from)))
        if (is_one(msg))
            ids.emplace(msg.headers.get("Marquee-Request-Id"));
    return ids;
}

const std::string last = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

} // namespace

BOOST_AUTO_TEST_SUITE(http_rules, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(options_names_the_methods_of_every_path_and_they_are_those_that_405_names)
{
    for (const auto& path : paths)
        BOOST_TEST_CONTEXT(path)
        {
            const auto answer = send({"OPTIONS", path});
            BOOST_TEST(answer.status == 204);
            BOOST_TEST(answer.body == "");
            BOOST_TEST(answer.header("Content-Length") == "");
            BOOST_TEST(answer.header("Allow") == send({"PATCH", path}).header("Allow"));
            BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "");
        }
    BOOST_TEST(send({"OPTIONS", "*"}).header("Allow") == "GET, HEAD, POST, DELETE, OPTIONS");
    check_problem(send({"OPTIONS", "/nowhere"}), 404, "route_not_found");
}

BOOST_AUTO_TEST_CASE(head_answers_as_get_does_without_the_body)
{
    BOOST_TEST(send({"POST", "/play/asset/123/user/1"}).status == 200);
    int checked = 0;
    for (const auto& path : paths)
        for (const auto& headers : {http_headers{}, http_headers{shared::system->authorization()}})
            BOOST_TEST_CONTEXT(path)
            {
                const auto get = send({"GET", path, headers});
                const auto head = send({"HEAD", path, headers});
                checked += get.status == 200 ? 1 : 0;
                BOOST_TEST(head.status == get.status);
                BOOST_TEST(head.body == "");
                for (const auto* name : {"Content-Type", "ETag", "Cache-Control", "Allow", "WWW-Authenticate"})
                    BOOST_TEST(head.header(name) == get.header(name));
                const bool varies =
                    path.starts_with("/metrics") || path == "/services" || path == "/readyz"; // from moment to moment
                if (get.status == 200 && !varies) // the problem's own id is in the others
                    BOOST_TEST(head.header("Content-Length") == std::to_string(get.body.size()));
            }
    BOOST_TEST(checked == 32);
    const auto etag = send({"GET", "/content/asset/123"}).header("ETag");
    BOOST_TEST(send({"HEAD", "/content/asset/123", {{"If-None-Match", etag}}}).status == 304);
}

BOOST_AUTO_TEST_CASE(pages_of_named_origins_may_use_the_edge_and_others_may_not)
{
    for (const auto* origin : {"https://shop.example", "http://localhost:3000", "https://b.example"})
        BOOST_TEST_CONTEXT(origin)
        {
            const auto asked = send({"OPTIONS",
                                     "/content/asset/123",
                                     {{"Origin", origin},
                                      {"Access-Control-Request-Method", "POST"},
                                      {"Access-Control-Request-Headers", "authorization,content-type"}}},
                                    "edge-shop");
            BOOST_TEST(asked.status == 204);
            BOOST_TEST(asked.header("Access-Control-Allow-Origin") == origin);
            BOOST_TEST(asked.header("Access-Control-Allow-Credentials") == "true");
            BOOST_TEST(asked.header("Access-Control-Allow-Methods") == "GET, HEAD, POST, DELETE, OPTIONS");
            BOOST_TEST(asked.header("Access-Control-Allow-Headers").find("Authorization") != std::string::npos);
            for (const auto& [call, status] :
                 {std::pair(http_call{"POST", "/play/asset/123/user/1"}, 200),
                  std::pair(http_call{"POST", "/play/asset/none/user/1"}, 404),
                  std::pair(http_call{"POST", "/play/asset/%zz/user/1"}, 400),
                  std::pair(http_call{"DELETE", "/content/asset/123"}, 401),
                  std::pair(http_call{"POST", "/url/asset/1", {}, std::string(70000, 'x')}, 413)})
            {
                auto of_page = call;
                of_page.headers.emplace_back("Origin", origin);
                const auto answer = send(of_page, "edge-shop");
                BOOST_TEST(answer.status == status);
                BOOST_TEST(answer.header("Access-Control-Allow-Origin") == origin);
                BOOST_TEST(answer.header("Vary") == "Origin");
                BOOST_TEST(answer.header("Access-Control-Expose-Headers").find("Retry-After") != std::string::npos);
            }
        }
    for (const auto* origin : {"https://evil.example", "https://shop.example:444", "http://shop.example", "null"})
        for (const auto& call :
             {http_call{"OPTIONS", "/play/asset/1/user/1", {{"Access-Control-Request-Method", "POST"}}},
              http_call{"GET", "/events/top"}})
        {
            auto of_page = call;
            of_page.headers.emplace_back("Origin", origin);
            for (const auto& [name, value] : send(of_page, "edge-shop").headers)
                BOOST_TEST(!name.starts_with("Access-Control-"), origin << " got " << name);
        }
    BOOST_TEST(send({"GET", "/events/top"}, "edge-shop").header("Vary") == "Origin");
    BOOST_TEST(send({"GET", "/events/assets"}, "edge-shop").header("Vary") == "Accept, Origin");
}

BOOST_AUTO_TEST_CASE(any_page_may_use_an_edge_that_allows_all_but_without_credentials)
{
    const auto answer = send({"GET", "/events/top", {{"Origin", "https://anywhere.example"}}}, "edge-any");
    BOOST_TEST(answer.header("Access-Control-Allow-Origin") == "*");
    BOOST_TEST(answer.header("Access-Control-Allow-Credentials") == "");
    BOOST_TEST(answer.header("Vary") == "");
}

BOOST_AUTO_TEST_CASE(refusals_of_a_head_are_readable_to_the_pages_that_may_use_the_edge)
{
    const std::string field = "Origin: https://shop.example\r\n";
    const std::pair<std::string, int> table[] = {
        {"GET / HTTP/1.1\r\n" + field + "\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n" + field + "\r\n", 505},
        {"FOO / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n", 501},
        {"GET / HTTP/1.1\r\nHost: a\r\n" + field + "X: " + std::string(17000, 'x'), 431},
        {"GET /" + std::string(5000, 'x') + " HTTP/1.1\r\nHost: a\r\n" + field + "\r\n", 414},
    };
    for (const auto& [request, status] : table)
        for (const std::string method : {"", "HEAD"})
        {
            raw_connection link(shared::system->port("edge-shop"));
            link.send(method.empty() || status == 501 ? request : method + request.substr(3));
            BOOST_TEST_REQUIRE(link.wait_for_end());
            const auto answers = answers_in(link.received(), {status == 501 || method.empty() ? 1U : 0U});
            BOOST_TEST_REQUIRE(answers.size() == 1U);
            BOOST_TEST(answers[0].status == status);
            BOOST_TEST(answers[0].header("Access-Control-Allow-Origin") == "https://shop.example");
            BOOST_TEST(answers[0].header("Vary") == "Origin");
            BOOST_TEST(!answers[0].header("Date").empty());
        }
}

BOOST_AUTO_TEST_CASE(without_the_option_no_page_may_use_the_edge)
{
    const auto answer = send({"GET", "/events/top", {{"Origin", "https://shop.example"}}});
    BOOST_TEST(answer.status == 200);
    for (const auto& [name, value] : answer.headers)
        BOOST_TEST((!name.starts_with("Access-Control-") && name != "Vary"), name);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order_and_close_is_honoured)
{
    std::string requests;
    for (int i = 0; i < 30; ++i)
        requests += (i % 3 == 0   ? "POST /play/asset/123/user/p"
                     : i % 3 == 1 ? "GET /content/asset/unknown"
                                  : "GET /nowhere/") +
                    std::to_string(i) + " HTTP/1.1\r\nHost: a\r\nX-Request-ID: number-" + std::to_string(i) +
                    "\r\n\r\n";
    const auto answers = exchange(requests + last + "GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST_REQUIRE(answers.size() == 31U);
    for (std::size_t i = 0; i < 30; ++i)
    {
        BOOST_TEST(answers[i].status == (i % 3 == 0 ? 200 : 404));
        BOOST_TEST(answers[i].header("X-Request-ID") == "number-" + std::to_string(i));
        BOOST_TEST(answers[i].header("Connection") == "");
    }
    BOOST_TEST(answers[30].header("Connection") == "close");
}

BOOST_AUTO_TEST_CASE(bodies_may_be_chunked_and_may_expect_100_continue)
{
    const std::string admin = "Host: a\r\nAuthorization: " + shared::system->authorization().second + "\r\n";
    const std::string chunked =
        "POST /content/asset/chunks HTTP/1.1\r\n" + admin +
        "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"title\":\"Alien\"\r\n26;x=\"y\"\r\n"
        ",\"genre\":\"horror\",\"summary\":\"In space\"\r\n1\r\n}\r\n0\r\nServer-Timing: x\r\n\r\n";
    const auto answers = exchange(chunked + last);
    BOOST_TEST_REQUIRE(answers.size() == 2U);
    BOOST_TEST(answers[0].status == 200, answers[0].body);
    BOOST_TEST(send({"GET", "/content/asset/chunks"}).text("title") == "Alien");

    raw_connection patient(shared::system->port());
    patient.send("POST /content/asset/chunks HTTP/1.1\r\n" + admin +
                 "Expect: 100-continue\r\nContent-Length: " + std::to_string(metadata_body.size()) + "\r\n\r\n");
    BOOST_TEST(patient.wait_for("HTTP/1.1 100 Continue\r\n\r\n"));
    patient.send(metadata_body + last);
    BOOST_TEST(patient.wait_for_end());
    const auto after = answers_in(patient.received());
    BOOST_TEST_REQUIRE(after.size() == 3U);
    BOOST_TEST(after[1].status == 200);

    const auto refused = exchange("POST /content/asset/chunks HTTP/1.1\r\n" + admin +
                                  "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
    BOOST_TEST_REQUIRE(refused.size() == 1U);
    BOOST_TEST(refused[0].status == 413);
}

BOOST_AUTO_TEST_CASE(http_1_0_is_answered_and_kept_only_where_it_asks_for_it)
{
    const auto one = exchange("GET /content/asset/123 HTTP/1.0\r\n\r\n" + last);
    BOOST_TEST_REQUIRE(one.size() == 1U);
    BOOST_TEST(one[0].status == 200);
    const auto kept =
        exchange("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\nHEAD /healthz HTTP/1.0\r\n\r\n", {1});
    BOOST_TEST_REQUIRE(kept.size() == 2U);
    BOOST_TEST(kept[0].header("Connection") == "keep-alive");
    BOOST_TEST(exchange("POST /play/asset/123/user/1 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
                   .size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_well_formed_request_id_is_echoed_and_passed_to_the_services_and_any_other_is_replaced)
{
    const wiretap tap(shared::system->broker().url());
    const std::string malformed[] = {"two words", "quoted\"", "{}", std::string(129, 'x')};
    int number = 0;
    for (auto route : service_routes(*shared::system))
        BOOST_TEST_CONTEXT(route.name)
        {
            const std::string own = "Trace_" + std::to_string(++number) + ".a:b+c/d=e~f-" + std::string(90, 'x');
            for (const auto& given : {own, malformed[number % std::size(malformed)]})
            {
                const auto from = tap.count();
                auto call = route.call;
                call.headers.emplace_back("X-Request-ID", given);
                const auto id = send(call).header("X-Request-ID");
                BOOST_TEST((given == own ? id == own : id.size() == 26U), id);
                const std::set<std::string> expected{id};
                BOOST_TEST(ids_sent_on(tap, route.subject, from) == expected, boost::test_tools::per_element());
            }
        }
    const http_headers two{{"X-Request-ID", "one"}, {"X-Request-ID", "two"}};
    BOOST_TEST(send({"GET", "/healthz", two}).header("X-Request-ID").size() == 26U);
}

BOOST_AUTO_TEST_CASE(every_answer_has_a_date_of_now_and_its_id)
{
    for (const auto& bytes :
         {last, std::string("GET / HTTP/9\r\n\r\n"), "POST /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" + last})
        for (const auto& answer : exchange(bytes))
        {
            std::tm parts{};
            const auto date = answer.header("Date");
            const auto* end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
            BOOST_TEST((end != nullptr && *end == '\0'), date);
            BOOST_TEST(std::abs(std::difftime(std::time(nullptr), ::timegm(&parts))) < 120);
            BOOST_TEST(answer.header("X-Request-ID").size() == 26U);
        }
}

BOOST_AUTO_TEST_SUITE_END()
