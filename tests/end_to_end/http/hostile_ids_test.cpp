// Ids that try to be something else, in every place where an id enters, with a listener on every
// subject; and odd ids that are real.
#include "edge/routes/routes.hpp"
#include "tests/end_to_end/counted.hpp"
#include "tests/end_to_end/tapped_system.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <set>
#include <utility>

using namespace marquee;
using namespace marquee::test;

namespace json = boost::json;

namespace
{

constexpr const char* metadata_body = R"({"title":"t","genre":"g","summary":"s"})";
constexpr const char* url_body = R"({"url":"u"})";

/// A route that takes an id. `{}` is replaced by the id under test.
struct id_route
{
    std::string method;
    std::string path;
    std::string body;
};

/// Every id of every route of the edge.
std::vector<id_route> id_routes()
{
    std::vector<id_route> all;
    for (const auto& each : all_routes())
    {
        if (each.is.files) // has the path of a file, which goes nowhere
            continue;
        const std::string pattern(each.pattern);
        const std::string body = !each.is.body ? "" : pattern.starts_with("/url") ? url_body : metadata_body;
        for (auto open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1))
        {
            if (pattern.substr(open).starts_with("{code}")) // of a problem: not an id, and not sent on
                continue;
            const std::regex others("\\{[a-z]+\\}");
            const auto before = std::regex_replace(pattern.substr(0, open), others, "123");
            const auto after = std::regex_replace(pattern.substr(pattern.find('}', open) + 1), others, "1");
            all.push_back({std::string(each.method), before + "{}" + after, body});
            if (each.method == "GET")
                all.push_back({"HEAD", before + "{}" + after, body});
        }
    }
    return all;
}

std::string with(std::string pattern, const std::string& id)
{
    pattern.replace(pattern.find("{}"), 2, id);
    return pattern;
}

struct raw_target
{
    const char* target;
    int status;
    const char* code; ///< of a problem; for 404s about an asset, `id` is what the edge took
    std::string id = {};
};

const raw_target raw_targets[] = {
    // decoded once, and taken
    {"/content/asset/%2500", 404, "asset_not_found", "%00"},
    {"/content/asset/%252e%252e", 404, "asset_not_found", "%2e%2e"},
    {"/content/asset/...", 404, "asset_not_found", "..."},
    {"/content/asset/.a", 404, "asset_not_found", ".a"},
    {"/content/asset/a%2Fb", 404, "asset_not_found", "a/b"},
    {"/content/asset/a%3Fb", 404, "asset_not_found", "a?b"},
    {"/content/asset/*", 404, "asset_not_found", "*"},
    {"/content/asset/>", 404, "asset_not_found", ">"},
    {"/content/asset/=41", 404, "asset_not_found", "=41"},
    {"/content/asset/=2e", 404, "asset_not_found", "=2e"},
    {"/content/asset/a+b", 404, "asset_not_found", "a+b"},
    {"/content/asset/a.b.*.>", 404, "asset_not_found", "a.b.*.>"},
    {"/content/asset/\xC3\xA9", 404, "asset_not_found", "\xC3\xA9"},
    {"/content/asset/%24JS.API.STREAM.DELETE.EVENTS", 404, "asset_not_found", "$JS.API.STREAM.DELETE.EVENTS"},
    // no path that means another one
    {"/content/asset/../asset/123", 404, "route_not_found"},
    {"/content/asset/x/../123", 404, "route_not_found"},
    {"/content/./asset/123", 404, "route_not_found"},
    {"/content//asset/123", 404, "route_not_found"},
    {"/content/asset//", 404, "route_not_found"},
    {"/content/asset", 404, "route_not_found"},
    {"/content/asset/a/b", 404, "route_not_found"},
    {"/%63ontent/asset/123%2F", 404, "asset_not_found", "123/"},
    // refused
    {"/content/asset/%2e%2E", 400, "bad_id"},
    {"/content/asset/..", 400, "bad_id"},
    {"/content/asset/.", 400, "bad_id"},
    {"/content/asset/%2E", 400, "bad_id"},
    {"/events/asset/..", 400, "bad_id"},
    {"/events/user/%2e", 400, "bad_id"},
    {"/content/asset/", 400, "bad_id"},
    {"/events/user/", 400, "bad_id"},
    {"/content/asset/%", 400, "bad_request"},
    {"/content/asset/%4", 400, "bad_request"},
    {"/content/asset/%zz", 400, "bad_request"},
    {"/content/asset/%u0041", 400, "bad_request"},
    {"/content/asset/a b", 400, "bad_request"},
    {"/content/asset/a\tb", 400, "bad_request"},
    {"/content/asset/a\x7F", 400, "bad_request"},
    {"/content/asset/123#x", 400, "bad_request"},
    {"/content/asset/\xC0\xAF", 400, "bad_id"},
    {"/content/asset/\xED\xA0\x80", 400, "bad_id"},
    {"/content/asset/\xFF", 400, "bad_id"},
};

