// Checks every request, reply and event of a running system against schemas/json.
#include "edge/routes/routes.hpp"
#include "tests/end_to_end/contract/traffic_check.hpp"
#include "tests/end_to_end/programs.hpp"
#include "tests/end_to_end/tapped_system.hpp"
#include "tests/support/schema_check.hpp"

#include <boost/json/parse.hpp>

#include <set>
#include <thread>

using namespace marquee::test;

namespace
{

using namespace std::chrono_literals;
using marquee::header_list;
using marquee::message;

constexpr const char* metadata_body = R"({"title":"Alien","genre":"horror","summary":"In space","more":["ignored"]})";
constexpr const char* url_body = R"({"url":"path/to/asset789.mp4"})";

/// Makes calls and checks each answer.
class driver
{
public:
    explicit driver(marquee_system& marquee, std::string edge = "edge") : marquee_(marquee), edge_(std::move(edge)) {}

    http_answer call(http_call what, int status)
    {
        what.headers.push_back(marquee_.authorization());
        return call_as_anybody(what, status);
    }

    http_answer call_as_anybody(const http_call& what, int status)
    {
        auto answer = marquee_.call(what, edge_);
        BOOST_TEST(answer.status == status,
                   what.method << ' ' << what.target.substr(0, 80) << ": " << answer.status << ' ' << answer.body);
        check.answer(what, answer);
        return answer;
    }

