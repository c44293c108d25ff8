// /readyz: whether each service would serve a play, and whether the stream would store a view.
#include "edge/upstream/readiness.hpp"
#include "schemas/json.hpp"
#include "tests/support/fake_multi_requester.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string reply_of(const std::string& type, const std::string& name, const std::string& endpoints = "[]")
{
    return R"({"type":"io.nats.micro.v1.)" + type + R"(_response","name":")" + name +
           R"(","id":"1","version":"1.0.0","endpoints":)" + endpoints + "}";
}

/// The STATS reply of an instance without an alarm.
std::string well(const std::string& name) { return reply_of("stats", name, "[]"); }

std::string counted(const std::string& data)
{
    return reply_of("stats", "reporting", R"([{"name":"views","data":)" + data + "}]");
}

std::string stream(const std::string& config = R"("max_bytes":-1,"max_msgs":-1)",
                   const std::string& state = R"("messages":41,"bytes":9000,"first_seq":1,"last_seq":41)",
                   const std::string& subjects = R"(["events"])")
{
    return R"({"config":{"discard":"new","subjects":)" + subjects + "," + config + R"(},"state":{)" + state + "}}";
}

constexpr auto info = "$JS.API.STREAM.INFO.EVENTS";
constexpr auto views = "reporting.views.none.none";
constexpr auto no_views = R"({"assetviews":0,"userviews":0})";

class ready_kit : public gateway_kit
{
public:
    fake_multi_requester fleet{io.get_executor()};

    ready_kit() { edge.fleet.view.set_requester(fleet); }

    void script_catalogues()
    {
        nats.script_json("metadata.list", R"({"assets":[]})");
        nats.script_json("cdnurl.list", R"({"assets":[]})");
    }

    /// Every part is ok.
    void script_all()
    {
        script_catalogues();
        nats.script_json(info, stream());
        nats.script_json(views, no_views);
    }
};

std::string checks(const std::string& events, const std::string& reporting)
{
    const bool well = events == "ok" && reporting == "ok";
    return std::string(R"({"status":")") + (well ? "ready" : "degraded") +
           R"(","checks":{"metadata":"ok","cdnurl":"ok","events":")" + events + R"(","reporting":")" + reporting +
           R"("}})";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(ready, ready_kit)

BOOST_AUTO_TEST_CASE(an_edge_is_ready_if_every_part_serves_plays_and_the_result_is_cached_for_a_second)
{
    script_all();
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    const auto asked = nats.seen.size();
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(nats.seen.size() == asked);
    const std::vector<std::string> expected{"metadata.list", "cdnurl.list", info, views};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
    BOOST_TEST(nats.seen.back().headers.get(names::header_after) ==
               "41"); // reporting must have counted the last message
    BOOST_TEST(send("GET", "/healthz").body == R"({"status":"ok"})");
}

BOOST_AUTO_TEST_CASE(without_metadata_or_cdnurl_readyz_is_503_and_names_it)
{
    struct row
    {
        result<message> metadata;
        result<message> cdnurl;
        bool others; ///< another instance replies to STATS
        const char* detail;
    };
    const message page{"", "", R"({"assets":[]})", {}};
    const row table[] = {
        {fail(errc::no_responders), page, true, "There is no answer from metadata."},
        {page, fail(errc::no_responders), true, "There is no answer from cdnurl."},
        {fail(errc::no_responders), fail(errc::no_responders), true, "There is no answer from metadata and cdnurl."},
        {fail(errc::timeout), page, false, "There is no answer from metadata."},
        {page, fail(errc::timeout), false, "There is no answer from cdnurl."},
        {fail(errc::service_failed), page, true, "There is no answer from metadata."},
        {page, fail(errc::unavailable), true, "There is no answer from cdnurl."},
        {fail(errc::timeout), fail(errc::timeout), true,
         nullptr}, // one instance is silent; a retry would reach another
    };
    for (const auto& [metadata, cdnurl, others, detail] : table)
        BOOST_TEST_CONTEXT((detail == nullptr ? "ready" : detail))
        {
            ready_kit kit;
            kit.nats.script("metadata.list", metadata);
            kit.nats.script("cdnurl.list", cdnurl);
            kit.nats.script_json(info, stream());
            kit.nats.script_json(views, no_views);
            for (const std::string name : {"metadata", "cdnurl"})
                if (others)
                    kit.fleet.script("$SRV.STATS." + name, {"rubbish", well("other"), well(name)});
                else
                    kit.fleet.script("$SRV.STATS." + name, {"{}", well("other")});
            const auto answer = kit.send("GET", "/readyz");
            if (detail == nullptr)
                BOOST_TEST(answer.body == checks("ok", "ok"));
            else
            {
                check_problem(answer, 503, "no_responders");
                BOOST_TEST(member(answer, "detail") == detail);
            }
        }
}

