// Every subject of contract section 2, as an operator uses it: without an edge.
#include "tests/end_to_end/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <tuple>

namespace
{

using namespace marquee;
using namespace marquee::test;

marquee_system::settings plain() { return {}; }
using shared = shared_system<plain>;

message request(const std::string& subject, const std::string& payload = {}, const header_list& headers = {})
{
    return shared::client->request(subject, payload, headers);
}

header_list header(const std::string& name, const std::string& value)
{
    header_list headers;
    headers.set(name, value);
    return headers;
}

header_list expecting(const std::string& revision) { return header("Marquee-Revision", revision); }

/// A catalogue service and its record in these tests.
struct catalogue
{
    std::string service;
    std::string body;
};

const catalogue catalogues[] = {{"metadata", metadata_body}, {"cdnurl", url_body}};

/// A body that no other call returns: a put of what stands already is no change.
std::string another_body(const catalogue& in)
{
    static int count = 0;
    return in.body.substr(0, in.body.size() - 2) + ' ' + std::to_string(++count) + "\"}";
}

/// Stores a body and returns the revision as text.
std::string put(const catalogue& in, const std::string& token, const header_list& headers = {},
                const std::string& body = {})
{
    const auto reply = request(in.service + ".put." + token, body.empty() ? in.body : body, headers);
    const auto revision = std::to_string(boost::json::parse(reply.data).at("revision").as_int64());
    check_reply(reply, R"({"status":"ok","revision":)" + revision + "}");
    return revision;
}

/// Checks a reply of reporting.asset or reporting.user but for the time of its last view.
void check_counts(const message& reply, const std::string& expected)
{
    auto found = boost::json::parse(reply.data).as_object();
    BOOST_TEST(found.erase("last") == 1U);
    BOOST_TEST(boost::json::serialize(found) == expected);
}

std::string views_reply(const std::string& id, int views)
{
    return R"({"id":")" + id + R"(","views":)" + std::to_string(views) + "}";
}

std::string counts_reply(int asset, int user)
{
    return R"({"assetviews":)" + std::to_string(asset) + R"(,"userviews":)" + std::to_string(user) + "}";
}

header_list after(std::uint64_t sequence) { return header("Marquee-After", std::to_string(sequence)); }

std::string event(const std::string& id, const std::string& asset, const std::string& user)
{
    return R"({"id":")" + id + R"(","asset":")" + asset + R"(","user":")" + user +
           R"(","time":"2026-01-02T03:04:05Z"})";
}

} // namespace

BOOST_AUTO_TEST_SUITE(subjects_, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_new_store_has_the_demo_assets)
{
    const auto found = request("metadata.get.123");
    check_reply(found, R"({"id":"123","title":"It","genre":"horror","summary":"A very scary movie"})");
    BOOST_TEST(found.headers.get("Marquee-Revision") == "1");
    check_reply(request("metadata.get.456"),
                R"({"id":"456","title":"Terminator","genre":"action","summary":"Summary for terminator"})");
    check_reply(request("cdnurl.get.123"), R"({"id":"123","url":"path/to/asset123.mp4"})");
    check_reply(request("cdnurl.get.456"), R"({"id":"456","url":"path/to/asset456.mp4"})");
}