    traffic_check check;

private:
    marquee_system& marquee_;
    std::string edge_;
};

header_list wrong()
{
    header_list headers;
    headers.set(wrong_on_purpose, "yes");
    return headers;
}

header_list with(const std::string& name, const std::string& value)
{
    header_list headers;
    headers.set(name, value);
    return headers;
}

void drive_catalogue(driver& http, const std::string& kind, const std::string& body)
{
    const auto one = "/" + kind + "/asset/10.5240%2F7791%20%C3%A9";
    const auto all = "/" + kind + "/assets";
    const auto put = http.call({"POST", one, {{"If-None-Match", "*"}}, body}, 200);
    const auto tag = put.header("ETag");
    http.call({"GET", one}, 200);
    http.call({"HEAD", one}, 200);
    http.call({"GET", one, {{"If-None-Match", tag}}}, 304);
    auto changed = body; // equal bytes would make no new revision
    changed.insert(changed.rfind('"'), "!");
    http.call({"POST", one, {{"If-Match", tag}, {"Content-Type", "application/json"}}, changed}, 200);
    http.call({"GET", all}, 200);
    http.call({"GET", all + "?limit=1"}, 200);
    http.call({"GET", all + "?limit=1&after=123"}, 200);

    http.call({"POST", one, {{"If-None-Match", "*"}}, body}, 412);
    http.call({"POST", one, {{"If-Match", tag}}, body}, 412);
    http.call({"DELETE", one, {{"If-Match", tag}}}, 412);
    http.call({"POST", one, {}, "{"}, 400);
    http.call({"POST", one, {}, R"({"title":1,"url":""})"}, 400);
    http.call({"POST", one, {{"Content-Type", "text/plain"}}, body}, 415);
    http.call({"POST", one, {}, std::string(70000, ' ')}, 413);
    http.call({"GET", "/" + kind + "/asset/%00"}, 400);
    http.call({"POST", "/" + kind + "/asset/%FF", {}, body}, 400);
    http.call({"DELETE", "/" + kind + "/asset/"}, 400);
    http.call({"GET", all + "?limit=0"}, 400);
    http.call({"GET", all + "?after=%00"}, 400);
    http.call({"PUT", one}, 405);
    http.call_as_anybody({"POST", one, {}, body}, 401);
    http.call_as_anybody({"DELETE", one, {{"Authorization", "Bearer wrong"}}}, 401);

    http.call({"DELETE", one}, 200);
    http.call({"DELETE", one}, 404);
    http.call({"GET", one}, 404);
}

void drive_views(driver& http)
{
    http.call({"POST", "/play/asset/123/user/anna@example.org"}, 200);
    const http_headers key{{"Idempotency-Key", "\"first\""}};
    http.call({"POST", "/play/asset/456/user/1", key}, 200);
    http.call({"POST", "/play/asset/456/user/1", key}, 200);
    http.call({"POST", "/play/asset/123/user/1", key}, 422);
    http.call({"POST", "/events/asset/123/user/1", key}, 422);
    http.call({"POST", "/events/asset/unknown%20to%20all/user/2"}, 200);
    http.call({"GET", "/events/asset/456"}, 200);
    http.call({"GET", "/events/user/1"}, 200);
    http.call({"GET", "/events/top"}, 200);
    http.call({"GET", "/events/top?limit=1"}, 200);
    http.call({"GET", "/events/top?window=7d&content=true"}, 200);
    http.call({"GET", "/events/top?window=1h&at=2026-01-31T09:30:00Z"}, 200);
    http.call({"GET", "/events/series"}, 200);
    http.call({"GET", "/events/asset/456/series?step=day"}, 200);
    http.call({"GET", "/events/user/1/history?limit=1"}, 200);
    http.call({"GET", "/events/assets?limit=1"}, 200);
    http.call({"HEAD", "/events/assets?limit=1"}, 200);
    http.call({"GET", "/events/assets?limit=1", {{"Accept", "text/csv"}}}, 200);
    http.call({"DELETE", "/events/user/2"}, 200);
    http.call({"DELETE", "/events/user/%00"}, 400);
    http.call({"GET", "/events/series?step=week"}, 400);
    http.call({"GET", "/events/asset/never-seen/series"}, 404);
    http.call({"GET", "/events/user/never-seen/history"}, 404);
    http.call({"GET", "/events/assets?after="}, 400);

    http.call({"POST", "/content/asset/only-described", {}, metadata_body}, 200);
    http.call({"POST", "/play/asset/only-described/user/1"}, 404);
    http.call({"POST", "/play/asset/nobody-knows/user/1"}, 404);
    http.call({"POST", "/play/asset/123/user/%0D%0A"}, 400);
    http.call({"POST", "/play/asset/123/user/1", {{"Idempotency-Key", "a b"}}}, 400);
    http.call({"POST", "/events/asset/%00/user/1"}, 400);
    http.call({"GET", "/events/asset/never-seen"}, 404);
    http.call({"GET", "/events/user/never-seen"}, 404);
    http.call({"GET", "/events/top?limit=1001"}, 400);
    http.call({"HEAD", "/events/live?asset=123"}, 200);
    http.call({"GET", "/events/live?asset=%00"}, 400);
    http.call({"GET", "/events/live", {{"Last-Event-ID", "seven"}}}, 400);
}

/// Plays until lookups and views travel together, and counts come by themselves: an edge finds out
/// by itself that they may.
void drive_together(driver& http, const wiretap& tap)
{
    const auto seen = [&]
    {
        const auto all = tap.seen();
        std::set<std::string> inboxes;
        bool lookups = false;
        bool counts = false;
        for (const auto& msg : all)
        {
            lookups = lookups || msg.subject == "metadata.gets";
            counts = counts || inboxes.contains(msg.subject);
            inboxes.emplace(msg.headers.get(marquee::names::header_counts_to));
        }
        return lookups && counts;
    };
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!seen() && std::chrono::steady_clock::now() < end)
        http.call({"POST", "/play/asset/123/user/1"}, 200);
}