BOOST_AUTO_TEST_CASE(a_catalogue_with_an_alarm_is_lagging_unless_another_instance_has_none)
{
    const auto alarm = reply_of("stats", "cdnurl", R"([{"name":"get","data":{"alarm":"lost 3 times"}}])");
    const std::pair<std::vector<std::string>, const char*> table[] = {
        {{alarm}, R"("cdnurl":"lagging")"},
        {{alarm, alarm}, R"("cdnurl":"lagging")"},
        {{alarm, well("cdnurl")}, R"("cdnurl":"ok")"},
        {{well("cdnurl"), alarm}, R"("cdnurl":"ok")"},
    };
    for (const auto& [replies, wanted] : table)
    {
        ready_kit kit;
        kit.script_all();
        kit.fleet.script("$SRV.STATS.cdnurl", replies);
        const auto answer = kit.send("GET", "/readyz");
        BOOST_TEST(answer.status == 200);
        BOOST_TEST(answer.body.find(wanted) != std::string::npos, answer.body);
    }
}

BOOST_AUTO_TEST_CASE(a_stream_that_accepts_no_view_is_reported)
{
    const std::string room = R"("messages":41,"bytes":9000,"first_seq":1,"last_seq":41)";
    const std::pair<std::string, part_state> table[] = {
        {stream(), part_state::ok},
        {stream(R"("max_bytes":1000000,"max_msgs":100)"), part_state::ok},
        {stream(R"("max_bytes":9100,"max_msgs":-1)"), part_state::full},
        {stream(R"("max_bytes":-1,"max_msgs":41)"), part_state::full},
        {stream(R"("max_bytes":-1,"sealed":true)"), part_state::away},
        {stream(R"("max_bytes":-1)", room, R"(["other"])"), part_state::away},
        {stream(R"("max_bytes":-1)", room, R"(["events","events.admin"])"), part_state::ok},
        {R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})", part_state::away},
        {"rubbish", part_state::away},
        {"", part_state::away},
        {R"({"config":7,"state":[]})", part_state::away},
    };
    for (const auto& [text, wanted] : table)
        BOOST_TEST_CONTEXT(text)
        {
            BOOST_TEST(name_of(read_stream_info(text).accepts_views) == name_of(wanted));
            ready_kit kit;
            kit.script_catalogues();
            kit.nats.script_json(info, text);
            kit.nats.script_json(views, no_views);
            BOOST_TEST(kit.send("GET", "/readyz").body == checks(std::string(name_of(wanted)), "ok"));
        }
}

