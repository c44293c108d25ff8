// Which requests are traced, and what of a play is.
#include "schemas/event.hpp"
#include "tests/support/span_list.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string sampled = "00-" + trace + "-b7ad6b7169203331-01";
const std::string unsampled = "00-" + trace + "-b7ad6b7169203331-00";
constexpr auto play = "/play/asset/456/user/8";

struct traced_kit : gateway_kit
{
    traced_kit() { edge.tracing = {true, trace_ratio(1)}; }

    void script_play()
    {
        nats.script_json("metadata.get.456", R"({"id":"456","title":"T","genre":"g","summary":"s"})");
        nats.script_json("cdnurl.get.456", R"({"id":"456","url":"u"})");
        nats.script_json("events", R"({"stream":"EVENTS","seq":41})");
        nats.script_json("reporting.views.456.8", R"({"assetviews":7,"userviews":3})");
    }

    /// The span of a request that nobody answers, or nothing.
    std::unique_ptr<span_record> span_of(const field_list& fields, const char* peer = "192.0.2.1")
    {
        auto request = make("POST", play, fields);
        request.peer = client_address(asio::ip::make_address(peer));
        network_list trusted;
        BOOST_REQUIRE(trusted.add("192.0.2.0/24").has_value());
        request_timing timing(request_timing::clock::now());
        begin_request_span(edge.tracing, request, &trusted, timing).end();
        auto ended = spans.take();
        return ended.empty() ? nullptr : std::move(ended.front());
    }

    [[nodiscard]] std::map<std::string, std::unique_ptr<span_record>> by_name()
    {
        std::map<std::string, std::unique_ptr<span_record>> all;
        for (auto& each : spans.take())
            all[each->name] = std::move(each);
        return all;
    }

    span_list spans;
};