void drive_the_rest(driver& http)
{
    http.call({"GET", "/healthz"}, 200);
    http.call({"GET", "/readyz"}, 200);
    http.call({"GET", "/metrics"}, 200);
    http.call({"HEAD", "/metrics"}, 200);
    http.call({"GET", "/metrics/fleet"}, 200);
    http.call({"HEAD", "/metrics/fleet"}, 200);
    http.call({"GET", "/services"}, 200);
    http.call({"HEAD", "/services"}, 200);
    http.call({"GET", "/openapi.json"}, 200);
    http.call({"HEAD", "/openapi.json"}, 200);
    http.call({"GET", "/problems/bad_id"}, 200);
    http.call({"GET", "/"}, 200);
    http.call({"HEAD", "/"}, 200);
    http.call({"GET", "/page/index.html"}, 200);
    http.call({"GET", "/media/path/to/asset123.mp4"}, 200);
    http.call({"GET", "/media/path/to/asset123.mp4", {{"Range", "bytes=0-9"}}}, 206);
    http.call({"HEAD", "/problems/bad_id"}, 200);
    http.call({"GET", "/problems/nothing"}, 404);
    http.call({"DELETE", "/healthz"}, 405);
    http.call({"GET", "/play/asset/123/user/1"}, 405);
    http.call({"GET", "/nowhere"}, 404);
    http.call({"GET", "/%"}, 400);
    http.call({"GET", "/" + std::string(5000, 'a')}, 414);
    http.call({"GET", "/healthz", {{"X-Long", std::string(17000, 'a')}}}, 431);
    http.call({"GET", "/healthz", {{"Host", "another"}}}, 400);
}

/// Requests that a NATS client may send and the edge never does.
void drive_subjects(wiretap& tap)
{
    for (const std::string service : {"metadata", "cdnurl"})
    {
        const std::string body = service == "metadata" ? metadata_body : url_body;
        for (const auto& [subject, payload] :
             {std::pair(".put.=E4=B8=83", body), std::pair(".get.=E4=B8=83", std::string()),
              std::pair(".list", std::string()), std::pair(".list", std::string(R"({"limit":null})")),
              std::pair(".list", std::string(R"({"limit":1,"after":"123","more":1})")),
              std::pair(".delete.=E4=B8=83", std::string()), std::pair(".get.absent", std::string()),
              std::pair(".delete.absent", std::string())})
            BOOST_TEST(tap.request(service + subject, payload).has_value(), service << subject);
        for (const auto& [subject, payload] :
             {std::pair(".put.1", ""), std::pair(".put.1", "[]"), std::pair(".put.1", "{}"),
              std::pair(".put.=41", "{}"), std::pair(".get.*", ""), std::pair(".delete.=2e", ""),
              std::pair(".list", "no JSON"), std::pair(".list", R"({"limit":0})")})
            BOOST_TEST(tap.request(service + subject, payload, wrong()).has_value(), service << subject);
        BOOST_TEST(tap.request(service + ".put.123", body, with("Marquee-Revision", "0")).has_value()); // lost
        auto no_number = wrong();
        no_number.set("Marquee-Revision", "one");
        BOOST_TEST(tap.request(service + ".delete.123", "", no_number).has_value());
    }
    for (const auto* payload : {"", "{}", R"({"q":"te","sort":"title","limit":1,"more":1})", R"({"tag":null})"})
        BOOST_TEST(tap.request("metadata.search", payload).has_value(), payload);
    for (const auto* payload : {"no JSON", R"({"sort":"views"})", R"({"sort":"title","after":"no place"})"})
        BOOST_TEST(tap.request("metadata.search", payload, wrong()).has_value(), payload);
    for (const auto* subject :
         {"reporting.asset.123", "reporting.asset.absent", "reporting.user.1", "reporting.user.absent",
          "reporting.views.123.1", "reporting.views.absent.absent", "reporting.top", "reporting.series",
          "reporting.series.123", "reporting.history.1", "reporting.assets"})
        BOOST_TEST(tap.request(subject).has_value(), subject);
    for (const auto& [subject, payload] :
         {std::pair("top", R"({"window":"24h"})"), std::pair("series", R"({"step":"day"})"),
          std::pair("history.1", R"({"limit":1})"), std::pair("assets", R"({"limit":1})")})
        BOOST_TEST(tap.request(std::string("reporting.") + subject, payload).has_value(), subject);
    for (const auto& [subject, payload] :
         {std::pair("top", R"({"window":"2h"})"), std::pair("series", R"({"from":"now"})"),
          std::pair("history.1", R"({"after":"x"})"), std::pair("assets", R"({"limit":0})")})
        BOOST_TEST(tap.request(std::string("reporting.") + subject, payload, wrong()).has_value(), subject);
    BOOST_TEST(tap.request("reporting.top", R"({"limit":1})").has_value());
    BOOST_TEST(tap.request("reporting.top", R"({"limit":-1})", wrong()).has_value());
    BOOST_TEST(tap.request("events.admin", R"({"retract":"never-used"})").has_value());
    BOOST_TEST(tap.request("events.admin", "{}", wrong()).has_value());
    BOOST_TEST(tap.request("reporting.live", R"({"after":"0-0","limit":2})").has_value());
    BOOST_TEST(tap.request("reporting.live", R"({"after":"another-1-0"})").has_value());
    BOOST_TEST(tap.request("reporting.live", R"({"after":"0"})", wrong()).has_value());
    BOOST_TEST(tap.request("reporting.live", "", with("Marquee-Timeout", "0")).has_value());
    for (const auto* subject : {"reporting.asset.=", "reporting.user.>", "reporting.views.1.=41"})
        BOOST_TEST(tap.request(subject, "", wrong()).has_value(), subject);
    auto late = with("Marquee-After", "1000000");
    late.set("Marquee-Timeout", "50");
    BOOST_TEST(tap.request("reporting.views.123.1", "", late).has_value());
}