BOOST_AUTO_TEST_CASE(any_id_can_be_put_read_listed_and_deleted)
{
    const std::pair<const char*, const char*> ids[] = {
        {"789", "789"},
        {"10.5240/7791-8534-2C23-9030-8610-5", "10=2E5240=2F7791-8534-2C23-9030-8610-5"},
        {"a@b.org", "a=40b=2Eorg"},
        {"天 使", "=E5=A4=A9=20=E4=BD=BF"},
        {"*.>", "=2A=2E=3E"},
        {"=41", "=3D41"},
    };
    for (const auto& in : catalogues)
        for (const auto& [id, token] : ids)
            BOOST_TEST_CONTEXT(in.service << ' ' << token)
            {
                const auto revision = put(in, token);
                const auto shown = R"({"id":")" + std::string(id) + R"(",)" + in.body.substr(1);
                const auto found = request(in.service + ".get." + token);
                check_reply(found, shown);
                BOOST_TEST(found.headers.get("Marquee-Revision") == revision);
                const auto all = request(in.service + ".list");
                BOOST_TEST(all.data.find(shown) != std::string::npos);
                check_reply(request(in.service + ".delete." + token), R"({"status":"ok"})");
                check_error(request(in.service + ".get." + token), 404, "Asset not found", id);
                check_error(request(in.service + ".delete." + token), 404, "Asset not found", id);
            }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_not_canonical_is_400_at_any_position)
{
    const std::string bad[] = {"=41",    "=2e", "=",         "=2",  "=zz", "a=00",        "=0D=0A",
                               "=C0=AF", "=FF", "=ED=A0=80", "=7F", "a@b", "caf\xc3\xa9", std::string(129, 'x')};
    const std::tuple<const char*, const char*, const std::string> subjects[] = {
        {"metadata.get.{}", "asset", ""},      {"metadata.put.{}", "asset", metadata_body},
        {"metadata.delete.{}", "asset", ""},   {"cdnurl.get.{}", "asset", ""},
        {"cdnurl.put.{}", "asset", url_body},  {"cdnurl.delete.{}", "asset", ""},
        {"reporting.asset.{}", "asset", ""},   {"reporting.user.{}", "user", ""},
        {"reporting.views.{}.1", "asset", ""}, {"reporting.views.123.{}", "user", ""}};
    for (const auto& [subject, field, body] : subjects)
        for (const auto& token : bad)
            BOOST_TEST_CONTEXT(subject << ' ' << token)
    check_error(request(with_id(subject, token), body), 400, "Bad id", "", field);
    BOOST_TEST(request("metadata.get.123").headers.get("Nats-Service-Error") == "");
}

