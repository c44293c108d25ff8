// Provokes every response that openapi.json documents on real edges, and checks it against the
// document. A response that cannot be provoked is a mistake in the document.
#include "edge/routes/routes.hpp"
#include "tests/end_to_end/contract/traffic_check.hpp"
#include "tests/end_to_end/kit.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/support/api_document.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/nats_client.hpp"
#include "tests/support/raw_http.hpp"
#include "tests/support/schema_check.hpp"
#include "tests/support/wiretap.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <map>
#include <set>

namespace
{

using namespace marquee::test;
using marquee::all_routes;
using marquee::route;

const std::string secret = "correct-horse-battery-staple-and-more";

std::string token_of(const std::string& user)
{
    return "Bearer " +
           jwt_signer::secret(secret).token("HS256", R"({"sub":")" + user + R"(","exp":)" + in_seconds(3600) + "}");
}

std::string name_of(const route& each) { return std::string(each.method) + ' ' + std::string(each.pattern); }

bool about_assets(const route& each) { return each.pattern.find("{asset}") != std::string_view::npos; }

std::string replaced(std::string text, const std::string& part, const std::string& by)
{
    if (const auto at = text.find(part); at != std::string::npos)
        text.replace(at, part.size(), by);
    return text;
}

/// The routes whose answers are replies of services.
std::vector<route> external_routes()
{
    std::vector<route> all(all_routes().begin(), all_routes().end());
    std::erase_if(all, [](const route& each) { return each.is.internal || each.is.stream; });
    return all;
}

/// A call of this route, for this asset and user, with what it needs but credentials. A stream does
/// not end: of it the head is asked.
http_call anonymous(const route& each, const std::string& asset, const std::string& user)
{
    http_call call{std::string(each.method),
                   replaced(replaced(std::string(each.pattern), "{asset}", asset), "{user}", user)};
    if (each.is.stream)
        call = {"HEAD", call.target + "?user=" + user};
    const bool unknown = asset == "nobody-knows";
    call.target = replaced(call.target, "/page/{file}", unknown ? "/page/none.js" : "/page/index.html");
    call.target = replaced(call.target, "/media/{file}", unknown ? "/media/none" : "/media/path/to/asset123.mp4");
    call.target = replaced(call.target, "{code}", asset == "nobody-knows" ? "no_such_code" : "bad_id");
    if (each.is.body)
        call.body = each.pattern.starts_with("/content") ? metadata_body : url_body;
    return call;
}

http_call with(http_call call, const std::string& field, const std::string& value)
{
    call.headers.emplace_back(field, value);
    return call;
}

/// Calls edges, checks every answer, and records the responses.
class witness
{
public:
    /// Fails the test unless the status is `wanted`.
    void check(const route& each, const http_call& call, const http_answer& answer, int wanted)
    {
        BOOST_TEST_CONTEXT(call << ": " << answer.body.substr(0, 300))
        {
            BOOST_TEST(answer.status == wanted);
            traffic_.answer(call, answer);
        }
        seen_.insert(name_of(each) + ' ' + std::to_string(answer.status));
    }

    [[nodiscard]] bool documented(const route& each, int status) const
    {
        return documented_.contains(name_of(each) + ' ' + std::to_string(status));
    }

    /// The routes that have this status in the document.
    [[nodiscard]] std::vector<route> routes_with(int status) const
    {
        std::vector<route> all;
        for (const auto& each : all_routes())
            if (documented(each, status))
                all.push_back(each);
        BOOST_TEST(!all.empty(), "nothing is documented with " << status);
        return all;
    }

    /// The documented responses that have not occurred.
    [[nodiscard]] std::set<std::string> never_seen() const
    {
        auto missing = documented_;
        std::erase_if(missing, [&](const std::string& response) { return seen_.contains(response); });
        return missing;
    }

private:
    traffic_check traffic_;
    std::set<std::string> seen_;
    std::set<std::string> documented_ = api_document(document_text("openapi")).responses();
};

/// The responses that a client alone can provoke, on a system without faults.
class client_side
{
public:
    explicit client_side(witness& all)
        : all_(all), keys_(folder_.write("key", secret + '\n')), system_(settings(keys_)),
          open_(start("edge", folder_, {"--server", system_.broker().url()}))
    {
        const auto line = serves("edge", *open_);
        BOOST_TEST_REQUIRE(line.has_value());
        open_port_ = port_in(*line);
    }

