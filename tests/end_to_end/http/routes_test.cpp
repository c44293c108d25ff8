// Every route of contract section 4 on a system without faults: good input, and each way of getting
// it wrong.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <tuple>

namespace
{

using namespace marquee::test;

marquee_system::settings plain() { return {}; }
using shared = shared_system<plain>;

http_answer send(const http_call& call) { return shared::system->call(call); }
http_answer send_as_admin(const http_call& call) { return shared::system->call_as_admin(call); }

void check_that_it_still_plays() { BOOST_TEST(send({"POST", "/play/asset/123/user/still"}).status == 200); }

/// The routes with ids; `{}` is the one that varies.
const std::vector<http_call> routes_with_ids = {
    {"POST", "/play/asset/{}/user/1"},
    {"POST", "/play/asset/123/user/{}"},
    {"GET", "/content/asset/{}"},
    {"POST", "/content/asset/{}", {}, metadata_body},
    {"DELETE", "/content/asset/{}"},
    {"GET", "/url/asset/{}"},
    {"POST", "/url/asset/{}", {}, url_body},
    {"DELETE", "/url/asset/{}"},
    {"GET", "/events/asset/{}"},
    {"GET", "/events/asset/{}/series"},
    {"GET", "/events/user/{}"},
    {"GET", "/events/user/{}/history"},
    {"DELETE", "/events/user/{}"},
    {"POST", "/events/asset/{}/user/1"},
    {"POST", "/events/asset/123/user/{}"},
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Puts, reads, plays, counts and deletes one asset through every route that has an id.
void use_asset(const std::string& id)
{
    const auto asset = percent(id);
    const auto content = "/content/asset/" + asset;
    const auto url = "/url/asset/" + asset;
    const auto& user = asset; // any text that is an asset's id may be a user's

    const auto put = send_as_admin({"POST", content, {}, metadata_body});
    check_json(put, 200, R"({"status":"ok","revision":)" + std::to_string(put.number("revision")) + "}");
    BOOST_TEST(put.header("ETag").starts_with('"' + std::to_string(put.number("revision")) + '-'));
    const auto shown = R"({"id":")" + id + R"(",)" + metadata_body.substr(1);
    const auto found = send({"GET", content});
    check_json(found, 200, shown);
    BOOST_TEST(found.header("ETag") == put.header("ETag"));
    BOOST_TEST(has(send({"GET", "/content/assets?limit=1000"}).body, shown));

    check_problem(send({"POST", "/play/asset/" + asset + "/user/" + user}), 404, "not_playable");
    BOOST_TEST(send_as_admin({"POST", url, {}, url_body}).status == 200);
    const auto where = R"({"id":")" + id + R"(",)" + url_body.substr(1);
    check_json(send_as_admin({"GET", url}), 200, where);
    BOOST_TEST(has(send_as_admin({"GET", "/url/assets?limit=1000"}).body, where));

    const auto page = shown.substr(0, shown.size() - 1) + "," + url_body.substr(1, url_body.size() - 2);
    const auto played = counted(*shared::system, {"POST", "/play/asset/" + asset + "/user/" + user}, "1");
    check_json(played, 200, page + R"(,"userviews":1,"assetviews":1})");
    BOOST_TEST(played.header("Cache-Control") == "no-store");
    const auto recorded = counted(*shared::system, {"POST", "/events/asset/" + asset + "/user/" + user}, "2");
    check_json(recorded, 200, R"({"userviews":2,"assetviews":2})");
    BOOST_TEST(recorded.header("Cache-Control") == "no-store");
    const auto views = R"({"id":")" + id + R"(","views":2)";
    const auto of_asset = views + R"(,"viewers":1,"last":")";
    BOOST_TEST(send({"GET", "/events/asset/" + asset}).body.starts_with(of_asset));
    BOOST_TEST(send({"GET", "/events/user/" + user}).body.starts_with(views + R"(,"assets":1,"last":")"));
    BOOST_TEST(has(send({"GET", "/events/top?limit=1000"}).body, views + '}'));
    BOOST_TEST(has(send({"GET", "/events/top?limit=1000&window=24h&content=true"}).body,
                   views + R"(,"title":"Alien","genre":"horror"})"));
    BOOST_TEST(has(send({"GET", "/events/assets?limit=1000"}).body, of_asset));
    const auto history = send({"GET", "/events/user/" + user + "/history"}).body;
    BOOST_TEST(history.starts_with(R"({"assets":[)" + views + R"(,"last":")"));
    const auto series = send({"GET", "/events/asset/" + asset + "/series?step=day"}).body;
    BOOST_TEST(series.starts_with(R"({"id":")" + id + R"(","step":"day","from":")"));
    BOOST_TEST(has(series, R"(,"views":2})"));

    check_json(send_as_admin({"DELETE", url}), 200, R"({"status":"ok"})");
    check_json(send_as_admin({"DELETE", content}), 200, R"({"status":"ok"})");
    check_problem(send({"GET", content}), 404, "asset_not_found");
    check_problem(send_as_admin({"GET", url}), 404, "asset_not_found");
    BOOST_TEST(send({"GET", "/events/asset/" + asset}).number("views") == 2); // what was seen was seen
    BOOST_TEST(!has(send({"GET", "/events/top?limit=1000&content=true"}).body, views + ','));

    check_json(send_as_admin({"DELETE", "/events/user/" + user}), 200, R"({"status":"ok"})");
    check_problem(send({"GET", "/events/user/" + user}), 404, "user_not_found");
    check_problem(send({"GET", "/events/user/" + user + "/history"}), 404, "user_not_found");
    BOOST_TEST(has(send({"GET", "/events/assets?limit=1000"}).body, views + R"(,"viewers":0,"last":")"));
}

} // namespace

BOOST_AUTO_TEST_SUITE(routes, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(each_route_does_its_work_for_any_valid_id)
{
    const std::string ids[] = {"new",       "10.5240/7791-8534-2C23-9030-8610-5",
                               "a@b.org",   "Amélie – 天使",
                               "two words", "...",
                               "*",         ">",
                               "=41",       "%41",
                               "a/b?c#d",   std::string(128, 'x')};
    for (const auto& id : ids)
        BOOST_TEST_CONTEXT("id " << id)
    use_asset(id);
}

BOOST_AUTO_TEST_CASE(health_and_readiness_are_answered_and_never_cached)
{
    const std::pair<const char*, const char*> table[] = {
        {"/healthz", R"({"status":"ok"})"},
        {"/readyz", R"({"status":"ready","checks":{"metadata":"ok","cdnurl":"ok","events":"ok","reporting":"ok"}})"}};
    for (const auto& [path, body] : table)
    {
        auto answer = send({"GET", path});
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (answer.body != body && std::chrono::steady_clock::now() < end) // a slow machine's services may seem away
            answer = send({"GET", path});
        check_json(answer, 200, body);
        BOOST_TEST(answer.header("Cache-Control") == "no-store");
    }
}

BOOST_AUTO_TEST_CASE(head_answers_as_get_without_the_body)
{
    for (const auto* path :
         {"/content/asset/123", "/content/assets", "/url/asset/123", "/events/top", "/events/series",
          "/events/asset/nix/series", "/events/user/nix/history", "/events/assets?limit=1", "/healthz", "/nowhere"})
        BOOST_TEST_CONTEXT(path)
        {
            const http_headers csv{{"Accept", "text/csv"}};
            const auto whole = send_as_admin({"GET", path, csv});
            const auto head = send_as_admin({"HEAD", path, csv});
            BOOST_TEST(head.status == whole.status);
            BOOST_TEST(head.body.empty());
            for (const auto* name : {"Content-Type", "Content-Length", "ETag", "Vary", "Link"})
                BOOST_TEST(head.header(name) == whole.header(name));
        }
}

BOOST_AUTO_TEST_CASE(an_unknown_id_is_404_with_its_own_code_and_the_id)
{
    const std::tuple<http_call, const char*, const char*> table[] = {
        {{"POST", "/play/asset/nix/user/1"}, "asset_not_found", "Asset not found"},
        {{"GET", "/content/asset/nix"}, "asset_not_found", "Asset not found"},
        {{"DELETE", "/content/asset/nix"}, "asset_not_found", "Asset not found"},
        {{"GET", "/url/asset/nix"}, "asset_not_found", "Asset not found"},
        {{"DELETE", "/url/asset/nix"}, "asset_not_found", "Asset not found"},
        {{"GET", "/events/asset/nix"}, "asset_not_found", "Asset not found"},
        {{"GET", "/events/asset/nix/series"}, "asset_not_found", "Asset not found"},
        {{"GET", "/events/user/nix"}, "user_not_found", "User not found"},
        {{"GET", "/events/user/nix/history"}, "user_not_found", "User not found"},
    };
    for (const auto& [call, code, title] : table)
        BOOST_TEST_CONTEXT(call)
        {
            const auto answer = send_as_admin(call);
            check_problem(answer, 404, code);
            BOOST_TEST(answer.text("title") == title);
            BOOST_TEST(answer.text("id") == "nix");
        }
    check_problem(send({"GET", "/events/asset/nix"}), 404,
                  "asset_not_found"); // the play of an unknown asset counted nothing
    // An event's asset need not be known.
    const auto recorded = counted(*shared::system, {"POST", "/events/asset/unheard-of/user/nobody"}, "k");
    check_json(recorded, 200, R"({"userviews":1,"assetviews":1})");
}

BOOST_AUTO_TEST_CASE(a_bad_id_is_400_on_every_route)
{
    const std::string bad[] = {"",    "%00",    "a%00b",     "%0D%0APUB%20events%200", "%7F",    "%C2%80",
                               "%FF", "%C0%AF", "%ED%A0%80", "%F4%90%80%80",           "%E2%82", std::string(129, 'x')};
    for (const auto& route : routes_with_ids)
        for (const auto& id : bad)
        {
            auto call = route;
            call.target = with_id(call.target, id);
            BOOST_TEST_CONTEXT(call)
            {
                const auto answer = send_as_admin(call);
                check_problem(answer, 400, "bad_id");
                BOOST_TEST(answer.text("field") == (has(route.target, "user/{}") ? "user" : "asset"));
            }
        }
    for (const auto* half : {"%", "%4", "%zz"})
        check_problem(send({"GET", std::string("/content/asset/") + half}), 400, "bad_request");
    check_that_it_still_plays();
}

BOOST_AUTO_TEST_CASE(a_bad_body_is_400_naming_the_member_and_changes_nothing)
{
    const auto metadata = [](const std::string& title, const std::string& genre, const std::string& summary)
    { return R"({"title":)" + title + R"(,"genre":)" + genre + R"(,"summary":)" + summary + "}"; };
    const auto quoted = [](std::size_t size) { return '"' + std::string(size, 'x') + '"'; };
    const std::tuple<const char*, std::string, const char*> table[] = {
        {"/content/asset/bad", "", "body"},
        {"/content/asset/bad", "{", "body"},
        {"/content/asset/bad", "title=Alien", "body"},
        {"/content/asset/bad", "[]", "body"},
        {"/content/asset/bad", "null", "body"},
        {"/content/asset/bad", metadata_body + "x", "body"},
        {"/content/asset/bad", metadata("\"\xff\"", "\"g\"", "\"s\""), "body"},
        {"/content/asset/bad", metadata(R"("\ud800")", "\"g\"", "\"s\""), "body"},
        {"/content/asset/bad", R"({"genre":"g","summary":"s"})", "title"},
        {"/content/asset/bad", R"({"title":"t","summary":"s"})", "genre"},
        {"/content/asset/bad", R"({"title":"t","genre":"g"})", "summary"},
        {"/content/asset/bad", metadata("1", "\"g\"", "\"s\""), "title"},
        {"/content/asset/bad", metadata("\"t\"", "null", "\"s\""), "genre"},
        {"/content/asset/bad", metadata("\"t\"", "\"g\"", "[]"), "summary"},
        {"/content/asset/bad", metadata(quoted(1025), "\"g\"", "\"s\""), "title"},
        {"/content/asset/bad", metadata("\"t\"", quoted(1025), "\"s\""), "genre"},
        {"/content/asset/bad", metadata("\"t\"", "\"g\"", quoted(16385)), "summary"},
        {"/url/asset/bad", "", "body"},
        {"/url/asset/bad", "nonsense", "body"},
        {"/url/asset/bad", R"(["url"])", "body"},
        {"/url/asset/bad", "{}", "url"},
        {"/url/asset/bad", R"({"url":{}})", "url"},
        {"/url/asset/bad", R"({"url":""})", "url"},
        {"/url/asset/bad", R"({"url":)" + quoted(4097) + "}", "url"},
    };
    for (const auto& [path, body, field] : table)
        BOOST_TEST_CONTEXT(path << ' ' << body.substr(0, 60))
        {
            const auto answer = send_as_admin({"POST", path, {}, body});
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(answer.text("field") == field);
            BOOST_TEST(answer.text("id") == "bad");
            check_problem(send_as_admin({"GET", path}), 404, "asset_not_found");
        }
    // At the limit it is good.
    const auto most = metadata(quoted(1024), quoted(1024), quoted(16384));
    BOOST_TEST(send_as_admin({"POST", "/content/asset/most", {}, most}).status == 200);
    BOOST_TEST(send_as_admin({"POST", "/url/asset/most", {}, R"({"url":)" + quoted(4096) + "}"}).status == 200);
    BOOST_TEST(send({"POST", "/play/asset/most/user/1"}).body.size() > 22000U);
    BOOST_TEST(send_as_admin({"DELETE", "/content/asset/most"}).status == 200);
}

BOOST_AUTO_TEST_CASE(a_body_of_another_type_is_415_and_one_over_64_KiB_is_413)
{
    const std::pair<const char*, int> table[] = {{"application/json", 200},
                                                 {"Application/JSON; charset=utf-8", 200},
                                                 {"text/plain", 415},
                                                 {"application/x-www-form-urlencoded", 415},
                                                 {"multipart/form-data; boundary=x", 415},
                                                 {"application/jsonx", 415}};
    const std::pair<const char*, const std::string&> routes[] = {{"/content/asset/typed", metadata_body},
                                                                 {"/url/asset/typed", url_body}};
    for (const auto& [path, body] : routes)
    {
        for (const auto& [type, status] : table)
            BOOST_TEST_CONTEXT(path << ' ' << type)
            {
                const auto answer = send_as_admin({"POST", path, {{"Content-Type", type}}, body});
                if (status == 200)
                    BOOST_TEST(answer.status == 200);
                else
                    check_problem(answer, status, "unsupported_media");
            }
        check_problem(send_as_admin({"POST", path, {}, std::string((64U << 10U) + 1, ' ')}), 413, "payload_too_large");
        BOOST_TEST(send_as_admin({"POST", path, {}, body}).status == 200);
    }
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_405_and_names_the_right_ones)
{
    const std::pair<const char*, const char*> table[] = {
        {"/play/asset/123/user/1", "POST"},
        {"/content/asset/123", "GET, HEAD, POST, DELETE"},
        {"/content/assets", "GET, HEAD"},
        {"/url/asset/123", "GET, HEAD, POST, DELETE"},
        {"/url/assets", "GET, HEAD"},
        {"/events/asset/123", "GET, HEAD"},
        {"/events/asset/123/series", "GET, HEAD"},
        {"/events/user/1", "GET, HEAD, DELETE"},
        {"/events/user/1/history", "GET, HEAD"},
        {"/events/series", "GET, HEAD"},
        {"/events/assets", "GET, HEAD"},
        {"/events/top", "GET, HEAD"},
        {"/events/asset/123/user/1", "POST"},
        {"/healthz", "GET, HEAD"},
        {"/readyz", "GET, HEAD"},
        {"/metrics", "GET, HEAD"},
        {"/services", "GET, HEAD"},
        {"/openapi.json", "GET, HEAD"},
    };
    for (const auto& [path, allowed] : table)
        for (const std::string method : {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"})
            BOOST_TEST_CONTEXT(method << ' ' << path)
            {
                if (has(allowed, method))
                    continue;
                const auto answer = send({method, path});
                check_problem(answer, 405, "method_not_allowed");
                BOOST_TEST(answer.header("Allow") == allowed + std::string(", OPTIONS"));
            }
    check_that_it_still_plays();
}

BOOST_AUTO_TEST_CASE(an_unknown_route_is_404_with_a_code_of_its_own)
{
    for (const auto* path : {"/play",
                             "/play/asset/123",
                             "/play/asset/123/user",
                             "/play/asset/123/user/1/",
                             "/play/123/1",
                             "/content",
                             "/content/asset",
                             "/content/asset/123/",
                             "//content/asset/123",
                             "/Content/asset/123",
                             "/content/assets/",
                             "/url",
                             "/events",
                             "/events/asset",
                             "/events/top/",
                             "/events/series/",
                             "/events/asset/123/series/",
                             "/events/user/1/histories",
                             "/healthz/x",
                             "/metrics/",
                             "/services/metadata",
                             "/openapi",
                             "/a%2Fb",
                             "/%2Fhealthz"})
        for (const auto* method : {"GET", "POST", "DELETE"})
            BOOST_TEST_CONTEXT(method << ' ' << path)
    check_problem(send_as_admin({method, path}), 404, "route_not_found");
    check_that_it_still_plays();
}

BOOST_AUTO_TEST_CASE(bad_query_parameters_are_400_and_named)
{
    for (const std::string path : {"/content/assets", "/url/assets"})
        for (const auto* query : {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1&limit=2",
                                  "after=", "after=%00", "after=%FF", "after=a&after=b"})
            BOOST_TEST_CONTEXT(path << '?' << query)
            {
                const auto answer = send_as_admin({"GET", path + '?' + query});
                check_problem(answer, 400, "bad_request");
                BOOST_TEST(answer.text("field") == std::string(query).substr(0, std::string(query).find('=')));
            }
    const std::pair<const char*, std::vector<const char*>> views[] = {
        {"/events/top",
         {"limit=0", "limit=1001", "limit=x", "window=1w", "window=", "at=2026-01-31T09:30:00Z", "content=1",
          "window=1h&window=1h"}},
        {"/events/series",
         {"step=week", "from=now", "to=2026-01-31", "from=2026-01-31T09:00:00+01:00", "from=1970-01-01T00:00:00Z",
          "limit=1"}},
        {"/events/asset/123/series", {"step=", "to=never", "from=2020-01-01T00:00:00Z&step=hour", "after=1"}},
        {"/events/user/still/history", {"limit=0", "after=", "after=%C3%A9", "after=nonsense", "step=day"}},
        {"/events/assets", {"limit=1001", "after=%00", "after=", "window=1h"}},
    };
    check_that_it_still_plays(); // user still has a history
    for (const auto& [path, queries] : views)
        for (const std::string query : queries)
            BOOST_TEST_CONTEXT(path << '?' << query)
            {
                const auto answer = send({"GET", path + ('?' + query)});
                check_problem(answer, 400, "bad_request");
                BOOST_TEST(answer.text("field") == query.substr(0, query.find('=')));
            }
    BOOST_TEST(send({"GET", "/events/series?_=1&step=hour"}).status == 200);
    check_that_it_still_plays();
}

BOOST_AUTO_TEST_CASE(content_and_urls_are_401_without_the_admin_token_or_with_a_wrong_one)
{
    const http_call guarded[] = {{"POST", "/content/asset/123", {}, metadata_body},
                                 {"DELETE", "/content/asset/123"},
                                 {"GET", "/url/asset/123"},
                                 {"POST", "/url/asset/123", {}, url_body},
                                 {"DELETE", "/url/asset/123"},
                                 {"GET", "/url/assets"},
                                 {"DELETE", "/events/user/123"}};
    const auto& token = shared::system->admin_token();
    const http_headers wrong[] = {{},
                                  {{"Authorization", ""}},
                                  {{"Authorization", token}},
                                  {{"Authorization", "Basic " + token}},
                                  {{"Authorization", "Bearer "}},
                                  {{"Authorization", "Bearer " + token + "x"}},
                                  {{"Authorization", "Bearer " + token.substr(1)}},
                                  {{"Authorization", "Bearer " + token}, {"Authorization", "Bearer " + token}}};
    for (auto call : guarded)
        for (const auto& headers : wrong)
        {
            call.headers = headers;
            BOOST_TEST_CONTEXT(call)
            check_problem(send(call), 401, "unauthorized");
        }
    BOOST_TEST(send({"GET", "/content/asset/123"}).text("title") == "It");
    BOOST_TEST(send_as_admin({"GET", "/url/asset/123"}).text("url") == "path/to/asset123.mp4");
}

BOOST_AUTO_TEST_CASE(without_a_configured_admin_token_they_are_403)
{
    process edge(program("marquee-edge"), {"--server", shared::system->broker().url(), "--listen", "127.0.0.1:0"});
    const auto ready = edge.wait_for_line(" ready", std::chrono::seconds(60));
    BOOST_REQUIRE_MESSAGE(ready, edge.output());
    const std::string listen = "listen=127.0.0.1:";
    const int port = std::stoi(ready->substr(ready->find(listen) + listen.size()));
    for (const auto& call : {http_call{"POST", "/content/asset/123", {}, metadata_body},
                             http_call{"DELETE", "/content/asset/123"}, http_call{"GET", "/url/asset/123"},
                             http_call{"POST", "/url/asset/123", {}, url_body}, http_call{"DELETE", "/url/asset/123"},
                             http_call{"GET", "/url/assets"}, http_call{"DELETE", "/events/user/123"}})
        BOOST_TEST_CONTEXT(call)
        {
            check_problem(http(port, call), 403, "forbidden");
            check_problem(http(port, as_admin(*shared::system, call)), 403, "forbidden");
        }
    BOOST_TEST(http(port, {"GET", "/content/asset/123"}).status == 200);
    BOOST_TEST(http(port, {"POST", "/play/asset/123/user/1"}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