BOOST_AUTO_TEST_CASE(the_last_view_is_looked_up_if_messages_were_deleted)
{
    BOOST_TEST(read_stream_info(stream()).last.value() == 41U);
    for (const auto* state : {R"("messages":40,"bytes":9000,"first_seq":1,"last_seq":41)",
                              R"("messages":0,"bytes":0,"first_seq":42,"last_seq":41)"})
        BOOST_TEST(!read_stream_info(stream(R"("max_bytes":-1)", state)).last);
    script_catalogues();
    nats.script_json(info, stream(R"("max_bytes":-1)", R"("messages":40,"bytes":9000,"first_seq":1,"last_seq":41)"));
    nats.script_json("$JS.API.STREAM.MSG.GET.EVENTS", R"({"message":{"subject":"events","seq":40}})");
    nats.script_json(views, no_views);
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(nats.seen.back().headers.get(names::header_after) == "40");

    ready_kit purged;
    purged.script_catalogues();
    purged.nats.script_json(info,
                            stream(R"("max_bytes":-1)", R"("messages":0,"bytes":0,"first_seq":42,"last_seq":41)"));
    purged.nats.script_json("$JS.API.STREAM.MSG.GET.EVENTS", R"({"error":{"code":404,"err_code":10037}})");
    purged.nats.script_json(views, no_views);
    BOOST_TEST(purged.send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(!purged.nats.seen.back().headers.has(names::header_after));
}

BOOST_AUTO_TEST_CASE(without_stream_info_the_stream_is_probed_with_a_message_that_it_must_refuse)
{
    const std::pair<result<message>, const char*> table[] = {
        {message{
             "", "", R"({"error":{"code":400,"err_code":10060,"description":"expected stream does not match"}})", {}},
         "ok"},
        {fail(errc::no_responders), "away"},
        {fail(errc::timeout), "away"},
        {message{"", "", "rubbish", {}}, "away"},
    };
    for (const auto& [reply, wanted] : table)
    {
        ready_kit kit;
        kit.script_catalogues();
        kit.nats.script(info, fail(errc::timeout));
        kit.nats.script("events", reply);
        kit.nats.script_json(views, no_views);
        BOOST_TEST(kit.send("GET", "/readyz").body == checks(wanted, "ok"));
        const auto tried = std::find_if(kit.nats.seen.begin(), kit.nats.seen.end(),
                                        [](const auto& each) { return each.subject == "events"; });
        BOOST_REQUIRE((tried != kit.nats.seen.end()));
        BOOST_TEST(tried->headers.get("Nats-Expected-Stream") == "none"); // otherwise it would be stored as a view
    }
}

BOOST_AUTO_TEST_CASE(reporting_is_ok_only_if_an_instance_serves_and_has_counted_all_views)
{
    struct row
    {
        result<message> reply;
        std::vector<std::string> stats;
        const char* wanted;
    };
    const row table[] = {
        {fail(errc::no_responders), {}, "away"},
        {fail(errc::timeout), {}, "away"},
        {fail(errc::unavailable), {}, "away"},
        // a paused consumer: the instance serves, but receives no new views
        {fail(errc::timeout), {counted(R"({"serving":true,"last_sequence":40,"lag":0})")}, "lagging"},
        {fail(errc::no_responders), {counted(R"({"serving":false,"last_sequence":7,"lag":34})")}, "lagging"},
        {fail(errc::no_responders),
         {counted(R"({"serving":false,"last_sequence":7,"alarm":"the stream is another"})")},
         "away"},
        // one instance is stuck, another has counted all views
        {fail(errc::timeout), {counted(R"({"serving":true,"last_sequence":41,"lag":0})")}, "ok"},
        {fail(errc::timeout),
         {counted(R"({"serving":false,"last_sequence":7})"), counted(R"({"serving":true,"last_sequence":42})")},
         "ok"},
        {fail(errc::no_responders), {counted(R"({"serving":true,"last_sequence":41})")}, "lagging"},
        {fail(errc::no_responders),
         {"rubbish", reply_of("stats", "reporting"), reply_of("stats", "other"), reply_of("info", "reporting")},
         "away"},
    };
    for (const auto& [reply, stats, wanted] : table)
        BOOST_TEST_CONTEXT(wanted << (stats.empty() ? "" : stats.front()))
        {
            ready_kit kit;
            kit.script_catalogues();
            kit.nats.script_json(info, stream());
            kit.nats.script(views, reply);
            kit.fleet.script("$SRV.STATS.reporting", stats);
            BOOST_TEST(kit.send("GET", "/readyz").body == checks("ok", wanted));
        }
}

BOOST_AUTO_TEST_CASE(an_edge_that_stops_or_has_lost_the_broker_is_not_ready_even_with_a_cached_result)
{
    script_all();
    BOOST_TEST(send("GET", "/readyz").status == 200);
    edge.services.link_up = [] { return false; };
    check_problem(send("GET", "/readyz"), 503, "disconnected");
    edge.services.link_up = [] { return true; };
    BOOST_TEST(send("GET", "/readyz").status == 200);
    edge.admitted.stopping = true;
    check_problem(send("GET", "/readyz"), 503, "stopping");
    BOOST_TEST(send("GET", "/healthz").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