    /// In this order: DELETE finds what POST stored, and views are counted before they are
    /// read.
    void successes()
    {
        for (const auto& each : all_.routes_with(200))
        {
            const bool change = each.is.body || each.method == "DELETE";
            const auto what = call(each, change ? "spare" : "123");
            all_.check(each, what, system_.call_until(200, what), 200);
        }
    }

    void conditions()
    {
        for (const auto& each : all_.routes_with(304))
        {
            const auto plain = call(each);
            expect_status(each, with(plain, "If-None-Match", system_.call(plain).header("ETag")), 304);
        }
        for (const auto& each : all_.routes_with(206))
            expect_status(each, with(call(each), "Range", "bytes=0-9"), 206);
        for (const auto& each : all_.routes_with(416))
            expect_status(each, with(call(each), "Range", "bytes=999999999-"), 416);
        for (const auto& each : all_.routes_with(412))
            expect_status(each, with(call(each), "If-Match", "\"999\""), 412);
        for (const auto& each : all_.routes_with(422))
        {
            const auto key = "key of " + std::to_string(each.pattern.size());
            const auto first = with(call(each, "456"), "Idempotency-Key", '"' + key + '"');
            BOOST_TEST(counted_view(first).status == 200);
            expect_status(each, with(call(each), "Idempotency-Key", '"' + key + '"'), 422);
        }
    }

    void mistakes()
    {
        for (const auto& each : all_routes())
        {
            expect_status(each, with(call(each), "Host", "another"), 400);
            if (about_assets(each))
                expect_status(each, call(each, "%00"), 400);
        }
        for (const auto& each : all_.routes_with(404))
            expect_status(each, call(each, "nobody-knows", "nobody"), 404);
        for (const auto& each : all_routes())
        {
            auto much = call(each);
            much.body.assign(70000, ' ');
            expect_status(each, much, 413);
        }
        for (const auto& each : all_routes())
        {
            auto far = call(each);
            far.target += "?" + std::string(5000, 'x');
            expect_status(each, far, 414);
        }
        for (const auto& each : all_.routes_with(415))
        {
            expect_status(each, with(call(each), "Content-Type", "text/plain"), 415);
            expect_status(each, with(call(each), "Content-Encoding", "gzip"), 415);
        }
        for (const auto& each : all_routes())
            expect_status(each, with(call(each), "X-Long", std::string(17000, 'x')), 431);
    }

    void credentials()
    {
        for (const auto& each : all_.routes_with(401))
            expect_status(each, anonymous(each, "123", "1"), 401,
                          each.is.user || each.is.stream ? "edge-keys" : "edge");
        for (const auto& each : all_.routes_with(403))
        {
            const auto plain = anonymous(each, "123", "1");
            if (each.is.user || each.is.stream)
                expect_status(each, with(plain, "Authorization", token_of("another")), 403, "edge-keys");
            else
                all_.check(each, plain, http(open_port_, plain), 403);
        }
    }

    void too_often()
    {
        BOOST_TEST(system_.call({"GET", "/events/top"}, "edge-limited").status == 200); // the one that is allowed
        for (const auto& each : all_.routes_with(429))
            expect_status(each, call(each), 429, "edge-limited");
    }

