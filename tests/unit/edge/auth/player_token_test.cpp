// Who may speak for a user: the credentials of a request, the answers RFC 6750 asks for, keys that
// change while running.
#include "edge/auth/player_token.hpp"
#include "edge/routes/routes.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string phrase = "correct-horse-battery-staple-and-more";
const jwt_signer hmac = jwt_signer::secret(phrase);

std::string token_of(const std::string& user, const jwt_signer& signer = hmac, std::int64_t seconds = 3600)
{
    return signer.token("HS256", R"({"sub":")" + user + R"(","exp":)" + in_seconds(seconds) + "}");
}

/// The gateway with keys.
struct player_kit : gateway_kit
{
    temporary_file key_file{phrase + '\n'};
    player_kit() { edge.access.players = player_token::from({key_file.path(), {}}).value(); }

    http_response views_with(const std::vector<std::string>& credentials)
    {
        nats.script_json("reporting.user.42", R"({"id":"42","views":2})");
        field_list fields;
        for (const auto& each : credentials)
            fields.emplace_back("Authorization", each);
        return send("GET", "/events/user/42", fields);
    }
};

void check_challenge(const http_response& answer, int status, const std::string& reason)
{
    check_problem(answer, status, status == 401 ? "unauthorized" : "forbidden");
    BOOST_TEST(answer.fields.count("WWW-Authenticate") == 1U);
    const std::string challenge(answer.fields.get("WWW-Authenticate").value_or(""));
    const std::string plain = "Bearer realm=\"marquee\"";
    if (reason.empty())
        BOOST_TEST(challenge == plain);
    else
        BOOST_TEST(challenge ==
                   plain + ", error=\"" + reason + "\", error_description=\"" + member(answer, "detail") + '"');
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(player_token_, player_kit)

BOOST_AUTO_TEST_CASE(each_route_that_names_a_user_is_for_that_user_alone)
{
    int checked = 0;
    for (const auto& each : all_routes())
        BOOST_TEST_CONTEXT(each.method << ' ' << each.pattern)
        {
            std::string path(each.pattern);
            if (const auto at = path.find("{asset}"); at != std::string::npos)
                path.replace(at, 7, "1");
            const auto at = path.find("{user}");
            if (at == std::string::npos || each.is.admin)
            {
                if (!each.is.admin)
                    BOOST_TEST(send(std::string(each.method), path).status != 401);
                continue;
            }
            ++checked;
            path.replace(at, 6, "4%32");
            nats.seen.clear();
            std::vector<std::string> methods{std::string(each.method)};
            if (methods[0] == "GET")
                methods.emplace_back("HEAD");
            for (const auto& method : methods)
            {
                check_challenge(send(method, path), 401, "");
                check_challenge(send(method, path, {{"Authorization", "Bearer " + token_of("43")}}), 403,
                                "insufficient_scope");
                check_challenge(as_admin(method, path), 401, "invalid_token"); // the admin token is no user's
                BOOST_TEST(nats.seen.empty());
                check_problem(send(method, path, {{"Authorization", "Bearer " + token_of("42")}}), 503,
                              "no_responders");
                BOOST_TEST(!nats.seen.empty());
                nats.seen.clear();
            }
        }
    BOOST_TEST(checked == 4);
}

BOOST_AUTO_TEST_CASE(without_keys_no_token_is_needed)
{
    edge.access.players = player_token::from({}).value();
    BOOST_TEST(views_with({}).status == 200);
    BOOST_TEST(views_with({"Bearer nonsense"}).status == 200);
    BOOST_TEST(views_with({"Basic x", "Bearer y"}).status == 200);
}

BOOST_AUTO_TEST_CASE(credentials_are_one_bearer_token)
{
    const auto good = token_of("42");
    for (const auto& right : {"Bearer " + good, "bearer " + good, "BEARER   " + good, "bEaReR\t" + good + " "})
        BOOST_TEST_CONTEXT(right.substr(0, 20)) { BOOST_TEST(views_with({right}).status == 200); }
    for (const auto& none :
         {std::string(), std::string("Basic NDI6NDI="), "Token " + good, "Bearer" + good, "Bearer," + good, good})
        BOOST_TEST_CONTEXT(none.substr(0, 20)) { check_challenge(views_with({none}), 401, ""); }
    for (const auto& wrong :
         {std::string("Bearer"), std::string("Bearer "), std::string("Bearer x"), "Bearer " + good + " " + good,
          "Bearer " + good + ",Bearer " + good, "Bearer \"" + good + '"', "Bearer Bearer " + good,
          "Bearer " + token_of("42", hmac, -31), "Bearer " + token_of("42", jwt_signer::secret(phrase + "x")),
          "Bearer " + std::string(7000, 'x')})
        BOOST_TEST_CONTEXT(wrong.substr(0, 40)) { check_challenge(views_with({wrong}), 401, "invalid_token"); }
    check_challenge(views_with({"Bearer " + good, "Bearer " + good}), 401, "invalid_token");
    check_challenge(views_with({"Bearer " + good, "Basic NDI6NDI="}), 401, "invalid_token");
    check_challenge(views_with({"Basic NDI6NDI=", "Bearer " + good}), 401, "invalid_token");
}

BOOST_AUTO_TEST_CASE(a_user_is_exactly_the_sub)
{
    for (const std::string other : {"", "4", "420", "42 ", " 42", "042", "4%32", "42\\u0000", "\\uff14\\uff12"})
        BOOST_TEST_CONTEXT(other)
        {
            check_challenge(views_with({"Bearer " + token_of(other)}), 403, "insufficient_scope");
        }
    BOOST_TEST(views_with({"Bearer " + token_of("4\\u0032")}).status == 200); // the same text, written in another way
    // An id that is none is 400 for its own user, too.
    check_problem(send("GET", "/events/user/", {{"Authorization", "Bearer " + token_of("")}}), 400, "bad_id");
}

BOOST_AUTO_TEST_CASE(wrong_admin_credentials_are_named_in_the_same_way)
{
    check_challenge(send("DELETE", "/url/asset/1"), 401, "");
    check_challenge(send("DELETE", "/url/asset/1", {{"Authorization", "Bearer nonsense"}}), 401, "invalid_token");
    check_challenge(send("DELETE", "/url/asset/1", {{"Authorization", "Bearer " + token_of("42")}}), 401,
                    "invalid_token");
}

BOOST_AUTO_TEST_CASE(changed_keys_are_read_again_and_the_old_ones_dropped)
{
    const auto other = jwt_signer::secret("another-secret-of-more-than-32-characters");
    const auto before = "Bearer " + token_of("42");
    const auto after = "Bearer " + token_of("42", other);
    check_challenge(views_with({after}), 401, "invalid_token");
    key_file.write("another-secret-of-more-than-32-characters");
    check_challenge(views_with({before}), 401, "invalid_token");
    BOOST_TEST(views_with({after}).status == 200);

    const temporary_file replacement(phrase);
    BOOST_REQUIRE(std::rename(replacement.path().c_str(), key_file.path().c_str()) == 0);
    BOOST_TEST(views_with({before}).status == 200);
    check_challenge(views_with({after}), 401, "invalid_token");
}

BOOST_AUTO_TEST_CASE(while_the_file_cannot_be_used_the_previous_keys_stay_in_use)
{
    const auto good = "Bearer " + token_of("42");
    for (const std::string broken : {"", "short", "{\"keys\":[]}", "-----BEGIN PUBLIC KEY-----\n"})
    {
        key_file.write(broken);
        BOOST_TEST(views_with({good}).status == 200);
        check_challenge(views_with({"Bearer " + token_of("42", jwt_signer::secret(broken))}), 401, "invalid_token");
    }
    ::unlink(key_file.path().c_str());
    BOOST_TEST(views_with({good}).status == 200);
    check_challenge(views_with({}), 401, "");
    key_file.write("another-secret-of-more-than-32-characters");
    check_challenge(views_with({good}), 401, "invalid_token");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_used_is_an_error_at_the_start)
{
    const temporary_file empty("");
    const temporary_file large(std::string((1 << 20) + 1, 'x'));
    for (const auto& path : {std::string("/nowhere/at/all"), std::string("/tmp"), empty.path(), large.path()})
        BOOST_TEST_CONTEXT(path)
        {
            const auto refused = player_token::from({path, {}});
            BOOST_REQUIRE(refused.has_error());
            BOOST_TEST((refused.error() == errc::bad_request));
            BOOST_TEST(refused.error().detail.find(path) != std::string::npos);
        }
}

BOOST_AUTO_TEST_SUITE_END()
