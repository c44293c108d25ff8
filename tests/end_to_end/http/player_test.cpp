// Player tokens: an edge with keys, the three routes that name a user, keys that change while it
// runs.
#include "tests/end_to_end/programs.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/jwt_maker.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>

using namespace marquee::test;

namespace
{

std::string claims(const std::string& user, std::int64_t seconds = 3600,
                   const std::string& issuer = "https://login.example")
{
    return R"({"iss":")" + issuer + R"(","aud":["marquee"],"sub":")" + user + R"(","exp":)" + in_seconds(seconds) + "}";
}

/// Signers, and the JWKS that the edge knows them by.
struct keys
{
    jwt_signer a = jwt_signer::rsa();
    jwt_signer b = jwt_signer::ec();

    [[nodiscard]] std::string set(bool with_a, bool with_b) const
    {
        return R"({"keys":[)" + (with_a ? a.jwk(R"("kid":"a",)") : "") + (with_a && with_b ? "," : "") +
               (with_b ? b.jwk(R"("kid":"b",)") : "") + "]}";
    }
    [[nodiscard]] std::string by_a(const std::string& what) const
    {
        return a.token("RS256", what, R"({"alg":"RS256","kid":"a"})");
    }
    [[nodiscard]] std::string by_b(const std::string& what) const
    {
        return b.token("ES256", what, R"({"alg":"ES256","kid":"b"})");
    }
};

marquee_system::settings with_keys(const std::string& file)
{
    marquee_system::settings with;
    with.extra["edge"] = {"--jwt-key",      file,      "--jwt-issuer", "https://login.example",
                          "--jwt-audience", "marquee", "--threads",    "2"};
    return with;
}

http_answer call(const marquee_system& system, const std::string& method, const std::string& target,
                 const std::string& token = {})
{
    http_call what{method, target};
    if (!token.empty())
        what.headers.emplace_back("Authorization", "Bearer " + token);
    return system.call(what);
}

int views_with(const marquee_system& system, const std::string& token)
{
    return call(system, "GET", "/events/user/joe%40example.org", token).status;
}

} // namespace

BOOST_AUTO_TEST_SUITE(players)

BOOST_AUTO_TEST_CASE(a_user_plays_and_sees_views_with_a_token_of_that_user_alone)
{
    const temporary_folder folder;
    const keys known;
    const marquee_system system(with_keys(folder.write("jwks", known.set(true, true))));
    const std::string joe = "joe@example.org";
    const std::pair<std::string, std::string> routes[] = {{"POST", "/play/asset/123/user/joe%40example.org"},
                                                          {"POST", "/events/asset/123/user/joe%40example.org"},
                                                          {"GET", "/events/user/joe%40example.org"},
                                                          {"GET", "/events/user/joe%40example.org/history"}};
    const std::string realm = "Bearer realm=\"marquee\"";
    const auto named = [&](const std::string& reason, const std::string& text)
    { return realm + ", error=\"" + reason + "\", error_description=\"" + text + '"'; };
    for (const auto& [method, target] : routes)
        BOOST_TEST_CONTEXT(method << ' ' << target)
        {
            const auto missing = call(system, method, target);
            check_problem(missing, 401, "unauthorized");
            BOOST_TEST(missing.header("WWW-Authenticate") == realm);
            const auto expired = call(system, method, target, known.by_a(claims(joe, -31)));
            check_problem(expired, 401, "unauthorized");
            BOOST_TEST(expired.header("WWW-Authenticate") == named("invalid_token", "The token has expired."));
            const auto foreign = call(system, method, target, known.by_a(claims(joe, 3600, "https://evil.example")));
            check_problem(foreign, 401, "unauthorized");
            BOOST_TEST(foreign.header("WWW-Authenticate") == named("invalid_token", "The token is of another issuer."));
            const auto another = call(system, method, target, known.by_b(claims("eve@example.org")));
            check_problem(another, 403, "forbidden");
            BOOST_TEST(another.header("WWW-Authenticate") ==
                       named("insufficient_scope", "The token is of another user."));
        }
    // Of all these nothing was counted, and with a token all is as it was.
    const auto play = call(system, "POST", routes[0].second, known.by_a(claims(joe)));
    BOOST_TEST(play.status == 200);
    BOOST_TEST(play.number("userviews") == 1);
    BOOST_TEST(play.number("assetviews") == 1);
    check_json(call(system, "POST", routes[1].second, known.by_b(claims(joe))), 200,
               R"({"userviews":2,"assetviews":2})");
    BOOST_TEST(call(system, "GET", routes[2].second, known.by_b(claims(joe))).number("views") == 2);
    BOOST_TEST(call(system, "GET", routes[3].second, known.by_b(claims(joe))).status == 200);
    // The others need none.
    BOOST_TEST(call(system, "GET", "/events/asset/123").number("views") == 2);
    BOOST_TEST(call(system, "GET", "/content/asset/123").status == 200);
    BOOST_TEST(system.call_as_admin({"GET", "/url/asset/123"}).status == 200);
}

