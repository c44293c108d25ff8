#include "edge/routes/routes.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string example_of(const route& each)
{
    std::string path(each.pattern);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
        path.replace(at, path.find('}') - at + 1, "1");
    return path;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(gateway, gateway_kit)

BOOST_AUTO_TEST_CASE(admin_routes_need_the_token)
{
    int checked = 0;
    for (const auto& each : all_routes())
        if (each.is.admin)
            BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
            {
                ++checked;
                const std::string method(each.method);
                const auto missing = send(method, example_of(each));
                check_problem(missing, 401, "unauthorized");
                BOOST_TEST(missing.fields.get("WWW-Authenticate").has_value());
                check_problem(send(method, example_of(each), {{"Authorization", "Bearer wrong"}}), 401, "unauthorized");
                BOOST_TEST(nats.seen.empty());

                gateway_kit without;
                without.edge.access.admin = admin_token();
                check_problem(without.as_admin(method, example_of(each)), 403, "forbidden");
            }
    BOOST_TEST(checked == 7);
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(an_absent_service_is_503_at_once_on_every_route_that_needs_one)
{
    edge.admitted.timeout = std::chrono::milliseconds(200); // a view is retried until the deadline
    for (const auto& each : all_routes())
        if (!each.is.internal && !each.is.stream) // a stream waits for the service
            BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
            {
                const std::string body = each.is.body ? R"({"title":"T","genre":"g","summary":"s","url":"u"})" : "";
                const auto answer = as_admin(std::string(each.method), example_of(each), {}, body);
                check_problem(answer, 503, "no_responders");
            }
}

BOOST_AUTO_TEST_CASE(an_unknown_route_is_404_and_a_wrong_method_405)
{
    check_problem(send("GET", "/nowhere"), 404, "route_not_found");
    const auto answer = send("PUT", "/content/asset/1");
    check_problem(answer, 405, "method_not_allowed");
    BOOST_TEST(answer.fields.get("Allow").value() == "GET, HEAD, POST, DELETE, OPTIONS");
    check_problem(send("GET", "/content/asset/%zz"), 400, "bad_request");
    check_problem(send("GET", "*"), 400, "bad_request");
}

BOOST_AUTO_TEST_CASE(options_lists_the_methods_of_every_path_without_credentials)
{
    for (const auto& each : all_routes())
        BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
        {
            const auto answer = send("OPTIONS", example_of(each));
            BOOST_TEST(answer.status == 204);
            BOOST_TEST(answer.body.empty());
            const auto allow = std::string(answer.fields.get("Allow").value());
            BOOST_TEST(allow.find(std::string(each.method) + ", ") != std::string::npos);
            BOOST_TEST(allow.ends_with(", OPTIONS"));
        }
    BOOST_TEST(send("OPTIONS", "*").fields.get("Allow").value() == "GET, HEAD, POST, DELETE, OPTIONS");
    BOOST_TEST(send("OPTIONS", "/").status == 204); // the plain check of a load balancer
    BOOST_TEST(send("OPTIONS", "/").fields.get("Allow").value() == "GET, HEAD, OPTIONS");
    check_problem(send("OPTIONS", "/nowhere"), 404, "route_not_found");
    check_problem(send("OPTIONS", "/%zz"), 400, "bad_request");
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_preflight_lists_what_may_be_sent_and_is_not_rate_limited)
{
    BOOST_TEST(edge.cors.add("https://shop.example").has_value());
    rate_settings settings;
    settings.address = rate::parse("0.001:1").value();
    rate_limits limits(settings);
    edge.admitted.rates = &limits;
    for (int i = 0; i < 3; ++i)
    {
        const auto answer = send("OPTIONS", "/url/asset/1",
                                 {{"Origin", "https://shop.example"},
                                  {"Access-Control-Request-Method", "DELETE"},
                                  {"Access-Control-Request-Headers", "authorization"}});
        BOOST_TEST(answer.status == 204);
        BOOST_TEST(answer.fields.get("Access-Control-Allow-Methods").value_or("") ==
                   "GET, HEAD, POST, DELETE, OPTIONS");
    }
    BOOST_TEST(send("OPTIONS", "/url/asset/1").status == 204);
    check_problem(send("OPTIONS", "/url/asset/1"), 429,
                  "rate_limited"); // an OPTIONS that is no preflight is rate-limited
}

BOOST_AUTO_TEST_CASE(requests_beyond_max_in_flight_are_refused_before_anything_is_sent)
{
    edge.admitted.max_in_flight = 1;
    edge.admitted.in_flight = 1;
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "overloaded");
    BOOST_TEST(nats.seen.empty());
    BOOST_TEST(send("GET", "/healthz").status == 200); // needs no broker
    edge.admitted.in_flight = 0;
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    BOOST_TEST(send("GET", "/events/user/1").status == 200);
    BOOST_TEST(edge.admitted.in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(a_finished_request_admits_a_waiting_session)
{
    edge.admitted.max_in_flight = 1;
    edge.admitted.in_flight = 1;
    BOOST_TEST(send("POST", "/play/asset/1/user/2").overloaded);
    edge.admitted.in_flight = 0;
    asio::io_context of_those(1);
    int let_in = 0;
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(of_those, edge.admitted.queue.wait(), [&let_in](const std::exception_ptr&) { ++let_in; });
    of_those.poll();
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    const auto answer = send("GET", "/events/user/1");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(!answer.overloaded);
    of_those.poll();
    BOOST_TEST(let_in == 1);
    edge.admitted.queue.close();
    of_those.poll();
    BOOST_TEST(let_in == 2);
}

BOOST_AUTO_TEST_CASE(a_finished_request_admits_no_session_while_many_are_in_flight)
{
    edge.admitted.max_in_flight = 8;
    asio::io_context of_those(1);
    int let_in = 0;
    asio::co_spawn(of_those, edge.admitted.queue.wait(), [&let_in](const std::exception_ptr&) { ++let_in; });
    of_those.poll();
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    edge.admitted.in_flight = 3;
    BOOST_TEST(send("GET", "/events/user/1").status == 200);
    of_those.poll();
    BOOST_TEST(let_in == 0);
    nats.script_json("reporting.user.1", R"({"id":"1","views":3})");
    edge.admitted.in_flight = 2;
    BOOST_TEST(send("GET", "/events/user/1").status == 200);
    of_those.poll();
    BOOST_TEST(let_in == 1);
}

BOOST_AUTO_TEST_CASE(overload_is_refused_before_credentials_are_checked)
{
    edge.admitted.max_in_flight = 1;
    edge.admitted.in_flight = 1;
    check_problem(send("DELETE", "/content/asset/1"), 503, "overloaded");
    edge.admitted.in_flight = 0;
    check_problem(send("DELETE", "/content/asset/1"), 401, "unauthorized");
}

BOOST_AUTO_TEST_CASE(the_broker_is_read_between_refusals)
{
    int read = 0;
    edge.admitted.read_broker = [&read] { ++read; };
    edge.admitted.max_in_flight = 1;
    edge.admitted.in_flight = 1;
    for (int i = 0; i < 64; ++i)
        BOOST_TEST(send("POST", "/play/asset/1/user/2").status == 503);
    BOOST_TEST(read == 4);
    edge.admitted.in_flight = 0;
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    BOOST_TEST(send("GET", "/events/user/1").status == 200);
    BOOST_TEST(read == 4);
}

BOOST_AUTO_TEST_CASE(too_many_requests_of_one_address_are_429_with_retry_after)
{
    rate_settings settings;
    settings.address = rate::parse("0.01:2").value();
    rate_limits limits(settings);
    edge.admitted.rates = &limits;
    for (const auto* left : {"1", "0"})
    {
        const auto allowed = send("GET", "/nowhere"); // counts, although it has no route
        check_problem(allowed, 404, "route_not_found");
        BOOST_TEST(allowed.fields.get("RateLimit-Policy").value_or("") == R"("address";q=2;w=200)");
        BOOST_TEST(
            allowed.fields.get("RateLimit").value_or("").starts_with(std::string(R"("address";r=)") + left + ";t="));
    }
    const auto refused = send("POST", "/play/asset/1/user/2");
    check_problem(refused, 429, "rate_limited");
    BOOST_TEST(refused.fields.get("Retry-After").value() == "100");
    BOOST_TEST(refused.fields.count("Retry-After") == 1U);
    BOOST_TEST(refused.fields.get("RateLimit").value_or("") == R"("address";r=0;t=100)");
    BOOST_TEST(nats.seen.empty());
    for (const auto* exempt : {"/healthz", "/readyz", "/metrics", "/metrics/fleet", "/healthz?x"})
    {
        const auto answer = send("GET", exempt);
        BOOST_TEST(answer.status != 429);
        BOOST_TEST(!answer.fields.get("RateLimit"));
    }
}

BOOST_AUTO_TEST_CASE(every_route_that_names_a_user_counts_for_that_user)
{
    edge.admitted.timeout = std::chrono::milliseconds(200);
    int checked = 0;
    for (const auto& each : all_routes())
        if (each.is.user)
            BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
            {
                ++checked;
                const auto of_user = [&](const std::string& user)
                {
                    auto path = example_of(each);
                    return path.replace(path.find("/user/") + 6, 1, user);
                };
                rate_settings settings;
                settings.address = rate::parse("100").value();
                settings.user = rate::parse("0.1:1").value();
                rate_limits limits(settings);
                edge.admitted.rates = &limits;
                const auto first = send(std::string(each.method), example_of(each));
                check_problem(first, 503, "no_responders");
                BOOST_TEST(first.fields.get("RateLimit-Policy").value_or("") ==
                           R"("address";q=100;w=1, "user";q=1;w=10)");
                const auto refused = send(std::string(each.method), example_of(each));
                check_problem(refused, 429, "rate_limited");
                BOOST_TEST(refused.fields.get("Retry-After").value() == "10");
                check_problem(send(std::string(each.method), of_user("other")), 503, "no_responders");
                check_problem(send(std::string(each.method), of_user("%31")), 429, "rate_limited");
                check_problem(send(std::string(each.method), of_user("1%00")), 400, "bad_id"); // no user
            }
    BOOST_TEST(checked == 4);
}

BOOST_AUTO_TEST_CASE(a_request_id_is_kept_only_if_it_is_well_formed)
{
    const auto id_of = [](const std::vector<std::string>& values)
    {
        http_fields fields;
        for (const auto& value : values)
            fields.add("x-request-id", value);
        return request_id_for(fields);
    };
    for (const auto& good :
         std::vector<std::string>{"a", "0af7651916cd43dd-8448eb211c80319c", "A.b_c:d/e+f=~", std::string(128, 'x')})
        BOOST_TEST(id_of({good}) == good);
    for (const auto& bad : std::vector<std::string>{"", "a b", "a\"b", "a,b", std::string(129, 'x')})
        BOOST_TEST(id_of({bad}).size() == 26U);
    BOOST_TEST(id_of({"a", "b"}).size() == 26U);
    BOOST_TEST(id_of({}) != id_of({}));
}

BOOST_AUTO_TEST_CASE(every_response_has_a_cache_control_field)
{
    struct row
    {
        const char* method;
        const char* target;
        int status;
        const char* caching;
    };
    const row table[] = {
        {"GET", "/content/asset/1", 200, "no-cache"},  {"HEAD", "/content/asset/1", 200, "no-cache"},
        {"GET", "/content/asset/1", 304, "no-cache"},  {"GET", "/content/assets", 200, "no-cache"},
        {"POST", "/content/asset/1", 200, "no-store"}, {"DELETE", "/content/asset/1", 200, "no-store"},
        {"GET", "/url/asset/1", 200, "no-store"},      {"GET", "/url/asset/1", 304, "no-store"},
        {"GET", "/url/assets", 200, "no-store"},       {"GET", "/events/asset/1", 200, "no-store"},
        {"GET", "/events/user/1", 200, "no-store"},    {"GET", "/events/top", 200, "no-store"},
        {"GET", "/healthz", 200, "no-store"},          {"GET", "/metrics", 200, "no-store"},
        {"GET", "/openapi.json", 200, "max-age=3600"}, {"GET", "/problems/bad_id", 200, "max-age=3600"},
        {"GET", "/problems/none", 404, "no-store"},    {"OPTIONS", "/content/asset/1", 204, "no-store"},
        {"GET", "/content/asset/2", 503, "no-store"},  {"GET", "/nowhere", 404, "no-store"},
    };
    for (const auto& [method, target, status, caching] : table)
        BOOST_TEST_CONTEXT(method << ' ' << target << ' ' << status)
        {
            gateway_kit kit;
            header_list revision;
            revision.set(names::header_revision, "7");
            kit.nats.script_json("metadata.get.1", R"({"id":"1","title":"T","genre":"g","summary":"s"})", revision);
            kit.nats.script_json("cdnurl.get.1", R"({"id":"1","url":"u"})", revision);
            kit.nats.script_json("metadata.put.1", R"({"status":"ok","revision":8})");
            kit.nats.script_json("metadata.delete.1", R"({"status":"ok"})");
            for (const auto* list : {"metadata.list", "cdnurl.list", "reporting.top"})
                kit.nats.script_json(list, R"({"assets":[]})");
            for (const auto* views : {"reporting.asset.1", "reporting.user.1"})
                kit.nats.script_json(views, R"({"id":"1","views":2})");
            const field_list fields = status == 304 ? field_list{{"If-None-Match", "*"}} : field_list{};
            const auto answer = kit.as_admin(method, target, fields, R"({"title":"T","genre":"g","summary":"s"})");
            BOOST_TEST(answer.status == status);
            BOOST_TEST(answer.fields.get("Cache-Control").value_or("") == caching);
            BOOST_TEST(answer.fields.count("Cache-Control") == 1U);
        }
}

BOOST_AUTO_TEST_CASE(an_unknown_query_parameter_of_a_lookup_is_400_and_named)
{
    const std::pair<const char*, const char*> wrong[] = {
        {"/content/assets?year=1979", "year"},
        {"/content/assets?q=a&q=b", "q"},
        {"/content/assets?id=1&id=2&ids=3", "ids"},
        {"/content/assets?limit=1&limit=1", "limit"},
        {"/content/assets?after=1&after=1", "after"},
        {"/content/assets?Limit=1", "Limit"},
        {"/content/assets?offset", "offset"},
        {"/content/asset/1?x=1", "x"},
        {"/url/asset/1?since=2026", "since"},
        {"/url/assets?limit=1&q=a", "q"},
        {"/events/asset/1?limit=1", "limit"},
        {"/events/user/1?a%20b=1", "a%20b"},
        {"/events/top?after=1", "after"},
        {"/events/top?limit=1&%E6%98%A0=1", "%E6%98%A0"},
        {"/events/top?=1", "query"},
    };
    for (const auto& [target, field] : wrong)
        for (const auto* method : {"GET", "HEAD"})
            BOOST_TEST_CONTEXT(method << ' ' << target)
            {
                const auto answer = as_admin(method, target);
                check_problem(answer, 400, "bad_request");
                BOOST_TEST(member(answer, "field") == field);
            }
    BOOST_TEST(nats.seen.empty());
    check_problem(send("GET", "/url/asset/1?x=1"), 401, "unauthorized"); // credentials are checked first
    check_problem(send("GET", "/nowhere?x=1"), 404, "route_not_found");
    for (const auto* target : {"/events/user/1?_=1", "/events/user/1?_=1&_=2", "/events/user/1?", "/events/user/1?&&"})
        BOOST_TEST_CONTEXT(target)
        {
            nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
            BOOST_TEST(send("GET", target).status == 200);
        }
    for (const auto* target : {"/healthz?x", "/metrics?x=1&x=2", "/openapi.json?v=2", "/problems/bad_id?lang=en"})
        BOOST_TEST(send("GET", target).status == 200, target);
    BOOST_TEST(send("OPTIONS", "/events/top?x=1").status == 204);
    nats.script_json("metadata.put.1", R"({"status":"ok","revision":8})");
    BOOST_TEST(as_admin("POST", "/content/asset/1?x=1", {}, R"({"title":"T","genre":"g","summary":"s"})").status ==
               200);
    nats.script_json("metadata.delete.1", R"({"status":"ok"})");
    BOOST_TEST(as_admin("DELETE", "/content/asset/1?x=1").status == 200);
}

BOOST_AUTO_TEST_CASE(a_body_with_a_content_coding_is_415_with_accept_encoding)
{
    const std::string body = R"({"url":"u"})";
    for (const auto* coding :
         {"gzip", "GZIP", "br", "deflate", "identity, gzip", "gzip, identity", "x", "identity;q=1"})
        BOOST_TEST_CONTEXT(coding)
        {
            const auto answer = as_admin("POST", "/url/asset/1", {{"Content-Encoding", coding}}, body);
            check_problem(answer, 415, "unsupported_media");
            BOOST_TEST(member(answer, "field") == "Content-Encoding");
            BOOST_TEST(answer.fields.get("Accept-Encoding").value_or("") == "identity");
        }
    check_problem(
        as_admin("POST", "/url/asset/1", {{"Content-Encoding", "identity"}, {"Content-Encoding", "gzip"}}, body), 415,
        "unsupported_media");
    BOOST_TEST(nats.seen.empty());
    for (const auto* coding : {"identity", "Identity", "", ", identity ,"})
    {
        nats.script_json("cdnurl.put.1", R"({"status":"ok","revision":8})");
        BOOST_TEST(as_admin("POST", "/url/asset/1", {{"Content-Encoding", coding}}, body).status == 200, coding);
    }
}

BOOST_AUTO_TEST_CASE(a_message_beyond_max_payload_is_413_for_a_change_and_a_server_error_otherwise)
{
    nats.script("cdnurl.put.1", fail(errc::payload_too_large));
    check_problem(as_admin("POST", "/url/asset/1", {}, R"({"url":"u"})"), 413, "payload_too_large");
    nats.script("cdnurl.get.1", fail(errc::payload_too_large));
    check_problem(as_admin("GET", "/url/asset/1"), 502, "malformed_reply");
}

BOOST_AUTO_TEST_CASE(each_code_has_a_page_at_the_type_of_its_problem)
{
    for (int number = 1; number <= static_cast<int>(errc::outcome_unknown); ++number)
    {
        const auto code = static_cast<errc>(number);
        const auto path = member(problem_response(fail(code), "r"), "type");
        const auto page = send("GET", path);
        BOOST_TEST(page.status == 200, path);
        BOOST_TEST(page.fields.get("Content-Type").value_or("") == "text/plain; charset=utf-8");
        for (const auto part : {name_of(code), title_of(code)})
            BOOST_TEST(page.body.find(part) != std::string::npos, page.body);
    }
    for (const auto* none : {"/problems/none", "/problems/", "/problems/Bad_id", "/problems/%00"})
        check_problem(send("GET", none), 404, "route_not_found");
}

BOOST_AUTO_TEST_CASE(a_404_names_what_was_requested)
{
    const std::tuple<const char*, const char*, const char*, const char*> table[] = {
        {"GET", "/content/asset/1", "metadata.get.1", "The catalogue has no asset of this id."},
        {"DELETE", "/content/asset/1", "metadata.delete.1", "The catalogue has no asset of this id."},
        {"POST", "/play/asset/1/user/2", "metadata.get.1", "The catalogue has no asset of this id."},
        {"GET", "/url/asset/1", "cdnurl.get.1", "No URL is stored for this asset."},
        {"GET", "/events/asset/1", "reporting.asset.1", "No view of this asset is counted."},
    };
    for (const auto& [method, path, subject, detail] : table)
        BOOST_TEST_CONTEXT(method << ' ' << path)
        {
            nats.script(subject, fail(errc::asset_not_found));
            const auto answer = as_admin(method, path);
            check_problem(answer, 404, "asset_not_found");
            BOOST_TEST(member(answer, "detail") == detail);
        }
}

BOOST_AUTO_TEST_SUITE_END()