BOOST_AUTO_TEST_CASE(a_bad_payload_or_header_is_400_and_names_the_field)
{
    struct row
    {
        const char* subject;
        std::string payload;
        header_list headers;
        const char* id;
        const char* field;
    };
    const std::string over(1025, 'x');
    const row table[] = {
        {"metadata.put.bad", "", {}, "bad", ""},
        {"metadata.put.bad", "{", {}, "bad", ""},
        {"metadata.put.bad", "[]", {}, "bad", ""},
        {"metadata.put.bad", "{\"title\":\"\xff\",\"genre\":\"g\",\"summary\":\"s\"}", {}, "bad", ""},
        {"metadata.put.bad", R"({"title":"t","genre":"g"})", {}, "bad", "summary"},
        {"metadata.put.bad", R"({"title":"t","genre":7,"summary":"s"})", {}, "bad", "genre"},
        {"metadata.put.bad", R"({"title":")" + over + R"(","genre":"g","summary":"s"})", {}, "bad", "title"},
        {"metadata.put.bad", R"({"title":"t","genre":")" + over + R"(","summary":"s"})", {}, "bad", "genre"},
        {"metadata.put.bad",
         R"({"title":"t","genre":"g","summary":")" + std::string(16385, 'x') + "\"}",
         {},
         "bad",
         "summary"},
        {"cdnurl.put.bad", "nonsense", {}, "bad", ""},
        {"cdnurl.put.bad", "{}", {}, "bad", "url"},
        {"cdnurl.put.bad", R"({"url":null})", {}, "bad", "url"},
        {"cdnurl.put.bad", R"({"url":""})", {}, "bad", "url"},
        {"cdnurl.put.bad", R"({"url":")" + std::string(4097, 'x') + "\"}", {}, "bad", "url"},
        {"metadata.put.bad", metadata_body, expecting("x"), "bad", "Marquee-Revision"},
        {"metadata.put.bad", metadata_body, expecting("-1"), "bad", "Marquee-Revision"},
        {"metadata.put.bad", metadata_body, expecting(""), "", ""}, // the library cannot read it
        {"cdnurl.put.bad", url_body, expecting("1.5"), "bad", "Marquee-Revision"},
        {"metadata.delete.123", "", expecting("x"), "123", "Marquee-Revision"},
        {"cdnurl.delete.123", "", expecting("x"), "123", "Marquee-Revision"},
        {"metadata.put.bad", metadata_body, header("marquee-revision", "0"), "bad", "marquee-revision"},
        {"metadata.delete.123", "", header("Marquee-Revison", "1"), "123", "Marquee-Revison"},
        {"cdnurl.put.bad", url_body, header("MARQUEE-TAG", "1-1"), "bad", "MARQUEE-TAG"},
        {"cdnurl.delete.123", "", header("Marquee-After", "1"), "123", "Marquee-After"},
        {"metadata.list", "x", {}, "", ""},
        {"metadata.list", "[]", {}, "", ""},
        {"metadata.list", R"({"limit":0})", {}, "", "limit"},
        {"metadata.list", R"({"limit":1001})", {}, "", "limit"},
        {"metadata.list", R"({"limit":"5"})", {}, "", "limit"},
        {"metadata.search", R"({"q":["a"]})", {}, "", "q"},
        {"metadata.search", R"({"sort":"title","after":"1"})", {}, "", "after"},
        {"metadata.put.bad", R"({"title":"\u0000","genre":"","summary":""})", {}, "bad", "title"},
        {"cdnurl.list", R"({"limit":-1})", {}, "", "limit"},
        {"cdnurl.list", R"({"after":7})", {}, "", "after"},
        {"cdnurl.list", R"({"after":""})", {}, "", "after"},
        {"cdnurl.list", "{\"after\":\"\\u0000\"}", {}, "", "after"},
        {"reporting.top", "x", {}, "", ""},
        {"reporting.top", R"({"limit":0})", {}, "", "limit"},
        {"reporting.top", R"({"limit":1001})", {}, "", "limit"},
        {"reporting.top", R"({"window":"2h"})", {}, "", "window"},
        {"reporting.top", R"({"window":"1h","at":"now"})", {}, "", "at"},
        {"reporting.series", R"({"step":"week"})", {}, "", "step"},
        {"reporting.series", R"({"from":"2020-01-01T00:00:00Z"})", {}, "", "from"},
        {"reporting.series.123", R"({"to":7})", {}, "", "to"},
        {"reporting.history.1", R"({"after":"x"})", {}, "", "after"},
        {"reporting.assets", R"({"limit":1001})", {}, "", "limit"},
        {"reporting.views.123.1", "", header("Marquee-After", "x"), "", "Marquee-After"},
        {"reporting.views.123.1", "", header("Marquee-After", "-1"), "", "Marquee-After"},
        {"reporting.views.123.1", "", header("Marquee-Event", "a b"), "", "Marquee-Event"},
        {"reporting.views.123.1", "", header("Marquee-Event", std::string(65, 'e')), "", "Marquee-Event"},
        {"metadata.get.123", "", header("Marquee-Timeout", "soon"), "", "Marquee-Timeout"},
        {"reporting.top", "", header("Marquee-Timeout", "-1"), "", "Marquee-Timeout"},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.subject << ": " << each.payload.substr(0, 60))
    check_error(request(each.subject, each.payload, each.headers), 400, "Bad request", each.id, each.field);
    check_error(request("metadata.get.bad"), 404, "Asset not found", "bad");
    check_error(request("cdnurl.get.bad"), 404, "Asset not found", "bad");
    BOOST_TEST(request("metadata.get.123").headers.get("Marquee-Revision") == "1");
}

BOOST_AUTO_TEST_CASE(a_change_without_time_left_is_a_timeout_and_changes_nothing)
{
    const auto no_time = header("Marquee-Timeout", "0");
    for (const auto& in : catalogues)
    {
        check_error(request(in.service + ".put.late", in.body, no_time), 504, "Deadline exceeded");
        check_error(request(in.service + ".delete.123", "", no_time), 504, "Deadline exceeded");
        check_error(request(in.service + ".get.late"), 404, "Asset not found", "late");
        BOOST_TEST(request(in.service + ".get.123", "", no_time).headers.get("Nats-Service-Error") ==
                   ""); // answered without waiting
    }
}

