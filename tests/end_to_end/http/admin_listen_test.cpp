// An edge with --admin-listen: which routes each of its two addresses serves.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/ports.hpp"

#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee::test;

marquee_system::settings with_operators()
{
    marquee_system::settings with;
    with.extra["edge"] = {"--admin-listen", "127.0.0.1:0", "--threads", "2"};
    return with;
}

using shared = shared_system<with_operators>;

/// The port of --admin-listen, which the edge logs.
int admin_port()
{
    const auto line = shared::system->at("edge").wait_for_line("serving operators admin=127.0.0.1:");
    BOOST_TEST_REQUIRE(line.has_value());
    return std::stoi(line->substr(line->rfind(':') + 1));
}

http_answer send(http_call call)
{
    call.headers.push_back(shared::system->authorization());
    return shared::system->call(call);
}

http_answer send_to_operators(http_call call)
{
    static const int port = admin_port();
    call.headers.push_back(shared::system->authorization());
    return http(port, call);
}

/// What only operators use. All have the admin token here.
const std::vector<http_call> operators_calls = {
    {"GET", "/metrics"},
    {"HEAD", "/metrics"},
    {"GET", "/metrics/fleet"},
    {"GET", "/services"},
    {"POST", "/content/asset/7", {}, metadata_body},
    {"POST", "/url/asset/7", {}, url_body},
    {"DELETE", "/content/asset/7"},
    {"DELETE", "/url/asset/7"},
    {"DELETE", "/events/user/7"},
};

const std::vector<http_call> everybodys_calls = {
    {"POST", "/play/asset/123/user/1"},
    {"GET", "/content/asset/123"},
    {"GET", "/content/assets"},
    {"GET", "/url/asset/123"},
    {"GET", "/url/assets"},
    {"GET", "/events/asset/123"},
    {"GET", "/events/user/1"},
    {"GET", "/events/user/1/history"},
    {"GET", "/events/asset/123/series"},
    {"GET", "/events/series"},
    {"GET", "/events/assets"},
    {"GET", "/events/top"},
    {"POST", "/events/asset/123/user/1"},
    {"GET", "/healthz"},
    {"GET", "/readyz"},
    {"GET", "/openapi.json"},
    {"GET", "/problems/bad_id"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(admin_listen, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(operators_are_served_at_their_own_address_and_there_only)
{
    for (const auto& call : operators_calls)
        BOOST_TEST_CONTEXT(call.method << ' ' << call.target)
        {
            const auto refused = send(call);
            const bool has_other_methods = call.target.ends_with("/7");
            BOOST_TEST(refused.status == (has_other_methods ? 405 : 404));
            BOOST_TEST(refused.header("Allow") == (has_other_methods ? "GET, HEAD, OPTIONS" : ""));
            BOOST_TEST(send_to_operators(call).status == 200);
        }
}

BOOST_AUTO_TEST_CASE(everything_else_is_served_at_both_addresses)
{
    for (const auto& call : everybodys_calls)
        BOOST_TEST_CONTEXT(call.method << ' ' << call.target)
        {
            BOOST_TEST(send(call).status == 200);
            BOOST_TEST(send_to_operators(call).status == 200);
        }
}

BOOST_AUTO_TEST_CASE(no_spelling_of_a_path_reaches_what_is_for_operators)
{
    for (const auto* target :
         {"/metrics/", "//metrics", "/%6detrics", "/metrics?x=1", "/metrics;x", "/./metrics", "/x/../metrics",
          "/metrics%2f", "/Metrics", "http://localhost/metrics", "/services?_=1", "/%73ervices", "/services/"})
        BOOST_TEST_CONTEXT(target)
        {
            const auto status = send({"GET", target}).status;
            BOOST_TEST((status == 404 || status == 400), status);
        }
    for (const auto* target : {"/content/asset/%37", "/%63ontent/asset/7", "/url/asset/7?_=1", "//content/asset/7"})
        for (const std::string method : {"POST", "DELETE"})
            BOOST_TEST_CONTEXT(method << ' ' << target)
            {
                const auto status = send({method, target, {}, method == "POST" ? metadata_body : ""}).status;
                BOOST_TEST((status == 404 || status == 405 || status == 400), status);
            }
}

BOOST_AUTO_TEST_CASE(options_tells_what_each_address_serves)
{
    BOOST_TEST(send({"OPTIONS", "*"}).header("Allow") == "GET, HEAD, POST, OPTIONS");
    BOOST_TEST(send_to_operators({"OPTIONS", "*"}).header("Allow") == "GET, HEAD, POST, DELETE, OPTIONS");
    BOOST_TEST(send({"OPTIONS", "/content/asset/7"}).header("Allow") == "GET, HEAD, OPTIONS");
    BOOST_TEST(send_to_operators({"OPTIONS", "/content/asset/7"}).header("Allow") ==
               "GET, HEAD, POST, DELETE, OPTIONS");
    BOOST_TEST(send({"OPTIONS", "/metrics"}).status == 404);
    BOOST_TEST(send_to_operators({"OPTIONS", "/metrics"}).status == 204);
}

BOOST_AUTO_TEST_CASE(operators_need_the_token_at_their_address_too)
{
    const http_call put{"POST", "/content/asset/7", {}, metadata_body};
    check_problem(http(admin_port(), put), 401, "unauthorized");
}

BOOST_AUTO_TEST_CASE(an_address_that_cannot_be_used_is_named)
{
    const auto& system = *shared::system;
    const auto used = "127.0.0.1:" + std::to_string(system.port());
    const auto free = "127.0.0.1:" + std::to_string(free_port());
    const auto start = [&](const words& arguments)
    {
        words all{"--server", system.server()};
        all.insert(all.end(), arguments.begin(), arguments.end());
        return run("edge", all);
    };
    const auto same = start({"--listen", free, "--admin-listen", free});
    BOOST_TEST(same.code == 2, same.output);
    BOOST_TEST(same.output.find("--admin-listen") != std::string::npos, same.output);
    const auto any = start({"--listen", free, "--admin-listen", "0.0.0.0" + free.substr(free.rfind(':'))});
    BOOST_TEST(any.code == 2, any.output);
    const auto senseless = start({"--listen", free, "--admin-listen", "nowhere"});
    BOOST_TEST(senseless.code == 2, senseless.output);
    BOOST_TEST(senseless.output.find("--admin-listen") != std::string::npos, senseless.output);
    const auto taken = start({"--listen", free, "--admin-listen", used});
    BOOST_TEST(taken.code == 1, taken.output);
    BOOST_TEST(taken.output.find(used) != std::string::npos, taken.output);
    BOOST_TEST(send({"POST", "/play/asset/123/user/1"}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(without_admin_listen_one_address_serves_all)
{
    marquee_system system;
    for (const auto& call : operators_calls)
        BOOST_TEST(system.call_as_admin(call).status == 200, call.method << ' ' << call.target);
}
