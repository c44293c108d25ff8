// Spans, what is exported of them, and where to.
#include "broker/telemetry/exporter_settings.hpp"
#include "broker/telemetry/otlp_json.hpp"
#include "broker/telemetry/span.hpp"
#include "tests/support/span_list.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;

namespace
{

namespace json = boost::json;

const std::string whole = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

trace_context sampled(const std::string& state = {}) { return parse_traceparent(whole, state).value(); }

} // namespace

BOOST_AUTO_TEST_SUITE(telemetry)

BOOST_AUTO_TEST_CASE(a_span_is_a_child_of_a_sampled_context_only)
{
    span_list spans;
    auto unsampled = sampled();
    unsampled.sampled = false;
    BOOST_TEST(!span::child(nullptr, "a", span_kind::client));
    BOOST_TEST(!span::child(&unsampled, "a", span_kind::client));
    const auto parent = sampled("a=1");
    {
        auto one = span::child(&parent, "a", span_kind::client);
        BOOST_REQUIRE(bool(one));
        BOOST_TEST(span_id_text(*one.context()) != span_id_text(parent));
        BOOST_TEST(one.context()->state == "a=1");
    }
    const auto ended = spans.take();
    BOOST_REQUIRE(ended.size() == 1U);
    BOOST_TEST((ended[0]->parent_span == parent.span_id));
    BOOST_TEST((ended[0]->context.trace_id == parent.trace_id));
    BOOST_TEST((ended[0]->ended >= ended[0]->began));
}

BOOST_AUTO_TEST_CASE(a_span_that_is_not_recorded_takes_everything)
{
    span_list spans;
    span nothing;
    nothing.set("a", "b");
    nothing.set("a", 1);
    nothing.rename("x");
    nothing.link(sampled());
    nothing.fail("timeout");
    nothing.end();
    BOOST_TEST((nothing.context() == nullptr));
    const auto parent = sampled();
    auto forgotten = span::child(&parent, "a", span_kind::client);
    forgotten.discard();
    forgotten.end();
    BOOST_TEST(spans.take().empty());
}

