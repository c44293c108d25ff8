// What /readyz finds out: of each service what a play would meet, of the stream whether it takes a view.
#include "edge/readiness.hpp"
#include "schemas/json.hpp"
#include "tests/support/fake_survey.hpp"
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

/// Of an instance that says nothing of an alarm.
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
    fake_survey fleet{io.get_executor()};

    ready_kit() { edge.fleet.look_through(fleet); }

    void script_catalogues()
    {
        nats.script_json("metadata.list", R"({"assets":[]})");
        nats.script_json("cdnurl.list", R"({"assets":[]})");
    }

    /// All is well.
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
           R"(","checks":{"metadata":"ok","cdnurl":"ok","events":")" + events + R"(","reporting":")" + reporting + R"("}})";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(ready, ready_kit)

BOOST_AUTO_TEST_CASE(all_is_well_where_each_part_does_what_a_play_asks_of_it_and_it_is_remembered_for_a_second)
{
    script_all();
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    const auto asked = nats.seen.size();
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(nats.seen.size() == asked);
    const std::vector<std::string> expected{"metadata.list", "cdnurl.list", info, views};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
    BOOST_TEST(nats.seen.back().headers.get(names::header_after) == "41"); // counted up to the last message, or behind
    BOOST_TEST(send("GET", "/healthz").body == R"({"status":"ok"})");
}

BOOST_AUTO_TEST_CASE(without_metadata_or_cdnurl_it_is_503_and_named)
{
    struct row
    {
        result<message> metadata;
        result<message> cdnurl;
        bool others; ///< an instance answers STATS
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
        {fail(errc::timeout), fail(errc::timeout), true, nullptr}, // an instance is silent, and another would be asked
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

BOOST_AUTO_TEST_CASE(a_catalogue_that_does_not_follow_its_bucket_is_said_to_lag_unless_another_instance_does)
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

BOOST_AUTO_TEST_CASE(a_stream_that_takes_no_view_is_said_to_be_so)
{
    const std::string room = R"("messages":41,"bytes":9000,"first_seq":1,"last_seq":41)";
    const std::pair<std::string, fitness> table[] = {
        {stream(), fitness::ok},
        {stream(R"("max_bytes":1000000,"max_msgs":100)"), fitness::ok},
        {stream(R"("max_bytes":9100,"max_msgs":-1)"), fitness::full},
        {stream(R"("max_bytes":-1,"max_msgs":41)"), fitness::full},
        {stream(R"("max_bytes":-1,"sealed":true)"), fitness::away},
        {stream(R"("max_bytes":-1)", room, R"(["other"])"), fitness::away},
        {stream(R"("max_bytes":-1)", room, R"(["events","events.admin"])"), fitness::ok},
        {R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})", fitness::away},
        {"rubbish", fitness::away},
        {"", fitness::away},
        {R"({"config":7,"state":[]})", fitness::away},
    };
    for (const auto& [text, wanted] : table)
        BOOST_TEST_CONTEXT(text)
        {
            BOOST_TEST(name_of(judge_stream(text).takes_views) == name_of(wanted));
            ready_kit kit;
            kit.script_catalogues();
            kit.nats.script_json(info, text);
            kit.nats.script_json(views, no_views);
            BOOST_TEST(kit.send("GET", "/readyz").body == checks(std::string(name_of(wanted)), "ok"));
        }
}

BOOST_AUTO_TEST_CASE(the_last_message_is_looked_for_where_some_were_deleted)
{
    BOOST_TEST(judge_stream(stream()).last.value() == 41U);
    for (const auto* state :
         {R"("messages":40,"bytes":9000,"first_seq":1,"last_seq":41)", R"("messages":0,"bytes":0,"first_seq":42,"last_seq":41)"})
        BOOST_TEST(!judge_stream(stream(R"("max_bytes":-1)", state)).last);
    script_catalogues();
    nats.script_json(info, stream(R"("max_bytes":-1)", R"("messages":40,"bytes":9000,"first_seq":1,"last_seq":41)"));
    nats.script_json("$JS.API.STREAM.MSG.GET.EVENTS", R"({"message":{"subject":"events","seq":40}})");
    nats.script_json(views, no_views);
    BOOST_TEST(send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(nats.seen.back().headers.get(names::header_after) == "40");

    ready_kit purged;
    purged.script_catalogues();
    purged.nats.script_json(info, stream(R"("max_bytes":-1)", R"("messages":0,"bytes":0,"first_seq":42,"last_seq":41)"));
    purged.nats.script_json("$JS.API.STREAM.MSG.GET.EVENTS", R"({"error":{"code":404,"err_code":10037}})");
    purged.nats.script_json(views, no_views);
    BOOST_TEST(purged.send("GET", "/readyz").body == checks("ok", "ok"));
    BOOST_TEST(!purged.nats.seen.back().headers.has(names::header_after));
}

BOOST_AUTO_TEST_CASE(where_the_streams_state_is_not_told_a_view_that_no_stream_may_store_is_tried)
{
    const std::pair<result<message>, const char*> table[] = {
        {message{"", "", R"({"error":{"code":400,"err_code":10060,"description":"expected stream does not match"}})", {}}, "ok"},
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
        const auto tried =
            std::find_if(kit.nats.seen.begin(), kit.nats.seen.end(), [](const auto& each) { return each.subject == "events"; });
        BOOST_REQUIRE((tried != kit.nats.seen.end()));
        BOOST_TEST(tried->headers.get("Nats-Expected-Stream") == "none"); // or it would be a view
    }
}

BOOST_AUTO_TEST_CASE(reporting_is_ok_only_where_an_instance_serves_and_has_counted_what_is_stored)
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
        // a paused consumer: it serves, and what is stored does not arrive
        {fail(errc::timeout), {counted(R"({"serving":true,"last_sequence":40,"lag":0})")}, "lagging"},
        {fail(errc::no_responders), {counted(R"({"serving":false,"last_sequence":7,"lag":34})")}, "lagging"},
        {fail(errc::no_responders), {counted(R"({"serving":false,"last_sequence":7,"alarm":"the stream is another"})")}, "away"},
        // one instance stands still, and another has all
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

BOOST_AUTO_TEST_CASE(an_edge_that_stops_or_has_lost_the_broker_is_not_ready_whatever_it_remembers)
{
    script_all();
    BOOST_TEST(send("GET", "/readyz").status == 200);
    edge.link_up = [] { return false; };
    check_problem(send("GET", "/readyz"), 503, "disconnected");
    edge.link_up = [] { return true; };
    BOOST_TEST(send("GET", "/readyz").status == 200);
    edge.stopping = true;
    check_problem(send("GET", "/readyz"), 503, "stopping");
    BOOST_TEST(send("GET", "/healthz").status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