BOOST_AUTO_TEST_CASE(keys_are_rotated_while_the_edge_runs)
{
    const temporary_folder folder;
    const keys known;
    const auto file = folder.write("jwks", known.set(true, false));
    marquee_system system(with_keys(file));
    BOOST_TEST(
        call(system, "POST", "/play/asset/123/user/joe%40example.org", known.by_a(claims("joe@example.org"))).status ==
        200);
    const auto a = known.by_a(claims("joe@example.org"));
    const auto b = known.by_b(claims("joe@example.org"));
    const auto check = [&](int with_a, int with_b)
    {
        for (int i = 0; i < 8; ++i) // on either thread
        {
            BOOST_TEST(views_with(system, a) == with_a);
            BOOST_TEST(views_with(system, b) == with_b);
        }
    };
    check(200, 401);
    folder.write("jwks", known.set(true, true));
    check(200, 200);
    folder.write("jwks", known.set(false, true));
    check(401, 200);
    // A file that cannot be used changes nothing: the previous keys decide.
    folder.write("jwks", "{\"keys\":[");
    check(401, 200);
    BOOST_TEST(system.at("edge").wait_for_line("error marquee-edge: the previous JWT keys stay in use").has_value());
    std::filesystem::remove(file);
    check(401, 200);
    folder.write("jwks", known.a.pem());
    check(200, 401);
    const std::string phrase = "geheim-geheim-geheim-geheim-geheim";
    folder.write("jwks", phrase + '\n');
    check(401, 401);
    BOOST_TEST(views_with(system, jwt_signer::secret(phrase).token("HS256", claims("joe@example.org"))) == 200);
    BOOST_TEST(!holds(system.at("edge").output(), "geheim"));
    BOOST_TEST(!holds(system.at("edge").output(), b.substr(0, 20)));
}

BOOST_AUTO_TEST_CASE(a_key_file_that_cannot_be_used_is_named_at_the_start_with_exit_2)
{
    const temporary_folder folder;
    for (const auto& file :
         {folder.file("missing"), folder.write("empty", ""), folder.write("short", "geheim"),
          folder.write("set", "{\"keys\":[]}"), folder.write("private", jwt_signer::ec().private_pem())})
    {
        // without a broker: this is found out before one is needed
        const auto refused =
            run("edge", {"--listen", "127.0.0.1:0", "--server", "nats://127.0.0.1:1", "--jwt-key", file});
        BOOST_TEST(refused.code == 2);
        BOOST_TEST(refused.lines() == 1, refused.output);
        BOOST_TEST(holds(refused.output, " error marquee-edge: "), refused.output);
        BOOST_TEST(holds(refused.output, file), refused.output);
        BOOST_TEST(!holds(refused.output, "geheim"), refused.output);
    }
}

BOOST_AUTO_TEST_SUITE_END()