BOOST_AUTO_TEST_CASE(what_a_span_holds_is_bounded_and_is_utf_8)
{
    span_list spans;
    const auto parent = sampled();
    auto one = span::child(&parent, "a", span_kind::client);
    one.set("long", std::string(10'000, 'x'));
    one.set("bytes", "a\xff\xc3z");
    one.set("twice", "1");
    one.set("twice", "2");
    for (int i = 0; i < 1000; ++i)
        one.link(parent);
    one.end();
    const auto ended = spans.take();
    BOOST_REQUIRE(ended.size() == 1U);
    const auto& attributes = ended[0]->attributes;
    BOOST_REQUIRE(attributes.size() == 3U);
    BOOST_TEST(std::get<std::string>(attributes[0].second).size() == span_record::max_value_bytes);
    BOOST_TEST(std::get<std::string>(attributes[1].second) == "a??z");
    BOOST_TEST(std::get<std::string>(attributes[2].second) == "2");
    BOOST_TEST(ended[0]->links.size() == span_record::max_links);
    BOOST_TEST(ended[0]->links_left_out == 1000 - span_record::max_links);
    const auto text = detail::encode_spans(ended, {"marquee-edge", "abc", "1.2.3"});
    BOOST_TEST(json::parse(text).at_pointer("/resourceSpans/0/scopeSpans/0/spans/0/droppedLinksCount") == 872);
}

BOOST_AUTO_TEST_CASE(the_name_of_a_request_has_no_ids)
{
    BOOST_TEST(subject_template("metadata.get.123") == "metadata.get.*");
    BOOST_TEST(subject_template("reporting.views.123.42") == "reporting.views.*.*");
    BOOST_TEST(subject_template("metadata.gets") == "metadata.gets");
    BOOST_TEST(subject_template("events") == "events");
}

BOOST_AUTO_TEST_CASE(spans_are_encoded_as_otlp_asks_for)
{
    span_list spans;
    const auto parent = sampled("a=1");
    auto one = span::child(&parent, "request metadata.get.*", span_kind::client);
    describe_message(one, "request", "send", "metadata.get.*");
    one.set("number", 9007199254740993);
    one.link(parent);
    one.fail("timeout");
    one.end();
    const auto ended = spans.take();
    const auto text = detail::encode_spans(ended, {"marquee-edge", "abc", "1.2.3"});
    const auto all = json::parse(text);
    const auto& resource = all.at_pointer("/resourceSpans/0/resource/attributes").as_array();
    BOOST_TEST(json::serialize(resource) == R"([{"key":"service.namespace","value":{"stringValue":"marquee"}},)"
                                            R"({"key":"service.name","value":{"stringValue":"marquee-edge"}},)"
                                            R"({"key":"service.instance.id","value":{"stringValue":"abc"}},)"
                                            R"({"key":"service.version","value":{"stringValue":"1.2.3"}}])");
    const auto& span = all.at_pointer("/resourceSpans/0/scopeSpans/0/spans/0").as_object();
    BOOST_TEST(span.at("traceId").as_string() == trace_id_text(parent));
    BOOST_TEST(span.at("spanId").as_string() == span_id_text(ended[0]->context));
    BOOST_TEST(span.at("parentSpanId").as_string() == span_id_text(parent));
    BOOST_TEST(span.at("traceState").as_string() == "a=1");
    BOOST_TEST(span.at("name").as_string() == "request metadata.get.*");
    BOOST_TEST(span.at("kind").as_int64() == 3);
    BOOST_TEST(span.at("status").at("code").as_int64() == 2);
    BOOST_TEST(span.at("startTimeUnixNano").as_string().size() == 19U);
    BOOST_TEST(json::serialize(span.at("attributes")) ==
               R"([{"key":"messaging.system","value":{"stringValue":"nats"}},)"
               R"({"key":"messaging.operation.name","value":{"stringValue":"request"}},)"
               R"({"key":"messaging.operation.type","value":{"stringValue":"send"}},)"
               R"({"key":"messaging.destination.template","value":{"stringValue":"metadata.get.*"}},)"
               R"({"key":"number","value":{"intValue":"9007199254740993"}},)"
               R"({"key":"error.type","value":{"stringValue":"timeout"}}])");
    BOOST_TEST(span.at("links").as_array().size() == 1U);
    BOOST_TEST(!span.contains("droppedLinksCount"));
}

BOOST_AUTO_TEST_CASE(what_a_collector_says_of_rejected_spans_is_data)
{
    const auto rejected = [](const std::string& answer) { return detail::rejected_spans(answer, 10); };
    BOOST_TEST(rejected("") == 0U);
    BOOST_TEST(rejected("{}") == 0U);
    BOOST_TEST(rejected(R"({"partialSuccess":{}})") == 0U);
    BOOST_TEST(rejected(R"({"partialSuccess":{"rejectedSpans":"3"}})") == 3U);
    BOOST_TEST(rejected(R"({"partialSuccess":{"rejectedSpans":3}})") == 3U);
    BOOST_TEST(rejected(R"({"partialSuccess":{"rejectedSpans":-3}})") == 0U);
    BOOST_TEST(rejected(R"({"partialSuccess":{"rejectedSpans":"99999999999999999999"}})") == 0U);
    BOOST_TEST(rejected(R"({"partialSuccess":{"rejectedSpans":11}})") == 10U);
    BOOST_TEST(rejected(R"({"partialSuccess":[1]})") == 0U);
    BOOST_TEST(rejected(std::string(50'000, '[')) == 0U);
}

BOOST_AUTO_TEST_CASE(traces_have_a_path_below_the_endpoint)
{
    const std::pair<const char*, const char*> rows[] = {
        {"http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"},
        {"http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"},
        {"https://collector.example/otlp", "https://collector.example/otlp/v1/traces"},
        {"https://collector.example/otlp//", "https://collector.example/otlp/v1/traces"},
        {"http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"},
    };
    for (const auto& [endpoint, url] : rows)
        BOOST_TEST(traces_url(endpoint).value() == url, endpoint);
    for (const auto* wrong : {"", "collector:4318", "ftp://a/", "file:///etc/passwd", "http://", "http://u:p@a/",
                              "http://a/?x=1", "http://a/#x", "http://a b/", "http://a:99999/", "http://a/\r\nX: y"})
        BOOST_TEST(traces_url(wrong).has_error(), wrong);
}

BOOST_AUTO_TEST_CASE(headers_are_lines_of_a_name_and_a_value)
{
    const auto read = parse_export_headers("# a comment\n\nAuthorization=Bearer a=b\r\n x-scope = tenant 1 \n");
    BOOST_REQUIRE(read.has_value());
    const export_headers expected{{"Authorization", "Bearer a=b"}, {"x-scope", "tenant 1"}};
    BOOST_TEST((*read == expected));
    std::string many;
    for (int i = 0; i < 33; ++i)
        many += "h" + std::to_string(i) + "=1\n";
    for (const auto& wrong : {std::string("name"), std::string("=value"), std::string("a b=1"), std::string("a=\x01"),
                              std::string("a=\xc3\xa4"), std::string("Content-Length=3"), many})
        BOOST_TEST(parse_export_headers(wrong).has_error(), wrong);
    BOOST_TEST(parse_export_headers("a=1\nsecret\n").error().detail == "line 2 is not NAME=VALUE");
}

BOOST_AUTO_TEST_SUITE_END()