BOOST_AUTO_TEST_CASE(a_revision_makes_put_and_delete_a_compare_and_set)
{
    for (const auto& in : catalogues)
        BOOST_TEST_CONTEXT(in.service)
        {
            const auto put_subject = in.service + ".put.cas";
            const auto delete_subject = in.service + ".delete.cas";
            const auto lost = [](const message& reply) { check_error(reply, 409, "Revision mismatch", "cas"); };

            lost(request(put_subject, in.body, expecting("1000000"))); // absent, and a revision was expected
            const auto first = put(in, "cas", expecting("0"));         // 0: absent
            lost(request(put_subject, in.body, expecting("0")));
            const auto second = put(in, "cas", expecting(first), another_body(in));
            lost(request(put_subject, in.body, expecting(first)));
            lost(request(delete_subject, "", expecting(first)));
            lost(request(delete_subject, "", expecting("0")));
            BOOST_TEST(request(in.service + ".get.cas").headers.get("Marquee-Revision") == second);

            check_reply(request(delete_subject, "", expecting(second)), R"({"status":"ok"})");
            check_error(request(delete_subject, "", expecting("0")), 404, "Asset not found", "cas");
            lost(request(delete_subject, "", expecting(second)));
            lost(request(put_subject, in.body, expecting(second))); // a deleted record no longer has that revision
            const auto third = put(in, "cas", expecting("0"));      // absent again
            BOOST_TEST(std::stoull(third) > std::stoull(second));
            put(in, "cas", {}, another_body(in)); // without a condition: always
            lost(request(put_subject, in.body, expecting(third)));
            check_reply(request(delete_subject), R"({"status":"ok"})");
        }
}

BOOST_AUTO_TEST_CASE(a_tag_makes_put_and_delete_a_compare_and_set)
{
    for (const auto& in : catalogues)
        BOOST_TEST_CONTEXT(in.service)
        {
            const auto put_subject = in.service + ".put.tagged";
            const auto delete_subject = in.service + ".delete.tagged";
            const auto tag_of = [](const message& reply) { return std::string(reply.headers.get("Marquee-Tag")); };
            const auto at = [](const std::string& tag) { return header("Marquee-Tag", tag); };
            const auto lost = [](const message& reply) { check_error(reply, 409, "Revision mismatch", "tagged"); };

            const auto first = tag_of(request(put_subject, in.body));
            const auto second = tag_of(request(put_subject, another_body(in), at(first)));
            BOOST_TEST(second != first);
            BOOST_TEST(tag_of(request(in.service + ".get.tagged")) == second);
            const auto number = second.substr(0, second.find('-'));
            for (const auto& other :
                 {first, number, number + "-1", second + "0", std::string("999999-1"), std::string("*")})
            {
                lost(request(put_subject, in.body, at(other)));
                lost(request(delete_subject, "", at(other)));
            }
            auto both = at(second);
            both.set("Marquee-Revision", "0");
            lost(request(put_subject, in.body, both));
            const auto marker = tag_of(request(delete_subject, "", at(second)));
            BOOST_TEST(std::stoull(marker) > std::stoull(second));
            lost(request(put_subject, in.body, at(second)));
            lost(request(put_subject, in.body, at(marker)));
            lost(request(delete_subject, "", at(marker)));
        }
}

BOOST_AUTO_TEST_CASE(a_list_is_in_byte_order_and_continues_after_next)
{
    for (const auto& in : catalogues)
        BOOST_TEST_CONTEXT(in.service)
        {
            for (const auto* token : {"p3", "p1", "p2", "p=2E"})
                put(in, token);
            const auto item = [&](const std::string& id) { return R"({"id":")" + id + R"(",)" + in.body.substr(1); };
            const auto list = in.service + ".list";
            check_reply(request(list, R"({"after":"p","limit":2})"),
                        R"({"assets":[)" + item("p.") + ',' + item("p1") + R"(],"next":"p1"})");
            check_reply(request(list, R"({"after":"p1","limit":1})"),
                        R"({"assets":[)" + item("p2") + R"(],"next":"p2"})");
            check_reply(request(list, R"({"after":"p2","limit":1000})"), R"({"assets":[)" + item("p3") + "]}");
            check_reply(request(list, R"({"after":"zzz"})"), R"({"assets":[]})");
            BOOST_TEST(request(list, "{}").data == request(list).data);
        }
}