/// Tokens that are subject tokens to NATS and no ids in canonical form.
const std::string wrong_tokens[] = {
    "=41",  "a=42c", "=5F",   "=2D",   "=30",    "=2e", "=c3=A9", "=C3=a9",    "=",        "a=",
    "=4",   "a=2",   "=G0",   "=0G",   "==",     "=2",  "*",      ">",         "a/b",      "a:b",
    "a+b",  "%41",   "%00",   "a%2Eb", "$SRV",   "\"",  "{}",     "a\\b",      "\xC3\xA9", "\xC0\xAF",
    "\xFF", "=2E=2", "a=2E=", "=00",   "=0D=0A", "~",   "a,b",    "=ED=A0=80", "=C0=80",   "=7F",
};

/// Every subject that takes an id.
const char* const id_subjects[] = {
    "metadata.get.{}",  "metadata.put.{}",    "metadata.delete.{}", "cdnurl.get.{}",        "cdnurl.put.{}",
    "cdnurl.delete.{}", "reporting.asset.{}", "reporting.user.{}",  "reporting.views.{}.1", "reporting.views.123.{}",
};

std::string body_for(std::string_view subject)
{
    if (subject.starts_with("metadata.put"))
        return metadata_body;
    return subject.starts_with("cdnurl.put") ? url_body : "";
}

json::object body_of(const message& reply) { return json::parse(reply.data).as_object(); }

/// The error number of a reply; empty for a success, `none` without any reply.
std::string error_of(const std::optional<message>& reply)
{
    return reply ? std::string(reply->headers.get("Nats-Service-Error-Code")) : "none";
}

std::int64_t events_rejected(wiretap& tap)
{
    const auto stats = tap.request("$SRV.STATS.reporting");
    BOOST_TEST_REQUIRE(stats.has_value());
    return body_of(*stats).at("endpoints").at(0).at("data").at("rejected").as_int64();
}

/// Stores an event, and waits until it is counted or rejected.
void store_and_wait(wiretap& tap, const std::string& payload)
{
    const auto stored = tap.request("events", payload);
    BOOST_TEST_REQUIRE(stored.has_value());
    header_list after;
    after.set("Marquee-After", std::to_string(body_of(*stored).at("seq").as_int64()));
    BOOST_TEST_REQUIRE((error_of(tap.request("reporting.views.any.any", "", after)).empty()));
}

std::string event_json(const std::string& event_id, const std::string& asset, const std::string& user)
{
    return R"({"id":)" + event_id + R"(,"asset":)" + asset + R"(,"user":)" + user +
           R"(,"time":"2026-01-31T09:30:00Z"})";
}

std::set<std::string> ids_of_top(const marquee_system& marquee)
{
    std::set<std::string> ids;
    const auto top = marquee.call({"GET", "/events/top?limit=1000"}).json();
    for (const auto& each : top.at("assets").as_array())
        ids.insert(std::string(each.at("id").as_string()));
    return ids;
}

