// Requests that one instance does not answer, and services that keep failing.
#include "edge/routes/routes.hpp"
#include "tests/support/span_list.hpp"
#include "tests/unit/edge/kit.hpp"
#include "tests/unit/edge/upstream/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

constexpr auto metadata = R"({"id":"1","title":"T","genre":"g","summary":"s"})";
constexpr auto url = R"({"id":"1","url":"u"})";
constexpr auto counts = R"({"assetviews":7,"userviews":3})";
constexpr auto stored = R"({"stream":"EVENTS","seq":41})";

message as_reply(const char* text) { return {"", "", text, {}}; }

struct retry_kit : gateway_kit
{
    /// Sends a GET; the response goes to `answer`.
    void begin(const std::string& target)
    {
        asio::co_spawn(io, handle_request(edge, make("GET", target)),
                       [this](const std::exception_ptr&, http_response a) { answer = std::move(a); });
    }
    void run_until(const std::function<bool()>& done) { test::run_until(io, done); }

    service_health& health(upstream_service service) { return edge.services.health.of(service); }

    std::optional<http_response> answer;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hedged_requests, retry_kit)

BOOST_AUTO_TEST_CASE(a_lookup_is_hedged_after_half_of_its_time_and_the_first_reply_counts)
{
    for (const std::size_t first : {0U, 1U})
    {
        retry_kit kit;
        kit.edge.admitted.timeout = 300ms;
        kit.nats.script_silence("metadata.get.1");
        kit.nats.script_silence("metadata.get.1");
        kit.begin("/content/asset/1");
        kit.run_until([&] { return kit.nats.open.size() == 2; });
        BOOST_TEST(!kit.answer.has_value());
        BOOST_TEST((kit.nats.seen[0].until.at() == kit.nats.seen[1].until.at()));
        BOOST_TEST(std::stoi(std::string(kit.nats.seen[1].headers.get(names::header_timeout))) <= 150);
        BOOST_TEST(kit.nats.seen[1].headers.get(names::header_request_id) == "request-1");
        kit.nats.open[first].settle(as_reply(metadata));
        kit.run_until([&] { return kit.answer.has_value(); });
        kit.nats.open[1 - first].settle(as_reply(R"({"id":"1","title":"late","genre":"g","summary":"s"})"));
        kit.io.poll();
        BOOST_TEST(kit.answer->body == metadata);
        BOOST_TEST(kit.nats.seen.size() == 2U);
    }
}

BOOST_AUTO_TEST_CASE(without_budget_the_first_attempt_has_the_whole_deadline)
{
    edge.admitted.timeout = 100ms;
    spend_budget(health(upstream_service::metadata));
    nats.script_silence("metadata.get.1");
    begin("/content/asset/1");
    const auto half_is_over = deadline::in(60ms + 2 * hedge_timer::tick);
    run_until([&] { return half_is_over.passed(); });
    BOOST_TEST(nats.seen.size() == 1U);
    BOOST_TEST(!answer.has_value());
    nats.open[0].settle(as_reply(metadata));
    run_until([&] { return answer.has_value(); });
    BOOST_TEST(answer->status == 200);
}

BOOST_AUTO_TEST_CASE(the_span_of_a_request_says_whether_it_was_sent_a_second_time)
{
    span_list spans;
    edge.tracing = {true, trace_ratio(1)};
    edge.admitted.timeout = 100ms;
    const auto says_second = [&spans]
    {
        for (const auto& each : spans.take())
            if (each->name == "request metadata.get.*")
                return std::any_of(each->attributes.begin(), each->attributes.end(),
                                   [](const auto& one) { return one.first == "marquee.second_attempt"; });
        BOOST_ERROR("the request has no span");
        return false;
    };
    nats.script_silence("metadata.get.1");
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(says_second()); // after half of its time

    nats.script("metadata.get.1", fail(errc::no_responders));
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(says_second());

    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(!says_second());

    spend_budget(health(upstream_service::metadata));
    nats.open.clear();
    nats.script_silence("metadata.get.1");
    begin("/content/asset/1");
    const auto half_is_over = deadline::in(60ms + 2 * hedge_timer::tick);
    run_until([&] { return half_is_over.passed(); });
    nats.open[0].settle(as_reply(metadata));
    run_until([&] { return answer.has_value(); });
    BOOST_TEST(!says_second()); // it was due, and the budget was spent
}