BOOST_AUTO_TEST_CASE(events_of_both_forms_are_counted_and_returned_by_every_lookup)
{
    auto& client = *shared::client;
    check_error(request("reporting.asset.e1"), 404, "Asset not found", "e1");
    check_error(request("reporting.user.w1"), 404, "User not found", "w1");
    check_reply(request("reporting.views.e1.w1"), counts_reply(0, 0));

    auto last = client.store("events", event("id-1", "e1", "w1"));
    check_reply(request("reporting.views.e1.w1", "", after(last)), counts_reply(1, 1));
    last = client.store("events", "e1:w2"); // the seed's form
    check_reply(request("reporting.views.e1.w2", "", after(last)), counts_reply(2, 1));
    client.publish("events", "e2:w1");       // as `nats pub events e2:w1`
    last = client.store("events", "a:b:w1"); // split at the last colon
    check_reply(request("reporting.views.a=3Ab.w1", "", after(last)), counts_reply(1, 3));
    check_counts(request("reporting.asset.e1"), R"({"id":"e1","views":2,"viewers":2})");
    check_counts(request("reporting.asset.a=3Ab"), R"({"id":"a:b","views":1,"viewers":1})");
    check_counts(request("reporting.user.w1"), R"({"id":"w1","views":3,"assets":3})");
    check_reply(request("reporting.views.e2.nobody"), counts_reply(1, 0));
}

BOOST_AUTO_TEST_CASE(an_event_id_counts_once_and_a_malformed_event_never)
{
    auto& client = *shared::client;
    client.store("events", event("twice", "f1", "v1"));
    auto last = client.store("events", event("twice", "f1", "v1"));
    check_reply(request("reporting.views.f1.v1", "", after(last)), counts_reply(1, 1));
    client.store("events", "f1:v1");
    client.store("events", "f1:v1"); // without an id never a duplicate
    for (const std::string payload : {"", "f1v1", "{f1:v1", "{}", "f1:", ":v1", "f1:\xff"})
        last = client.store("events", payload);
    last = client.store("events", event("bad id", "f1", "v1"));
    check_reply(request("reporting.views.f1.v1", "", after(last)), counts_reply(3, 3));
    const auto stats = boost::json::parse(request("$SRV.STATS.reporting").data);
    const auto& data = stats.at("endpoints").at(0).at("data");
    BOOST_TEST(data.at("rejected").as_int64() == 8);
    BOOST_TEST(data.at("last_reject").at("sequence").as_int64() == static_cast<std::int64_t>(last));
    BOOST_TEST(data.at("duplicates").as_int64() >= 1);
}

BOOST_AUTO_TEST_CASE(views_waits_for_its_sequence_until_its_deadline)
{
    auto headers = header("Marquee-After", "1000000");
    headers.set("Marquee-Timeout", "50");
    check_error(request("reporting.views.123.1", "", headers), 504, "Deadline exceeded", "123");
    headers.set("Marquee-Timeout", "0");
    check_error(request("reporting.views.123.1", "", headers), 504, "Deadline exceeded", "123");
    const auto last = shared::client->store("events", "g1:t1");
    check_reply(request("reporting.views.g1.t1", "", after(last)), counts_reply(1, 1));
}

BOOST_AUTO_TEST_CASE(an_event_id_first_counted_for_another_asset_or_user_is_422)
{
    auto headers = after(shared::client->store("events", event("mine", "h1", "s1")));
    headers.set("Marquee-Event", "mine");
    check_reply(request("reporting.views.h1.s1", "", headers), counts_reply(1, 1));
    check_error(request("reporting.views.h2.s1", "", headers), 422, "key_reused", "h2");
    check_error(request("reporting.views.h1.s2", "", headers), 422, "key_reused", "h1");
    headers.set("Marquee-Event", "nobodys");
    check_reply(request("reporting.views.h2.s1", "", headers), counts_reply(0, 1));
}

