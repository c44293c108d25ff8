#include "edge/routes.hpp"
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
        if (each.admin)
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
                without.edge.admin = admin_token();
                check_problem(without.as_admin(method, example_of(each)), 403, "forbidden");
            }
    BOOST_TEST(checked == 6);
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(an_absent_service_is_503_at_once_on_every_route_that_needs_one)
{
    for (const auto& each : all_routes())
        if (!each.internal)
            BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
            {
                const std::string body = each.json ? R"({"title":"T","genre":"g","summary":"s","url":"u"})" : "";
                const auto answer = as_admin(std::string(each.method), example_of(each), {}, body);
                check_problem(answer, 503, "no_responders");
            }
}

BOOST_AUTO_TEST_CASE(an_unknown_route_and_a_wrong_method_are_told_apart)
{
    check_problem(send("GET", "/nowhere"), 404, "route_not_found");
    const auto answer = send("PUT", "/content/asset/1");
    check_problem(answer, 405, "method_not_allowed");
    BOOST_TEST(answer.fields.get("Allow").value() == "GET, HEAD, POST, DELETE");
    check_problem(send("GET", "/content/asset/%zz"), 400, "bad_request");
    check_problem(send("OPTIONS", "*"), 400, "bad_request");
}

BOOST_AUTO_TEST_CASE(too_many_requests_under_way_are_refused_before_anything_is_sent)
{
    edge.max_in_flight = 1;
    edge.in_flight = 1;
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "overloaded");
    BOOST_TEST(nats.seen.empty());
    BOOST_TEST(send("GET", "/healthz").status == 200); // needs no broker
    edge.in_flight = 0;
    nats.script_json("reporting.user.1", R"({"id":"1","views":2})");
    BOOST_TEST(send("GET", "/events/user/1").status == 200);
    BOOST_TEST(edge.in_flight == 0U);
}

BOOST_AUTO_TEST_CASE(healthy_means_running_and_ready_means_the_broker_is_there)
{
    BOOST_TEST(send("GET", "/healthz").body == R"({"status":"ok"})");
    BOOST_TEST(send("GET", "/readyz").body == R"({"status":"ready"})");
    edge.link_up = [] { return false; };
    check_problem(send("GET", "/readyz"), 503, "disconnected");
    BOOST_TEST(send("GET", "/healthz").status == 200);
    edge.link_up = [] { return true; };
    edge.stopping = true;
    check_problem(send("GET", "/readyz"), 503, "stopping");
    BOOST_TEST(send("GET", "/healthz").status == 200);
}

BOOST_AUTO_TEST_CASE(a_request_id_is_taken_over_only_where_it_is_well_formed)
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

BOOST_AUTO_TEST_SUITE_END()