/// Hostile values of an id's member in JSON, as text: escapes that bytes cannot say, and other
/// types.
constexpr const char* wrong_json_ids[] = {
    R"("\ud800")",   R"("\udfff")",
    R"("a\ud83cb")", R"("\ude00\ud83d")",
    R"("\u0000")",   R"("12\u00003")",
    R"("\u0085")",   R"("\u007f")",
    R"("\r\n")",     "7",
    "null",          R"(["a"])",
    R"({"a":1})",    "true",
    R"("a)",         R"("\x41")",
};

} // namespace

BOOST_AUTO_TEST_SUITE(hostile_ids)

BOOST_AUTO_TEST_CASE(an_invalid_id_in_a_path_is_refused_and_nothing_is_sent)
{
    tapped_system system;
    const auto routes = id_routes();
    BOOST_TEST(routes.size() == 21U);
    for (const auto& bad : bad_ids)
    {
        const auto from = system.tap().count();
        for (const auto& route : routes)
        {
            BOOST_TEST_CONTEXT(route.method << ' ' << route.path << ", " << bad.why)
            {
                const auto answer =
                    system.marquee().call_as_admin({route.method, with(route.path, percent(bad.text)), {}, route.body});
                BOOST_TEST(answer.status == 400);
                BOOST_TEST(answer.header("Content-Type") == "application/problem+json");
                if (route.method != "HEAD")
                    BOOST_TEST(answer.text("code") == "bad_id");
            }
        }
        for (const auto& msg : system.about_ids_since(from))
            BOOST_ERROR(bad.why << " was sent to " << printable(msg.subject));
    }
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(a_path_is_decoded_once_and_matches_one_route)
{
    tapped_system system;
    for (const auto& row : raw_targets)
    {
        BOOST_TEST_CONTEXT(printable(row.target))
        {
            const auto from = system.tap().count();
            const auto answer = system.marquee().call_as_admin({"GET", row.target});
            BOOST_TEST(answer.status == row.status);
            BOOST_TEST(answer.text("code") == row.code);
            BOOST_TEST(answer.text("id") == row.id);
            const auto sent = system.about_ids_since(from);
            BOOST_TEST(sent.size() == (row.id.empty() ? 0U : 1U));
            for (const auto& msg : sent)
                BOOST_TEST(msg.subject == "metadata.get." + encode_token(row.id));
        }
    }
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(a_page_cannot_start_after_an_invalid_id)
{
    tapped_system system;
    const auto from = system.tap().count();
    for (const auto& bad : bad_ids)
    {
        for (const std::string path : {"/content/assets?after=", "/url/assets?limit=1&after="})
        {
            BOOST_TEST_CONTEXT(path << bad.why)
            {
                const auto answer = system.marquee().call_as_admin({"GET", path + percent(bad.text)});
                BOOST_TEST(answer.status == 400);
                BOOST_TEST(answer.text("field") == "after");
            }
        }
    }
    BOOST_TEST(system.about_ids_since(from).empty());

    std::vector<std::string> payloads;
    for (const auto& bad : bad_ids)
        payloads.push_back(json_string(bad.text));
    for (const std::string value : wrong_json_ids)
        if (value != "null") // as good as absent
            payloads.push_back(value);
    for (const auto& value : payloads)
    {
        for (const auto* subject : {"metadata.list", "cdnurl.list"})
            BOOST_TEST_CONTEXT(subject << ' ' << printable(value))
            {
                const auto reply = system.tap().request(subject, R"({"after":)" + value + '}');
                BOOST_TEST(error_of(reply) == "400");
            }
    }
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(a_token_that_is_not_an_id_is_refused_by_every_endpoint)
{
    tapped_system system;
    std::vector<std::string> tokens(std::begin(wrong_tokens), std::end(wrong_tokens));
    for (const auto& bad : bad_ids)
        if (!bad.text.empty())
            tokens.push_back(encode_token(bad.text));
    const auto from = system.tap().count();
    for (const auto& token : tokens)
    {
        for (const auto* pattern : id_subjects)
        {
            const auto subject = with(pattern, token);
            BOOST_TEST_CONTEXT(printable(subject))
            {
                const auto reply = system.tap().request(subject, body_for(subject));
                BOOST_TEST(error_of(reply) == "400");
                if (reply)
                    BOOST_TEST(reply->headers.get("Nats-Service-Error") == "Bad id");
            }
        }
    }
    for (const auto& msg : system.about_ids_since(from))
        BOOST_ERROR("something was sent to " << printable(msg.subject));
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(a_subject_of_another_shape_reaches_no_endpoint)
{
    tapped_system system;
    std::set<std::string> unanswered;
    for (const std::string subject :
         {"metadata.get", "metadata.get.a.b", "metadata.get.123.", "metadata.get..123", "metadata.", "METADATA.get.123",
          "metadata.GET.123", "metadata.list.123", "metadata", "metadata.put.a.b", "cdnurl.get.a.b", "cdnurl.*",
          "reporting.views.1", "reporting.views.1.2.3", "reporting.top.1", "events.1", "events.123.1",
          "reporting.asset.>.x"})
    {
        const auto reply = system.tap().new_reply();
        unanswered.insert(reply);
        BOOST_TEST(system.tap().publish(subject, body_for(subject), {}, reply), subject);
    }
    // What would start another protocol line or set a reply subject cannot be put on the wire at
    // all.
    for (const std::string subject :
         {"metadata.get.a b", "metadata.get.1\r\nPUB x 0\r\n", "metadata.get.\t", "metadata.get.\x01"})
        BOOST_TEST(!system.tap().publish(subject, "", {}, system.tap().new_reply()), printable(subject));
    system.fence();
    // Where not even a listener on `>` hears a subject, the broker says so: an empty message, of
    // whose header nothing is left here.
    for (const auto& msg : system.tap().seen())
        if (unanswered.contains(msg.subject) && !(msg.data.empty() && msg.headers.empty()))
            BOOST_ERROR("an answer on " << msg.subject << ": " << msg.data);
    BOOST_TEST(ids_of_top(system.marquee()).empty());
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(an_event_with_an_invalid_id_is_rejected_and_counted_as_rejected)
{
    tapped_system system;
    std::vector<std::string> payloads{"",    "no colon",           ":",    "::", "a:", ":u", "{", "{}", "[]",
                                      "{:}", R"({"asset":"1"}:1)", "a\r:u"};
    int n = 0;
    const auto fresh = [&n] { return json_string("e" + std::to_string(++n)); };
    for (const auto& bad : bad_ids)
    {
        if (bad.text.find('\n') == std::string::npos) // else the payload has lines, which count by themselves
        {
            payloads.push_back(bad.text + ":u");
            payloads.push_back("a:" + bad.text);
        }
        payloads.push_back(event_json(fresh(), json_string(bad.text), "\"u\""));
        payloads.push_back(event_json(fresh(), "\"a\"", json_string(bad.text)));
    }
    for (const auto* value : wrong_json_ids)
    {
        payloads.push_back(event_json(fresh(), value, "\"u\""));
        payloads.push_back(event_json(fresh(), "\"a\"", value));
        payloads.push_back(event_json(value, "\"a\"", "\"u\""));
    }
    for (const auto& id : {std::string(), std::string(65, 'a'), "a b"s, "*>"s, "a/b"s, "é"s})
        payloads.push_back(event_json(json_string(id), "\"a\"", "\"u\""));

    const auto expected = static_cast<std::int64_t>(payloads.size());
    const auto last = std::exchange(payloads.back(), std::string());
    payloads.pop_back();
    for (const auto& payload : payloads)
        BOOST_TEST(system.tap().publish("events", payload));
    store_and_wait(system.tap(), last);
    BOOST_TEST(events_rejected(system.tap()) == expected);
    BOOST_TEST(ids_of_top(system.marquee()).empty());

    // The next good one counts.
    store_and_wait(system.tap(), "a:u");
    BOOST_TEST(system.marquee().call({"GET", "/events/asset/a"}).number("views") == 1);
    BOOST_TEST(system.marquee().call({"GET", "/events/user/u"}).number("views") == 1);
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(an_id_that_no_browser_can_send_is_refused_in_every_route)
{
    tapped_system system;
    const auto from = system.tap().count();
    for (const std::string id : {".", "..", "%2E", "%2e%2E"})
        for (const auto& route : id_routes())
            BOOST_TEST_CONTEXT(route.method << ' ' << route.path << ", " << id)
            {
                const auto answer =
                    system.marquee().call_as_admin({route.method, with(route.path, id), {}, route.body});
                BOOST_TEST(answer.status == 400);
                if (route.method == "HEAD")
                    continue;
                BOOST_TEST(answer.text("code") == "bad_id");
                BOOST_TEST((answer.text("field") == "asset" || answer.text("field") == "user"));
            }
    for (const auto& msg : system.about_ids_since(from))
        BOOST_ERROR("something was sent to " << printable(msg.subject));
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(an_unusual_valid_id_works_in_every_route)
{
    tapped_system system;
    auto& marquee = system.marquee();
    std::set<std::string> stored{"123", "456"};
    for (const auto& [text, token] : real_ids)
    {
        if (!is_path_id(text))
            continue;
        BOOST_TEST_CONTEXT(printable(text))
        {
            const auto id = percent(text);
            BOOST_TEST(marquee.call_as_admin({"POST", "/content/asset/" + id, {}, metadata_body}).status == 200);
            BOOST_TEST(marquee.call_as_admin({"POST", "/url/asset/" + id, {}, url_body}).status == 200);
            stored.insert(text);
            BOOST_TEST(marquee.call({"GET", "/content/asset/" + id}).text("id") == text);
            BOOST_TEST(marquee.call_as_admin({"GET", "/url/asset/" + id}).text("id") == text);

            const auto play = counted(marquee, {"POST", "/play/asset/" + id + "/user/" + id}, "play");
            BOOST_TEST_REQUIRE(play.status == 200);
            BOOST_TEST(play.text("id") == text);
            BOOST_TEST(play.number("assetviews") == 1);
            BOOST_TEST(play.number("userviews") == 1);
            const auto event = counted(marquee, {"POST", "/events/asset/" + id + "/user/" + id}, "event");
            BOOST_TEST(event.number("assetviews") == 2);
            BOOST_TEST(event.number("userviews") == 2);
            const auto views = marquee.call({"GET", "/events/asset/" + id});
            BOOST_TEST(views.text("id") == text);
            BOOST_TEST(views.number("views") == 2);
            BOOST_TEST(marquee.call({"GET", "/events/user/" + id}).number("views") == 2);
            for (const auto* subject : {"metadata.get.", "cdnurl.get.", "reporting.asset.", "reporting.user."})
            {
                const auto reply = system.tap().request(subject + token);
                BOOST_TEST_REQUIRE(error_of(reply).empty());
                BOOST_TEST(body_of(*reply).at("id").as_string() == text);
            }
        }
    }
    for (const std::string path : {"/content", "/url"})
    {
        std::vector<std::string> listed;
        for (std::string after; listed.size() <= stored.size();)
        {
            const auto page = marquee.call_as_admin(
                {"GET", path + "/assets?limit=7" + (after.empty() ? "" : "&after=" + percent(after))});
            const auto body = page.json();
            for (const auto& each : body.at("assets").as_array())
                listed.emplace_back(each.at("id").as_string());
            after = page.text("next");
            if (after.empty())
                break;
        }
        BOOST_TEST(listed == std::vector<std::string>(stored.begin(), stored.end()), boost::test_tools::per_element());
    }
    for (const auto& [text, token] : real_ids)
    {
        if (!is_path_id(text))
            continue;
        const auto id = percent(text);
        BOOST_TEST_CONTEXT(printable(text))
        {
            for (const std::string path : {"/content/asset/", "/url/asset/"})
            {
                BOOST_TEST(marquee.call_as_admin({"DELETE", path + id}).status == 200);
                const auto gone = marquee.call_as_admin({"GET", path + id});
                BOOST_TEST(gone.status == 404);
                BOOST_TEST(gone.text("id") == text);
            }
        }
    }
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(an_unusual_valid_id_works_on_every_subject)
{
    tapped_system system;
    auto& tap = system.tap();
    int n = 0;
    for (const auto& [text, token] : real_ids)
    {
        BOOST_TEST_CONTEXT(printable(text))
        {
            const auto number = std::to_string(++n);
            const auto viewer = "viewer-" + number;
            for (const std::string service : {"metadata", "cdnurl"})
            {
                const auto put = service + ".put.";
                const bool taken = is_path_id(text);
                BOOST_TEST(error_of(tap.request(put + token, body_for(put))) == (taken ? "" : "400"));
                if (taken)
                    continue;
                // Such a record may be there all the same; what is put after it is served after it.
                const auto record = R"({"id":)" + json_string(text) + ',' + body_for(put).substr(1);
                BOOST_TEST(tap.request("$KV." + service + '.' + token, record).has_value());
                BOOST_TEST(error_of(tap.request(put + "after", body_for(put))).empty());
                BOOST_TEST(error_of(tap.request(service + ".get." + token)).empty());
            }
            for (const auto* subject : {"metadata.list", "cdnurl.list"})
            {
                const auto reply = tap.request(subject, R"({"limit":1,"after":)" + json_string(text) + '}');
                BOOST_TEST(error_of(reply).empty());
            }
            store_and_wait(tap, text + ':' + viewer); // split at the last colon, whatever the asset holds
            store_and_wait(tap, event_json(json_string("e" + number), json_string(text), json_string(viewer)));
            store_and_wait(tap,
                           event_json(json_string("f" + number), json_string("asset-" + number), json_string(text)));
            const auto seen = tap.request("reporting.views." + token + '.' + viewer);
            BOOST_TEST_REQUIRE(error_of(seen).empty());
            BOOST_TEST(body_of(*seen).at("assetviews").as_int64() == 2);
            BOOST_TEST(body_of(*seen).at("userviews").as_int64() == 2);
            const auto user = tap.request("reporting.views.asset-" + number + '.' + token);
            BOOST_TEST_REQUIRE(error_of(user).empty());
            BOOST_TEST(body_of(*user).at("assetviews").as_int64() == 1);
            BOOST_TEST(body_of(*user).at("userviews").as_int64() == 1);
            for (const auto* subject : {"metadata.delete.", "cdnurl.delete."})
            {
                BOOST_TEST(error_of(tap.request(subject + token)).empty());
                BOOST_TEST(error_of(tap.request(subject + token)) == "404");
            }
        }
    }
    BOOST_TEST(events_rejected(tap) == 0);
    const auto most_viewed = ids_of_top(system.marquee());
    for (const auto& id : real_ids)
        BOOST_TEST(most_viewed.contains(id.text), printable(id.text));
    system.check_aftermath();
}

BOOST_AUTO_TEST_CASE(a_key_of_a_bucket_that_is_not_an_id_is_not_an_asset)
{
    tapped_system system;
    auto& tap = system.tap();
    std::vector<std::string> keys{"a.b", "a.", "123.x", "456.>"};
    keys.insert(keys.end(), std::begin(wrong_tokens), std::end(wrong_tokens));
    for (const auto& key : keys)
        for (const auto* bucket : {"$KV.metadata.", "$KV.cdnurl."})
            BOOST_TEST(tap.publish(bucket + key, "{}"), printable(key));
    for (const std::string name : {"metadata", "cdnurl"})
    {
        // A change made after them is served after them.
        BOOST_TEST(error_of(tap.request(name + ".put.last", body_for(name + ".put"))).empty());
        BOOST_TEST(error_of(tap.request(name + ".get.a")) == "404");
        BOOST_TEST(error_of(tap.request(name + ".get.A")) == "404");
        const auto page = tap.request(name + ".list");
        BOOST_TEST_REQUIRE(error_of(page).empty());
        BOOST_TEST(body_of(*page).at("assets").as_array().size() == 3U); // the two seeds, and the last
    }
    BOOST_TEST(system.marquee().call({"POST", "/play/asset/123/user/1"}).text("title") == "It");
}

BOOST_AUTO_TEST_SUITE_END()