BOOST_AUTO_TEST_CASE(a_list_is_retried_too)
{
    edge.admitted.timeout = 100ms;
    nats.script_silence("metadata.list");
    nats.script_json("metadata.list", R"({"assets":[]})");
    begin("/content/assets");
    run_until([&] { return answer.has_value(); });
    BOOST_TEST(answer->status == 200);
    BOOST_TEST(nats.seen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(after_no_responders_a_lookup_is_retried_once)
{
    nats.script("metadata.get.1", fail(errc::no_responders));
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(nats.seen.size() == 2U);

    nats.seen.clear();
    check_problem(send("GET", "/content/asset/1"), 503, "no_responders");
    BOOST_TEST(nats.seen.size() == 2U);

    auto& cdnurl = health(upstream_service::cdnurl);
    const auto now = deadline::clock::now();
    BOOST_TEST(cdnurl.recently_absent(now));
    BOOST_TEST(cdnurl.recently_absent(now + 999ms));
    cdnurl.failed(service_health::permit::granted, errc::no_responders, now, now);
    BOOST_TEST(!cdnurl.recently_absent(now + 1s));
    cdnurl.answered(service_health::permit::granted, now + 2s);
    BOOST_TEST(cdnurl.recently_absent(now + 3s));
}

BOOST_AUTO_TEST_CASE(a_change_is_never_retried)
{
    const std::string body = R"({"title":"T","genre":"g","summary":"s"})";
    for (const auto code : {errc::timeout, errc::no_responders})
    {
        nats.seen.clear();
        nats.script("metadata.put.1", fail(code));
        BOOST_TEST(as_admin("POST", "/content/asset/1", {}, body).status >= 503);
        BOOST_TEST(nats.seen.size() == 1U);
    }
}

BOOST_AUTO_TEST_CASE(an_open_circuit_sends_no_request_and_its_routes_are_503_at_once)
{
    open_circuit(health(upstream_service::metadata));
    for (const auto* path : {"/content/asset/1", "/content/assets"})
        check_problem(send("GET", path), 503, "unavailable");
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "unavailable");
    BOOST_TEST(nats.seen.empty());

    health(upstream_service::metadata).answered(service_health::permit::granted, deadline::clock::now());
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
}

BOOST_AUTO_TEST_CASE(with_the_circuit_of_cdnurl_open_a_play_is_503_and_not_counted)
{
    open_circuit(health(upstream_service::cdnurl));
    nats.script_json("metadata.get.1", metadata);
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "unavailable");
    const std::vector<std::string> expected = {"metadata.get.1"};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_the_circuit_of_reporting_open_views_are_stored_and_answered_without_counts)
{
    open_circuit(health(upstream_service::reporting));
    for (const std::string path : {"/play/asset/1/user/2", "/events/asset/1/user/2"})
    {
        nats.seen.clear();
        nats.script_json("metadata.get.1", metadata);
        nats.script_json("cdnurl.get.1", url);
        nats.script_json("events", stored);
        nats.script_json("reporting.views.1.2", counts);
        const auto shown = send("POST", path);
        BOOST_TEST(shown.status == 200);
        BOOST_TEST(member(shown, "degraded") == R"(["reporting"])");
        const auto seen = subjects_seen();
        BOOST_TEST(std::count(seen.begin(), seen.end(), "events") == 1);
        BOOST_TEST(std::count(seen.begin(), seen.end(), "reporting.views.1.2") == 0);
    }
    check_problem(send("GET", "/events/user/2"), 503, "unavailable");
}

BOOST_AUTO_TEST_CASE(an_abandoned_probe_is_replaced_by_the_next_request)
{
    for (int i = 0; i < 10; ++i)
        fail_at(health(upstream_service::cdnurl), deadline::clock::now() + 2s);
    const auto later = deadline::clock::now() + 10s;
    const auto up = [] { return true; };
    BOOST_TEST((health(upstream_service::cdnurl).admit(later, up) == service_health::permit::probe));
    BOOST_TEST((health(upstream_service::cdnurl).admit(later, up) == service_health::permit::refused));
    health(upstream_service::cdnurl).abandoned(service_health::permit::probe);
    BOOST_TEST((health(upstream_service::cdnurl).admit(later, up) == service_health::permit::probe));
}

BOOST_AUTO_TEST_CASE(without_the_broker_the_error_is_disconnected_and_circuits_are_closed)
{
    open_circuit(health(upstream_service::metadata));
    bool up = false;
    edge.services.link_up = [&up] { return up; };
    nats.script("metadata.get.1", fail(errc::disconnected));
    check_problem(send("GET", "/content/asset/1"), 503, "disconnected");
    up = true;
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
}

BOOST_AUTO_TEST_CASE(retries_and_refused_requests_are_counted)
{
    auto board = std::make_shared<metrics_board>(route_labels());
    board->add(io.get_executor(), edge.metrics.worker, [] { return worker_sample{}; });
    edge.metrics.board = board;
    nats.script("metadata.get.1", fail(errc::timeout));
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    open_circuit(health(upstream_service::reporting));
    BOOST_TEST(send("GET", "/events/user/1").status == 503);
    BOOST_TEST(send("GET", "/events/user/1").status == 503);
    spend_budget(health(upstream_service::cdnurl));
    const auto page = "\n" + send("GET", "/metrics").body;
    for (const std::string line : {
             R"(marquee_edge_asked_again_total{service="metadata"} 1)",
             R"(marquee_edge_not_asked_again_total{service="metadata"} 0)",
             R"(marquee_edge_not_asked_again_total{service="cdnurl"} 1)",
             R"(marquee_edge_not_asked_total{service="metadata"} 0)",
             R"(marquee_edge_not_asked_total{service="reporting"} 2)",
             R"(marquee_edge_circuit_opened_total{service="metadata"} 0)",
             R"(marquee_edge_circuit_opened_total{service="reporting"} 1)",
             R"(marquee_edge_circuits_open{service="cdnurl"} 0)",
             R"(marquee_edge_circuits_open{service="reporting"} 1)",
         })
        BOOST_TEST(page.find('\n' + line + '\n') != std::string::npos, line);
}

BOOST_AUTO_TEST_SUITE_END()
