// Rate limits per address and per user, with real processes.
#include "tests/end_to_end/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;

namespace
{

/// One edge per setting; loopback is the proxy of those that trust one. The rates are so low that
/// no token is added during a test.
marquee_system::settings limited()
{
    marquee_system::settings with;
    with.start.insert(with.start.end(), {"edge-address", "edge-user", "edge-proxied"});
    with.extra["edge-address"] = {"--rate-address", "0.001:5", "--threads", "2"};
    with.extra["edge-user"] = {"--rate-user", "0.001:3", "--threads", "2"};
    with.extra["edge-proxied"] = {"--rate-address", "0.001:2", "--trusted-proxy", "10.0.0.0/8,127.0.0.0/8"};
    return with;
}

using shared = shared_system<limited>;

http_answer send(const std::string& edge, const http_call& call) { return shared::system->call(call, edge); }

void check_refused(const http_answer& answer, const std::string& policy)
{
    BOOST_TEST(answer.status == 429);
    BOOST_TEST(answer.header("Content-Type") == "application/problem+json");
    BOOST_TEST(answer.text("code") == "rate_limited");
    BOOST_TEST(answer.header("RateLimit").find('"' + policy + "\";r=0;t=" + answer.header("Retry-After")) !=
                   std::string::npos,
               answer.header("RateLimit"));
    const auto wait = std::stol(answer.header("Retry-After"));
    BOOST_TEST(wait > 900);
    BOOST_TEST(wait <= 1000);
}

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limit, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(an_address_has_one_bucket_for_all_connections_and_threads)
{
    for (int left = 4; left >= 0; --left)
    {
        const auto answer = send("edge-address", {"POST", "/play/asset/123/user/" + std::to_string(left)});
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(answer.header("RateLimit-Policy") == R"("address";q=5;w=5000)");
        BOOST_TEST(answer.header("RateLimit").starts_with(R"("address";r=)" + std::to_string(left) + ";t="));
    }
    for (const auto* path : {"/play/asset/123/user/9", "/nowhere"})
        check_refused(send("edge-address", {"POST", path}), "address");
    for (int i = 0; i < 20; ++i)
        for (const auto* path : {"/healthz", "/readyz"})
            BOOST_TEST(send("edge-address", {"GET", path}).status == 200);
    check_refused(send("edge-address", {"GET", "/content/asset/123", {{"X-Forwarded-For", "198.51.100.7"}}}),
                  "address");
    BOOST_TEST(send("edge", {"GET", "/events/user/9"}).status == 404); // a refused play was not counted
}

BOOST_AUTO_TEST_CASE(a_user_has_one_bucket_for_everything_that_names_it)
{
    BOOST_TEST(send("edge-user", {"POST", "/play/asset/123/user/hot"}).status == 200);
    BOOST_TEST(send("edge-user", {"POST", "/events/asset/123/user/h%6Ft"}).status == 200);
    BOOST_TEST(send("edge-user", {"GET", "/events/user/hot"}).number("views") == 2);
    check_refused(send("edge-user", {"POST", "/play/asset/123/user/hot"}), "user");
    check_refused(send("edge-user", {"POST", "/events/asset/123/user/hot"}), "user");
    check_refused(send("edge-user", {"GET", "/events/user/hot"}), "user");
    BOOST_TEST(send("edge-user", {"POST", "/play/asset/123/user/cool"}).status == 200);
    const auto unnamed = send("edge-user", {"GET", "/content/asset/123"});
    BOOST_TEST(unnamed.status == 200);
    BOOST_TEST(unnamed.header("RateLimit") == "");
    BOOST_TEST(send("edge", {"GET", "/events/user/hot"}).number("views") == 2);
}

BOOST_AUTO_TEST_CASE(behind_a_trusted_proxy_each_client_has_its_own_bucket)
{
    const auto from = [](const std::string& forwarded) {
        return send("edge-proxied", {"GET", "/content/asset/123", {{"X-Forwarded-For", forwarded}}});
    };
    BOOST_TEST(from("198.51.100.1").status == 200);
    BOOST_TEST(from("1.2.3.4, 198.51.100.1, 10.0.0.1").status == 200);
    check_refused(from("5.6.7.8, 198.51.100.1"), "address"); // what the client itself claims is ignored
    check_refused(from("198.51.100.1:4711"), "address");
    BOOST_TEST(from("198.51.100.2").status == 200);
    BOOST_TEST(from("2001:db8::1").status == 200);
    BOOST_TEST(from("2001:db8::2").status == 200); // the same /64
    check_refused(from("[2001:db8::3]:80"), "address");
    BOOST_TEST(from("2001:db8:0:1::1").status == 200);
}

BOOST_AUTO_TEST_CASE(without_the_options_there_is_no_limit_and_no_ratelimit_field)
{
    for (int i = 0; i < 50; ++i)
    {
        const auto answer = send("edge", {"POST", "/play/asset/123/user/many"});
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(answer.header("RateLimit") == "");
        BOOST_TEST(answer.header("RateLimit-Policy") == "");
    }
}

BOOST_AUTO_TEST_SUITE_END()
