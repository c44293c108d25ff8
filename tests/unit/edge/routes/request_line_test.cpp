// The line of a request in the log.
#include "edge/routes/request_line.hpp"

#include "broker/base/access_log.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/asio/ip/address.hpp>

#include <regex>
#include <string>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct line_kit : gateway_kit
{
    line_kit() { set_access_log({1, 1s}); }
    ~line_kit()
    {
        set_access_log({});
        set_log_format(log_format::text);
    }
    line_kit(const line_kit&) = delete;
    line_kit& operator=(const line_kit&) = delete;

    void script_play()
    {
        nats.script_json("metadata.get.456", R"({"id":"456","title":"T","genre":"g","summary":"s"})");
        nats.script_json("cdnurl.get.456", R"({"id":"456","url":"path"})");
        nats.script_json("events", R"({"stream":"EVENTS","seq":41})");
        nats.script_json("reporting.views.456.8", R"({"assetviews":7,"userviews":3})");
    }

    std::string line_of(const std::string& method, const std::string& target, const field_list& fields = {})
    {
        return log_of([&] { static_cast<void>(send(method, target, fields)); });
    }
};

bool matches(const std::string& text, const std::string& pattern)
{
    return std::regex_search(text, std::regex(pattern));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(request_line, line_kit)

BOOST_AUTO_TEST_CASE(a_play_has_its_route_and_the_time_of_each_part)
{
    script_play();
    const auto text = line_of("POST", "/play/asset/456/user/8");
    BOOST_TEST(matches(text, R"(: request request=request-1 method=POST route=/play/asset/\{asset\}/user/\{user\} )"
                             R"(status=200 duration_us=\d+ lookups_us=\d+ store_us=\d+ count_us=\d+ )"
                             R"(bytes=\d+ client=::\n$)"),
               text);
}

BOOST_AUTO_TEST_CASE(parts_that_did_not_take_place_are_not_there)
{
    nats.script("metadata.get.456", fail(errc::asset_not_found));
    nats.script_json("cdnurl.get.456", R"({"id":"456","url":"path"})");
    const auto missing = line_of("POST", "/play/asset/456/user/8");
    BOOST_TEST(
        matches(missing, R"( info .* status=404 code=asset_not_found duration_us=\d+ lookups_us=\d+ bytes=\d+ )"),
        missing);
    const auto other = line_of("GET", "/healthz");
    BOOST_TEST(matches(other, R"( route=/healthz status=200 duration_us=\d+ bytes=)"), other);
}

BOOST_AUTO_TEST_CASE(the_answer_to_head_has_no_bytes)
{
    const auto health = line_of("HEAD", "/healthz");
    BOOST_TEST(matches(health, R"( method=HEAD route=/healthz status=200 duration_us=\d+ bytes=0 )"), health);
    const auto missing = line_of("HEAD", "/no/such/path");
    BOOST_TEST(matches(missing, R"( status=404 code=route_not_found duration_us=\d+ bytes=0 )"), missing);
    const auto whole = line_of("GET", "/healthz");
    BOOST_TEST(matches(whole, R"( bytes=[1-9]\d* )"), whole);
}

BOOST_AUTO_TEST_CASE(a_failure_has_its_code_and_why)
{
    script_answer("metadata.get.456", fail(errc::timeout));
    script_answer("cdnurl.get.456", fail(errc::timeout));
    const auto text = line_of("POST", "/play/asset/456/user/8");
    BOOST_TEST(matches(text, R"( warning .*: request failed request=request-1 .* status=504 code=timeout )"), text);
}

BOOST_AUTO_TEST_CASE(what_matches_no_route_shows_neither_path_nor_query)
{
    const auto text = line_of("GET", "/no/such/path?token=geheim");
    BOOST_TEST(matches(text, R"( method=GET route=other status=404 code=route_not_found )"), text);
    BOOST_TEST(text.find("such") == std::string::npos, text);
    BOOST_TEST(text.find("geheim") == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(the_trace_is_there_where_the_request_has_one_and_each_format_has_the_same_members)
{
    request_timing timing(request_timing::clock::now());
    timing.set_trace_id("0123456789abcdef0123456789abcdef");
    const request_meter meter(*edge.metrics.worker, "GET");
    const request_facts facts{"r-1", "GET", client_address(asio::ip::make_address("192.0.2.7"))};
    request_outcome outcome;
    outcome.status = 200;
    outcome.bytes = 12;
    outcome.took = 1500us;
    const auto line = [&](log_format format)
    {
        set_log_format(format);
        return log_of([&] { log_request(facts, meter, timing, outcome); });
    };
    BOOST_TEST(line(log_format::text)
                   .ends_with("request=r-1 trace=0123456789abcdef0123456789abcdef method=GET "
                              "route=other status=200 duration_us=1500 bytes=12 client=192.0.2.7\n"));
    BOOST_TEST(line(log_format::json)
                   .ends_with(R"("msg":"request","request":"r-1",)"
                              R"("trace":"0123456789abcdef0123456789abcdef","method":"GET",)"
                              R"("route":"other","status":200,"duration_us":1500,"bytes":12,)"
                              "\"client\":\"192.0.2.7\"}\n"));
    BOOST_TEST(line(log_format::logfmt).find(" level=info program=") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_line_of_a_request_has_the_trace_that_its_client_named_sampled_or_not)
{
    const std::string id = "0af7651916cd43dd8448eb211c80319c";
    const auto line = [&](const std::string& traceparent) {
        return line_of("GET", "/events/user/8", {{"traceparent", traceparent}});
    };
    for (const bool traced : {false, true})
    {
        edge.tracing = {traced, trace_ratio(0)};
        for (const std::string flags : {"00", "01"})
            BOOST_TEST(line("00-" + id + "-b7ad6b7169203331-" + flags).find(" trace=" + id + ' ') != std::string::npos);
        BOOST_TEST(line("00-x").find(" trace=") == std::string::npos);
    }
    edge.tracing = {true, trace_ratio(1)};
    BOOST_TEST(line("00-" + id + "-b7ad6b7169203331-00").find(" trace=" + id + ' ') != std::string::npos);
    BOOST_TEST(matches(line_of("GET", "/events/user/8"), " trace=[0-9a-f]{32} "));
    for (const auto& each : nats.seen)
        if (each.headers.has("traceparent"))
            BOOST_TEST(each.headers.get("traceparent").ends_with("-01")); // what is not sampled stays here
}

BOOST_AUTO_TEST_CASE(a_failure_has_no_trace_where_requests_have_no_lines_and_no_traces)
{
    set_access_log({});
    const std::string sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    const auto text = line_of("GET", "/events/user/8", {{"traceparent", sent}});
    BOOST_TEST(matches(text, "request failed request=request-1 method=GET "), text);
}

BOOST_AUTO_TEST_CASE(the_client_is_the_one_behind_a_trusted_proxy)
{
    rate_settings settings;
    BOOST_TEST(settings.trusted_proxies.add("10.0.0.0/8").has_value());
    const rate_limits limits(settings);
    auto request = make("GET", "/", {{"X-Forwarded-For", "192.0.2.1, 2001:db8::1"}});
    request.peer = client_address(asio::ip::make_address("10.1.1.1"));
    BOOST_TEST(facts_of(request, &limits).client.text() == "2001:db8::1");
    request.peer = client_address(asio::ip::make_address("11.1.1.1"));
    BOOST_TEST(facts_of(request, &limits).client.text() == "11.1.1.1");
    BOOST_TEST(facts_of(request, nullptr).client.text() == "11.1.1.1");
}

BOOST_AUTO_TEST_CASE(off_a_request_that_succeeds_leaves_no_line)
{
    set_access_log({});
    BOOST_TEST(line_of("GET", "/healthz").empty());
    BOOST_TEST(line_of("GET", "/no/such/path").empty());
    const error why = fail(errc::overloaded, "Too many connections.");
    const auto refused = log_of([&] { log_refused({503, "r-2", &why, {}}); });
    BOOST_TEST(matches(refused, R"( warning .*: request failed request=r-2 route=other status=503 code=overloaded )"
                                R"(detail="Too many connections." client=::\n$)"),
               refused);
}

BOOST_AUTO_TEST_SUITE_END()
