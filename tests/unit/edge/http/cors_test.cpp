#include "edge/http/cors.hpp"
#include "tests/unit/edge/client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;

namespace
{

cors_policy allowing(const std::vector<std::string>& origins)
{
    cors_policy policy;
    for (const auto& each : origins)
        BOOST_TEST(policy.add(each).has_value(), each);
    return policy;
}

http_fields granted(const cors_policy& policy, const std::optional<std::string>& origin)
{
    http_fields fields;
    policy.grant(origin, fields);
    return fields;
}

} // namespace

BOOST_AUTO_TEST_SUITE(cors)

BOOST_AUTO_TEST_CASE(an_origin_is_named_as_browsers_send_it)
{
    for (const auto* good :
         {"*", "https://shop.example", "http://localhost:3000", "http://[::1]:8080", "https://a-b.example:8443",
          "capacitor://localhost", "ionic://localhost", "tauri://localhost", "chrome-extension://abcdefghijklmnop",
          "moz-extension://0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "app://Obsidian.md", "web+a.b-c://x:1"})
        allowing({good});
    for (const auto* bad : {"",
                            "null",
                            "shop.example",
                            "https://",
                            "https://shop.example/",
                            "https://shop.example/a",
                            "capacitor://localhost/",
                            "file://",
                            "file:///",
                            "https://Shop.example",
                            "https://*.example",
                            "https://a,b",
                            "https://u@a",
                            "HTTPS://a",
                            "https://:80",
                            "https://a:",
                            "https://a:443",
                            "http://a:80",
                            "https://a:0",
                            "https://a:65536",
                            "https://a:01",
                            "https://[::1",
                            "https://::1",
                            "https://[]",
                            "1a://b",
                            "://b",
                            "a b://c",
                            "https://a?",
                            "https://a#",
                            "https://a b",
                            "https:/a",
                            "https//a",
                            "data:text",
                            "Capacitor://localhost"})
        BOOST_TEST_CONTEXT(bad) { BOOST_TEST((cors_policy().add(bad).error() == errc::bad_request)); }
}

BOOST_AUTO_TEST_CASE(nothing_is_granted_by_default)
{
    BOOST_TEST(granted(cors_policy(), "https://shop.example").size() == 0U);
    http_fields preflight;
    cors_policy().grant_preflight({}, "GET", preflight);
    BOOST_TEST(preflight.size() == 0U);
}

BOOST_AUTO_TEST_CASE(where_no_origin_was_read_the_only_one_is_granted)
{
    const auto unread = [](const cors_policy& policy)
    {
        http_fields fields;
        policy.grant_unread(fields);
        return fields;
    };
    BOOST_TEST(unread(cors_policy()).size() == 0U);
    BOOST_TEST(unread(allowing({"*"})).get("Access-Control-Allow-Origin").value_or("") == "*");
    const auto one = unread(allowing({"https://shop.example"}));
    BOOST_TEST(one.get("Access-Control-Allow-Origin").value_or("") == "https://shop.example");
    BOOST_TEST(one.get("Vary").value_or("") == "Origin");
    const auto two = unread(allowing({"https://shop.example", "https://b.example"}));
    BOOST_TEST(two.count("Access-Control-Allow-Origin") == 0U);
    BOOST_TEST(two.get("Vary").value_or("") == "Origin");
}

BOOST_AUTO_TEST_CASE(an_origin_with_bytes_beyond_ascii_is_none)
{
    http_request asked;
    asked.method = "OPTIONS";
    asked.fields.add("Access-Control-Request-Method", "POST");
    asked.fields.add("Origin", "https://caf\xc3\xa9.example");
    BOOST_TEST(!origin_of(asked.fields).has_value());
    BOOST_TEST(!is_preflight(asked));
    asked.fields.set("Origin", "https://cafe.example");
    BOOST_TEST(is_preflight(asked));
}

BOOST_AUTO_TEST_CASE(a_named_origin_is_granted_by_name_and_caches_are_told)
{
    const auto policy = allowing({"https://shop.example", "http://localhost:3000"});
    for (const auto* origin : {"https://shop.example", "http://localhost:3000"})
    {
        const auto fields = granted(policy, origin);
        BOOST_TEST(fields.get("Access-Control-Allow-Origin").value_or("") == origin);
        BOOST_TEST(fields.get("Access-Control-Allow-Credentials").value_or("") == "true");
        BOOST_TEST(fields.get("Vary").value_or("") == "Origin");
        BOOST_TEST(fields.get("Access-Control-Expose-Headers").value_or("").find("ETag") != std::string_view::npos);
    }
    for (const auto* origin : {"https://shop.example.evil", "http://shop.example", "https://shop.example:8443", "null",
                               "", "https://SHOP.example", "https://evil-shop.example"})
        BOOST_TEST_CONTEXT(origin)
        {
            const auto fields = granted(policy, origin);
            BOOST_TEST(fields.size() == 1U);
            BOOST_TEST(fields.get("Vary").value_or("") == "Origin");
        }
    BOOST_TEST(granted(policy, std::nullopt).get("Vary").value_or("") == "Origin");
}

BOOST_AUTO_TEST_CASE(any_origin_is_granted_without_credentials)
{
    for (const auto& policy : {allowing({"*"}), allowing({"https://shop.example", "*"})})
        for (const auto& origin : {std::optional<std::string>("https://a.example"), std::optional<std::string>()})
        {
            const auto fields = granted(policy, origin);
            BOOST_TEST(fields.get("Access-Control-Allow-Origin").value_or("") == "*");
            BOOST_TEST(!fields.get("Access-Control-Allow-Credentials"));
            BOOST_TEST(!fields.get("Vary"));
        }
}

BOOST_AUTO_TEST_CASE(a_preflight_of_a_named_origin_is_granted_methods_and_fields)
{
    const auto policy = allowing({"https://shop.example"});
    const auto ask = [&](const std::vector<std::string>& origins)
    {
        http_fields request;
        for (const auto& each : origins)
            request.add("Origin", each);
        http_fields answer;
        policy.grant_preflight(request, "GET, HEAD, OPTIONS", answer);
        BOOST_TEST(answer.get("Vary").value_or("") == "Access-Control-Request-Method, Access-Control-Request-Headers");
        return answer;
    };
    const auto yes = ask({"https://shop.example"});
    BOOST_TEST(yes.get("Access-Control-Allow-Methods").value_or("") == "GET, HEAD, OPTIONS");
    for (const auto* field :
         {"Authorization", "Cache-Control", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match",
          "X-Request-ID", "X-Requested-With", "baggage", "traceparent", "tracestate"})
    {
        const auto allowed = list_elements(yes.get("Access-Control-Allow-Headers").value_or(""));
        BOOST_TEST((std::find(allowed.begin(), allowed.end(), field) != allowed.end()), field);
    }
    BOOST_TEST(yes.get("Access-Control-Max-Age").value_or("") == "7200");
    for (const auto& no :
         {std::vector<std::string>{"https://evil.example"}, {}, {"https://shop.example", "https://shop.example"}})
        BOOST_TEST(ask(no).size() == 1U);
}

BOOST_AUTO_TEST_CASE(more_fields_may_be_allowed_by_name)
{
    auto policy = allowing({"https://shop.example"});
    BOOST_TEST(policy.add_header("X-Shop").has_value());
    BOOST_TEST(policy.add_header("X-Other").has_value());
    http_fields request;
    request.add("Origin", "https://shop.example");
    http_fields answer;
    policy.grant_preflight(request, "GET", answer);
    BOOST_TEST(answer.get("Access-Control-Allow-Headers").value_or("").ends_with(", tracestate, X-Shop, X-Other"));
    for (const auto* bad : {"", "*", "a b", "a:b", "a,b", "\xc3\xa9", "a\"b"})
        BOOST_TEST_CONTEXT(bad) { BOOST_TEST((policy.add_header(bad).error() == errc::bad_request)); }
}

BOOST_FIXTURE_TEST_CASE(refusals_of_the_session_can_be_read_by_the_page, server_kit)
{
    settings.cors = allowing({"https://shop.example"});
    start();
    const auto too_large =
        exchange("POST /x HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.example\r\nContent-Length: 9999999\r\n\r\n");
    BOOST_TEST(status_line(too_large) == "HTTP/1.1 413 Payload Too Large");
    BOOST_TEST(has(too_large, "\r\nAccess-Control-Allow-Origin: https://shop.example\r\n"));
    const auto fine =
        exchange("GET /x HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n");
    BOOST_TEST(status_line(fine) == "HTTP/1.1 200 OK");
    BOOST_TEST(!has(fine, "Access-Control"));
    BOOST_TEST(has(fine, "\r\nVary: Origin\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()