BOOST_AUTO_TEST_CASE(top_lists_the_most_viewed_first)
{
    auto& client = *shared::client;
    std::uint64_t last = 0;
    for (int i = 0; i < 10; ++i)
        client.store("events", "few" + std::to_string(i) + ":r2");
    for (const auto& [asset, views] : {std::pair{"t1", 20}, std::pair{"t2", 22}, std::pair{"t3", 21}})
        for (int i = 0; i < views; ++i)
            last = client.store("events", std::string(asset) + ":r1");
    check_reply(request("reporting.views.t1.r1", "", after(last)), counts_reply(20, 63));
    check_reply(request("reporting.top", R"({"limit":3})"), R"({"assets":[)" + views_reply("t2", 22) + ',' +
                                                                views_reply("t3", 21) + ',' + views_reply("t1", 20) +
                                                                "]}");
    check_reply(request("reporting.top", R"({"limit":1})"), R"({"assets":[)" + views_reply("t2", 22) + "]}");
    const auto ten = boost::json::parse(request("reporting.top").data);
    BOOST_TEST(ten.at("assets").as_array().size() == 10U);
    BOOST_TEST(request("reporting.top", "{}").data == request("reporting.top").data);
}

BOOST_AUTO_TEST_CASE(views_by_time_and_histories_follow_corrections)
{
    auto& client = *shared::client;
    const auto old = [](const std::string& id, const std::string& asset, const std::string& time)
    { return R"({"id":")" + id + R"(","asset":")" + asset + R"(","user":"p1","time":")" + time + "\"}"; };
    client.store("events", old("past-1", "o1", "2001-02-03T04:05:06.789Z"));
    client.store("events", old("past-2", "o1", "2001-02-03T05:00:00Z"));
    auto last = client.store("events", old("past-3", "o2", "2001-02-03T05:59:59Z"));
    request("reporting.views.o1.p1", "", after(last));
    check_reply(request("reporting.asset.o1"), R"({"id":"o1","views":2,"viewers":1,"last":"2001-02-03T05:00:00Z"})");
    check_reply(request("reporting.user.p1"), R"({"id":"p1","views":3,"assets":2,"last":"2001-02-03T05:59:59Z"})");
    const std::string hours = R"({"from":"2001-02-03T04:00:00Z","to":"2001-02-03T06:00:00Z"})";
    const std::string head = R"("step":"hour","from":"2001-02-03T04:00:00Z","to":"2001-02-03T06:00:00Z","points":[)";
    const auto points = [](int first, int second)
    {
        return R"({"start":"2001-02-03T04:00:00Z","views":)" + std::to_string(first) +
               R"(},{"start":"2001-02-03T05:00:00Z","views":)" + std::to_string(second) + "}]}";
    };
    check_reply(request("reporting.series", hours), '{' + head + points(1, 2));
    check_reply(request("reporting.series.o1", hours), R"({"id":"o1",)" + head + points(1, 1));
    check_error(request("reporting.series.o9", hours), 404, "Asset not found", "o9");
    check_reply(request("reporting.top", R"({"window":"1h","at":"2001-02-03T05:30:00Z"})"),
                R"({"from":"2001-02-03T05:00:00Z","to":"2001-02-03T06:00:00Z","assets":[)" + views_reply("o1", 1) +
                    ',' + views_reply("o2", 1) + "]}");
    check_reply(request("reporting.history.p1"), R"({"assets":[{"id":"o2","views":1,"last":"2001-02-03T05:59:59Z"},)"
                                                 R"({"id":"o1","views":2,"last":"2001-02-03T05:00:00Z"}]})");
    const auto page = boost::json::parse(request("reporting.assets", R"({"after":"o1","limit":1})").data);
    BOOST_TEST(boost::json::serialize(page.at("assets")) ==
               R"([{"id":"o2","views":1,"viewers":1,"last":"2001-02-03T05:59:59Z"}])");

    last = client.store("events.admin", R"({"retract":"past-2"})");
    request("reporting.views.o1.p1", "", after(last));
    check_reply(request("reporting.series.o1", hours), R"({"id":"o1",)" + head + points(1, 0));
    last = client.store("events.admin", R"({"erase":"p1"})");
    request("reporting.views.o1.p1", "", after(last));
    check_error(request("reporting.history.p1"), 404, "User not found", "p1");
    check_reply(request("reporting.asset.o1"), R"({"id":"o1","views":1,"viewers":0,"last":"2001-02-03T05:00:00Z"})");
    check_reply(request("reporting.series", hours), '{' + head + points(1, 1));
}

BOOST_AUTO_TEST_SUITE_END()