    /// All at once, for each takes the whole body timeout.
    void too_slowly()
    {
        const auto all = all_routes();
        std::vector<raw_connection> links;
        for (const auto& each : all)
        {
            const auto what = call(each);
            links.emplace_back(system_.port("edge-hurried"));
            links.back().send(what.method + ' ' + what.target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{");
        }
        for (std::size_t i = 0; i < all.size(); ++i)
        {
            BOOST_TEST(links[i].wait_for_end());
            const auto bodiless = all[i].is.stream ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
            const auto answers = answers_in(links[i].received(), bodiless);
            BOOST_TEST_REQUIRE(answers.size() == 1U);
            all_.check(all[i], call(all[i]), answers[0], 408);
        }
    }

    void check_that_it_still_plays()
    {
        const http_call play{"POST", "/play/asset/123/user/1"};
        BOOST_TEST(system_.call(play).status == 200);
        BOOST_TEST(system_.call(with(play, "Authorization", token_of("1")), "edge-keys").status == 200);
        BOOST_TEST(system_.call(play, "edge-hurried").status == 200);
        BOOST_TEST(http(open_port_, play).status == 200);
    }

private:
    static marquee_system::settings settings(const std::string& keys)
    {
        marquee_system::settings with;
        with.start.insert(with.start.end(), {"edge-keys", "edge-limited", "edge-hurried"});
        with.extra = {{"edge-keys", {"--jwt-key", keys}},
                      {"edge-limited", {"--rate-address", "0.001:1"}},
                      {"edge-hurried", {"--body-timeout", "200ms"}}};
        return with;
    }

    [[nodiscard]] http_call call(const route& each, const std::string& asset = "123",
                                 const std::string& user = "1") const
    {
        return as_admin(system_, anonymous(each, asset, user));
    }

    void expect_status(const route& each, const http_call& what, int wanted, const std::string& edge = "edge")
    {
        all_.check(each, what, system_.call(what, edge), wanted);
    }

    /// Repeated until its key is counted: until then its second use is not refused.
    http_answer counted_view(const http_call& what)
    {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        auto answer = system_.call(what);
        while (answer.body.find("degraded") != std::string::npos && std::chrono::steady_clock::now() < end)
            answer = system_.call(what);
        return answer;
    }

    witness& all_;
    temporary_folder folder_;
    std::string keys_;
    marquee_system system_;
    std::unique_ptr<process> open_;
    int open_port_ = 0;
};

const std::vector<std::string> service_subjects = {
    "metadata.get.*",     "metadata.put.*",      "metadata.delete.*", "metadata.list", "metadata.search",
    "cdnurl.get.*",       "cdnurl.put.*",        "cdnurl.delete.*",   "cdnurl.list",   "events",
    "reporting.asset.*",  "reporting.top",       "reporting.user.*",  "events.admin",  "reporting.series",
    "reporting.series.*", "reporting.history.*", "reporting.assets",
};

/// The responses that services provoke: they are absent, malformed or silent.
class service_side
{
public:
    explicit service_side(witness& all) : all_(all), system_(settings()) {}

    void absent()
    {
        raw_connection only(system_.port("edge-full"));
        only.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
        BOOST_TEST_REQUIRE(only.wait_for("\"ok\"")); // it is counted
        for (const auto& each : all_routes())
            all_.check(each, call(each),
                       system_.call(call(each), each.is.internal || each.is.stream ? "edge-full" : "edge"), 503);
    }

    void malformed_replies()
    {
        nats_client fakes(system_.broker().url());
        for (const auto& subject : service_subjects)
            fakes.fake(subject, "malformed");
        for (const auto& each : external_routes())
            all_.check(each, call(each), fakes.call(system_.port(), call(each)), 502);
    }

    /// All at once, for each takes the whole deadline. The wiretap subscribes to every subject and
    /// does not reply.
    void silent()
    {
        const auto all = external_routes();
        std::vector<http_call> calls;
        for (const auto& each : all)
            calls.push_back(call(each));
        const wiretap tap(system_.broker().url());
        nats_client caller(system_.broker().url());
        const auto answers = caller.call_all(system_.port("edge-short-deadline"), calls);
        for (std::size_t i = 0; i < all.size(); ++i)
            all_.check(all[i], calls[i], answers[i], 504);
    }

    void check_that_services_are_heard()
    {
        for (const auto* service : {"metadata", "cdnurl", "reporting"})
            system_.start(service);
        for (const auto* edge : {"edge", "edge-short-deadline"})
            BOOST_TEST(
                system_.call_until(200, {"POST", "/play/asset/123/user/1"}, std::chrono::seconds(30), edge).status ==
                200);
    }

private:
    static marquee_system::settings settings()
    {
        marquee_system::settings with;
        with.start = {"edge", "edge-short-deadline", "edge-full"};
        with.extra = {{"edge", {"--timeout", "20s"}},
                      {"edge-short-deadline", {"--timeout", "500ms"}},
                      {"edge-full", {"--max-connections", "1"}}};
        return with;
    }

    [[nodiscard]] http_call call(const route& each) const { return as_admin(system_, anonymous(each, "123", "1")); }

    witness& all_;
    marquee_system system_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(documented_responses)

BOOST_AUTO_TEST_CASE(every_documented_response_occurs)
{
    witness all;
    {
        client_side client(all);
        client.successes();
        client.conditions();
        client.mistakes();
        client.credentials();
        client.too_often();
        client.too_slowly();
        client.check_that_it_still_plays();
    }
    {
        service_side services(all);
        services.absent();
        services.malformed_replies();
        services.silent();
        services.check_that_services_are_heard();
    }
    for (const auto& response : all.never_seen())
        BOOST_ERROR("documented, and never seen: " << response);
}

BOOST_AUTO_TEST_SUITE_END()