void drive_events(wiretap& tap)
{
    BOOST_TEST(tap.request("events", "123:42").has_value());
    BOOST_TEST(tap.request("events", "10.5240/7791:with:colons:42").has_value());
    BOOST_TEST(tap.request("events", R"({"id":"e1","asset":"é","user":"u","time":"2026-01-31T09:30:00.5Z","more":{}})")
                   .has_value());
    const std::string cloud =
        R"({"specversion":"1.0","source":"/tv","id":"1","subject":"é","user":"u","type":"marquee.)";
    BOOST_TEST(tap.request("events", cloud + R"(play"})").has_value());
    BOOST_TEST(tap.request("events", cloud + R"(other"})", wrong()).has_value());
    for (const auto* payload :
         {"", "no colon", "{}", R"({"id":"e 2","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"})"})
        BOOST_TEST(tap.request("events", payload, wrong()).has_value());
    const auto last = tap.request("events", "last:1");
    BOOST_TEST_REQUIRE(last.has_value());
    const auto sequence = boost::json::parse(last->data).at("seq").as_int64();
    BOOST_TEST(tap.request("reporting.views.last.1", "", with("Marquee-After", std::to_string(sequence))).has_value());
}

/// Each verb to all, to each service by name, and to each instance.
void drive_control(wiretap& tap)
{
    for (const std::string verb : {"PING", "INFO", "STATS"})
    {
        const auto reply = tap.new_reply();
        const auto from = tap.count();
        BOOST_TEST(tap.publish("$SRV." + verb, "", {}, reply));
        std::set<std::string> instances;
        const auto all_three = [&](const message& msg)
        {
            if (msg.subject == reply)
            {
                const auto body = boost::json::parse(msg.data);
                instances.insert(std::string(body.at("name").as_string()) + '.' +
                                 std::string(body.at("id").as_string()));
            }
            return instances.size() == 3;
        };
        BOOST_TEST(tap.wait_for(all_three, from).has_value());
        for (const auto& instance : instances)
        {
            BOOST_TEST(tap.request("$SRV." + verb + '.' + instance.substr(0, instance.find('.'))).has_value());
            BOOST_TEST(tap.request("$SRV." + verb + '.' + instance).has_value());
        }
    }
}

/// Waits until the wiretap has seen `much` deliveries of events and of entries.
void wait_for_deliveries(wiretap& tap, std::size_t sent)
{
    std::size_t delivered = 0;
    const auto count = [&](const message& msg)
    {
        delivered += msg.subject == "events" && msg.reply.starts_with("$JS.ACK.") ? 1 : 0;
        return delivered >= sent;
    };
    BOOST_TEST(tap.wait_for(count).has_value());
}