std::string value_of(const span_record& of, std::string_view name)
{
    for (const auto& [key, value] : of.attributes)
        if (key == name)
        {
            const auto* number = std::get_if<std::int64_t>(&value);
            return number != nullptr ? std::to_string(*number) : std::get<std::string>(value);
        }
    return "(absent)";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(request_spans, traced_kit)

BOOST_AUTO_TEST_CASE(nothing_is_traced_while_it_is_off)
{
    edge.tracing = {};
    script_play();
    BOOST_TEST(send("POST", play, {{"traceparent", sampled}}).status == 200);
    BOOST_TEST(spans.take().empty());
    for (const auto& each : nats.seen)
    {
        BOOST_TEST(!each.headers.has("traceparent"));
        BOOST_TEST(each.payload.find("trace") == std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_play_is_traced_in_all_its_parts)
{
    script_play();
    BOOST_TEST(
        send("POST", play, {{"traceparent", sampled}, {"tracestate", "a=1"}, {"Host", "play.example:8443"}}).status ==
        200);
    auto all = by_name();
    BOOST_REQUIRE(all.size() == 5U);
    const auto& root = *all.at("POST /play/asset/{asset}/user/{user}");
    BOOST_TEST(span_id_text({{}, root.parent_span, false, {}}) == "b7ad6b7169203331");
    BOOST_TEST(value_of(root, "http.request.method") == "POST");
    BOOST_TEST(value_of(root, "http.route") == "/play/asset/{asset}/user/{user}");
    BOOST_TEST(value_of(root, "http.response.status_code") == "200");
    BOOST_TEST(value_of(root, "server.address") == "play.example");
    BOOST_TEST(value_of(root, "server.port") == "8443");
    BOOST_TEST(value_of(root, "url.scheme") == "http");
    for (const auto& [name, each] : all)
    {
        BOOST_TEST(trace_id_text(each->context) == trace);
        BOOST_TEST(each->context.state == "a=1");
        BOOST_TEST((name.starts_with("POST") || each->parent_span == root.context.span_id), name);
    }
    for (const auto& each : nats.seen)
        if (each.subject == "events")
        {
            BOOST_TEST(event_trace(each.payload)->span_id == all.at("publish events")->context.span_id);
            BOOST_TEST(!each.headers.has("traceparent"));
        }
        else
        {
            const auto& own = all.at("request " + subject_template(each.subject))->context;
            BOOST_TEST(each.headers.get("traceparent") == format_traceparent(own));
            BOOST_TEST(each.headers.get("tracestate") == "a=1");
        }
}

BOOST_AUTO_TEST_CASE(the_flag_sampled_is_believed_from_a_trusted_proxy_only)
{
    edge.tracing.ratio = trace_ratio(0);
    BOOST_TEST(bool(span_of({{"traceparent", sampled}})));
    BOOST_TEST(!span_of({{"traceparent", unsampled}}));
    BOOST_TEST(!span_of({{"traceparent", sampled}}, "198.51.100.7"));
    BOOST_TEST(!span_of({}));
    edge.tracing.ratio = trace_ratio(1);
    BOOST_TEST(!span_of({{"traceparent", unsampled}}));
    const auto of_stranger = span_of({{"traceparent", unsampled}}, "198.51.100.7");
    BOOST_REQUIRE(bool(of_stranger));
    BOOST_TEST(trace_id_text(of_stranger->context) == trace);
}

BOOST_AUTO_TEST_CASE(a_stranger_who_picks_the_trace_id_does_not_pick_the_verdict)
{
    edge.tracing.ratio = trace_ratio(0.5);
    const auto lowest = "00-" + std::string(31, '0') + "1-b7ad6b7169203331-01";
    int traced = 0;
    for (int i = 0; i < 200; ++i)
        traced += span_of({{"traceparent", lowest}}, "198.51.100.7") ? 1 : 0;
    BOOST_TEST(traced > 40);
    BOOST_TEST(traced < 160);
}

BOOST_AUTO_TEST_CASE(what_is_no_context_begins_a_new_trace)
{
    for (const auto& fields : {field_list{}, field_list{{"traceparent", "00-x"}},
                               field_list{{"traceparent", sampled}, {"traceparent", sampled}}})
    {
        const auto one = span_of(fields);
        BOOST_REQUIRE(bool(one));
        BOOST_TEST(trace_id_text(one->context) != trace);
        BOOST_TEST((one->parent_span == decltype(one->parent_span){}));
    }
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_edge_is_an_error_and_one_of_the_client_is_none)
{
    nats.script_json("metadata.get.456", R"({"id":"456","title":"T","genre":"g","summary":"s"})");
    BOOST_TEST(send("POST", play).status == 503); // no cdnurl
    auto all = by_name();
    const auto& absent = *all.at("POST /play/asset/{asset}/user/{user}");
    BOOST_TEST(absent.failed);
    BOOST_TEST(value_of(absent, "error.type") == "no_responders");
    BOOST_TEST(value_of(absent, "marquee.code") == "no_responders");
    BOOST_TEST(value_of(absent, "http.request.method_original") == "(absent)");
    BOOST_TEST(all.at("request cdnurl.get.*")->failed);
    BOOST_TEST(!all.at("request metadata.get.*")->failed);

    BOOST_TEST(send("BREW", "/pot").status == 404);
    all = by_name();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(value_of(*all.at("HTTP"), "http.request.method") == "_OTHER");
    BOOST_TEST(value_of(*all.at("HTTP"), "http.request.method_original") == "BREW");

    BOOST_TEST(send("POST", "/nowhere").status == 404);
    all = by_name();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST(!all.at("POST")->failed);
    BOOST_TEST(value_of(*all.at("POST"), "marquee.code") == "route_not_found");
    BOOST_TEST(value_of(*all.at("POST"), "error.type") == "(absent)");
}

BOOST_AUTO_TEST_CASE(health_and_metrics_are_not_traced)
{
    BOOST_TEST(send("GET", "/healthz").status == 200);
    BOOST_TEST(spans.take().empty());
}

BOOST_AUTO_TEST_SUITE_END()