/// Makes a call whose lookup the test answers in place of a service.
http_answer call_answered_with(const marquee_system& marquee, wiretap& tap, const http_call& what,
                               const std::string& subject, const std::string& data, const header_list& headers,
                               const std::function<void()>& meanwhile = {})
{
    http_answer answer;
    const auto from = tap.count();
    std::thread client([&] { answer = marquee.call(what); });
    const auto request = tap.wait_for([&](const message& msg) { return msg.subject == subject; }, from);
    if (request && meanwhile)
        meanwhile();
    if (request)
        tap.publish(request->reply, data, headers);
    client.join();
    BOOST_TEST(request.has_value());
    return answer;
}

header_list service_error(const std::string& text, const std::string& number)
{
    auto headers = with("Nats-Service-Error", text);
    headers.set("Nats-Service-Error-Code", number);
    return headers;
}

} // namespace

BOOST_AUTO_TEST_SUITE(live_schema)

BOOST_AUTO_TEST_CASE(requests_replies_and_events_fit_their_schemas)
{
    tapped_system system;
    driver http(system.marquee());
    drive_catalogue(http, "content", metadata_body);
    drive_catalogue(http, "url", url_body);
    drive_views(http);
    drive_together(http, system.tap());
    BOOST_TEST(system.marquee().call_until(200, {"GET", "/readyz"}).status == 200); // cached for a second
    drive_the_rest(http);
    drive_subjects(system.tap());
    drive_events(system.tap());
    drive_control(system.tap());
    system.fence();

    const auto all = system.tap().seen();
    http.check.messages(all, true);
    BOOST_TEST(system.tap().lost() == 0U);
    const auto& seen = http.check.seen();
    for (const std::string endpoint :
         {"metadata.get", "metadata.put", "metadata.delete", "metadata.list", "metadata.search", "cdnurl.get",
          "cdnurl.put", "cdnurl.delete", "cdnurl.list", "reporting.asset", "reporting.user", "reporting.views",
          "reporting.top", "reporting.series", "reporting.history", "reporting.assets", "reporting.live"})
        for (const auto* outcome : {" ok", " error"})
            BOOST_TEST(seen.contains(endpoint + outcome), "not seen: " << endpoint << outcome);
    for (const auto& each : marquee::all_routes())
    {
        const auto route = std::string(each.method) + ' ' + std::string(each.pattern);
        BOOST_TEST((seen.contains(route + " ok") || (each.is.stream && seen.contains(route + " head"))),
                   "not seen: " << route << " ok");
        BOOST_TEST((seen.contains(route + " error") || each.is.internal), "not seen: " << route << " error");
    }
    for (const auto* what : {"events sent JSON",
                             "events sent text",
                             "events wrong",
                             "events stored JSON",
                             "events stored text",
                             "events rejected",
                             "$KV.metadata sent",
                             "$KV.metadata stored",
                             "$KV.metadata sent marker",
                             "$KV.metadata stored marker",
                             "$KV.cdnurl sent",
                             "$KV.cdnurl stored",
                             "$SRV.PING ok",
                             "$SRV.INFO ok",
                             "$SRV.STATS ok",
                             "GET /content/asset/{asset} 304",
                             "GET /url/asset/{asset} 304",
                             "GET /content/asset/{asset} head",
                             "metadata.gets ok",
                             "cdnurl.gets ok",
                             "events counts",
                             "events.admin sent",
                             "events.admin stored",
                             "GET /events/assets csv"})
        BOOST_TEST(seen.contains(what), "not seen: " << what);
    auto names = schema_names();
    std::erase(names, "views_reply"); // of an element, not of a message
    BOOST_TEST(http.check.schemas() == std::set<std::string>(names.begin(), names.end()),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(messages_fit_their_schemas_while_services_are_absent)
{
    marquee_system::settings with;
    with.start.emplace_back("edge-2");
    with.extra = {{"edge-2", {"--timeout", "1s"}}};
    tapped_system system(with);
    auto& marquee = system.marquee();
    driver http(marquee, "edge-2");

    // The wiretap subscribes to every subject, so an absent service is silent here.
    marquee.stop("reporting");
    BOOST_TEST(http.call({"POST", "/play/asset/123/user/1"}, 200).json().at("degraded").as_array().size() == 1U);
    BOOST_TEST(http.call({"POST", "/events/asset/123/user/1"}, 200).json().at("degraded").as_array().size() == 1U);
    http.call({"GET", "/events/asset/123"}, 504);
    http.call({"GET", "/events/top"}, 504);
    marquee.start("reporting");
    wait_for_deliveries(system.tap(), 2);
    marquee.stop("metadata");
    http.call({"POST", "/play/asset/123/user/1"}, 504);
    http.call({"POST", "/content/asset/1", {}, metadata_body}, 504);
    http.call({"GET", "/content/assets"}, 504);
    marquee.start("metadata");
    http.call({"POST", "/play/asset/123/user/1"}, 200);
    system.fence();
    http.check.messages(system.tap().seen(), false);

    marquee.broker().kill();
    BOOST_TEST(marquee.call_until(503, {"GET", "/readyz"}, 20s, "edge-2").status == 503);
    http.call({"GET", "/readyz"}, 503);
    http.call({"GET", "/services"}, 503);
    http.call({"GET", "/metrics"}, 200);
    http.call({"GET", "/healthz"}, 200);
    http.call({"POST", "/play/asset/123/user/1"}, 503);
    http.call({"POST", "/events/asset/123/user/1"}, 503);
    http.call({"DELETE", "/url/asset/123"}, 503);
    marquee.broker().restart();
    BOOST_TEST(marquee.call_until(200, {"POST", "/play/asset/123/user/1"}, 60s, "edge-2").status == 200);
    for (const auto* code : {"timeout", "outcome_unknown", "disconnected"})
        BOOST_TEST(http.check.codes().contains(code), "not seen: " << code);
}

BOOST_AUTO_TEST_CASE(an_absent_service_or_a_malformed_reply_gives_a_problem_that_fits_its_schema)
{
    marquee_system::settings with;
    with.start = {"edge"};
    with.extra = {{"edge", {"--max-in-flight", "1", "--timeout", "60s"}}};
    marquee_system marquee(with);
    driver http(marquee);
    for (const auto* target : {"/content/asset/1", "/url/assets", "/events/top"})
        http.call({"GET", target}, 503);
    http.call({"POST", "/play/asset/1/user/1"}, 503);
    http.call({"POST", "/events/asset/1/user/1"}, 503);

    const temporary_folder folder;
    const auto open_edge = start("edge", folder, {"--server", marquee.broker().url()});
    const auto line = serves("edge", *open_edge);
    BOOST_TEST_REQUIRE(line.has_value());
    const http_call forbidden{"POST", "/content/asset/1", {}, metadata_body};
    http.check.answer(forbidden, marquee::test::http(port_in(*line), forbidden));

    wiretap tap(marquee.broker().url());
    const http_call get{"GET", "/content/asset/1"};
    const auto one_more = [&] { http.call({"GET", "/content/asset/2"}, 503); };
    const auto garbage = call_answered_with(marquee, tap, get, "metadata.get.1", "garbage", {}, one_more);
    BOOST_TEST(garbage.status == 502);
    http.check.answer(get, garbage);
    struct row
    {
        const char* text;
        const char* number;
        int status;
    };
    for (const auto& [text, number, status] :
         {row{"It failed", "500", 502}, row{"unavailable", "503", 503}, row{"overloaded", "503", 503},
          row{"Bad id", "400", 400}, row{"Too many requests", "429", 429}, row{"Forbidden", "403", 502},
          row{"no number", "x", 502}})
    {
        const auto body = R"({"status":")" + std::string(text) + R"("})";
        const auto answer = call_answered_with(marquee, tap, get, "metadata.get.1", body, service_error(text, number));
        BOOST_TEST(answer.status == status, text);
        http.check.answer(get, answer);
    }
    const std::set<std::string> expected{"no_responders",  "forbidden",   "malformed_reply", "overloaded",
                                         "service_failed", "unavailable", "bad_id",          "rate_limited"};
    BOOST_TEST(http.check.codes() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
