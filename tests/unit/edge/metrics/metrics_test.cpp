#include "edge/metrics/metrics.hpp"
#include "edge/routes/routes.hpp"
#include "tests/support/captured_log.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <new>
#include <thread>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

bool has_line(const std::string& text, const std::string& line)
{
    return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

/// Has no memory for a request.
class throwing_requester : public fake_requester
{
public:
    using fake_requester::fake_requester;
    pending_reply request(const subject&, std::string_view, const header_list&, deadline) override
    {
        throw std::bad_alloc();
    }
};

/// A gateway_kit whose thread is on a metrics board.
class board_kit : public gateway_kit
{
public:
    std::shared_ptr<metrics_board> board = std::make_shared<metrics_board>(route_labels());

    board_kit()
    {
        edge.metrics.board = board;
        board->add(io.get_executor(), edge.metrics.worker, [] { return worker_sample{}; });
    }

    std::string text(std::chrono::milliseconds limit = 10s)
    {
        std::string all;
        run_coro(io,
                 [&]() -> asio::awaitable<void>
                 {
                     const auto until = deadline::in(limit);
                     all = co_await board->text(until);
                 });
        return all;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(metrics, board_kit)

BOOST_AUTO_TEST_CASE(an_answer_is_counted_by_route_method_and_status)
{
    nats.script_json("metadata.get.1", R"({"id":"1","title":"t","genre":"g","summary":"s"})");
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(send("HEAD", "/content/asset/%00").status == 400);
    BOOST_TEST(send("POST", "/content/asset/1").status == 401);
    BOOST_TEST(send("PUT", "/content/asset/1").status == 405);
    BOOST_TEST(send("BREW", "/coffee").status == 404);
    const auto answer = send("GET", "/metrics");
    BOOST_TEST(answer.fields.get("Content-Type").value_or("") == "text/plain; version=0.0.4; charset=utf-8");
    for (const std::string line : {
             R"(marquee_edge_requests_total{route="/content/asset/{asset}",method="GET",status="200"} 1)",
             R"(marquee_edge_requests_total{route="/content/asset/{asset}",method="HEAD",status="400"} 1)",
             R"(marquee_edge_requests_total{route="/content/asset/{asset}",method="POST",status="401"} 1)",
             R"(marquee_edge_requests_total{route="other",method="other",status="405"} 1)",
             R"(marquee_edge_requests_total{route="other",method="other",status="404"} 1)",
             R"(marquee_edge_request_duration_seconds_bucket{route="/content/asset/{asset}",method="GET",le="+Inf"} 1)",
             R"(marquee_edge_request_duration_seconds_count{route="/content/asset/{asset}",method="GET"} 1)",
         })
        BOOST_TEST(has_line(answer.body, line), line << " in\n" << answer.body);
    BOOST_TEST(has_line(
        answer.body,
        R"(marquee_edge_requests_total{route="/metrics",method="GET",status="200"} 0)")); // counted only once it is answered
}

BOOST_AUTO_TEST_CASE(requests_refused_before_routing_and_options_count_as_other)
{
    rate_settings settings;
    settings.address = rate::parse("0.01:4").value();
    settings.user = rate::parse("0.01:1").value();
    rate_limits limits(settings);
    edge.admitted.rates = &limits;
    BOOST_TEST(send("OPTIONS", "/events/user/1").status == 204);
    BOOST_TEST(send("OPTIONS", "/nowhere").status == 404);
    BOOST_TEST(send("GET", "/events/user/1").status == 503);
    BOOST_TEST(send("GET", "/events/user/1").status == 429); // limit of the user: it has a route
    BOOST_TEST(send("GET", "/events/user/1").status == 429); // limit of the address: refused before routing
    const auto all = text();
    for (const std::string line :
         {R"(marquee_edge_requests_total{route="other",method="other",status="204"} 1)",
          R"(marquee_edge_requests_total{route="other",method="other",status="404"} 1)",
          R"(marquee_edge_requests_total{route="/events/user/{user}",method="GET",status="503"} 1)",
          R"(marquee_edge_requests_total{route="/events/user/{user}",method="GET",status="429"} 1)",
          R"(marquee_edge_requests_total{route="other",method="other",status="429"} 1)"})
        BOOST_TEST(has_line(all, line), line << " in\n" << all);
}

BOOST_AUTO_TEST_CASE(a_duration_is_in_every_bucket_from_its_own_on_and_the_sum_is_exact)
{
    const auto& one = all_routes().front();
    for (const auto took :
         std::initializer_list<std::chrono::nanoseconds>{500us, 500us + 1ns, 1s, 2500ms, 10s, 10s + 1ns, 1h})
        edge.metrics.worker->answered(index_of(one), false, 200, took);
    const auto all = text();
    const std::string labels = R"({route=")" + std::string(one.pattern) + R"(",method="POST")";
    for (const auto& [le, count] :
         {std::pair("0.0005", 1), std::pair("0.001", 2), std::pair("0.5", 2), std::pair("1", 3), std::pair("2.5", 4),
          std::pair("5", 4), std::pair("10", 5), std::pair("+Inf", 7)})
    {
        const auto line =
            "marquee_edge_request_duration_seconds_bucket" + labels + ",le=\"" + le + "\"} " + std::to_string(count);
        BOOST_TEST(has_line(all, line), line);
    }
    BOOST_TEST(has_line(all, "marquee_edge_request_duration_seconds_sum" + labels + "} 3623.501000002"));
    BOOST_TEST(has_line(all, "marquee_edge_request_duration_seconds_count" + labels + "} 7"));
}

BOOST_AUTO_TEST_CASE(unlisted_statuses_and_invalid_requests_are_counted_too)
{
    edge.metrics.worker->answered(index_of(all_routes().front()), false, 418, 1ms);
    edge.metrics.worker->refused(431);
    edge.metrics.worker->views().messages.add();
    edge.metrics.worker->views().views.add(3);
    edge.metrics.worker->views().asked.add();
    edge.metrics.worker->degraded("events");
    edge.metrics.worker->degraded("reporting");
    edge.metrics.worker->degraded("reporting");
    const auto all = text();
    for (const std::string line :
         {R"(marquee_edge_requests_total{route="/play/asset/{asset}/user/{user}",method="POST",status="other"} 1)",
          R"(marquee_edge_requests_total{route="other",method="other",status="431"} 1)",
          "marquee_edge_view_messages_total 1", "marquee_edge_views_sent_total 3",
          "marquee_edge_view_messages_asked_total 1", R"(marquee_edge_degraded_total{part="events"} 1)",
          R"(marquee_edge_degraded_total{part="reporting"} 2)"})
        BOOST_TEST(has_line(all, line), line);
}

BOOST_AUTO_TEST_CASE(a_play_misses_the_objective_once_and_a_refused_one_counts_for_nothing)
{
    auto& worker = *edge.metrics.worker;
    worker.played(200, true, 250ms);
    worker.played(200, true, 250ms + 1ns);
    worker.played(200, false, 1ms);
    worker.played(200, false, 1s); // slow, not also without counts
    worker.played(504, true, 2s);
    worker.played(404, true, 1ms);
    worker.played(429, true, 1s);
    const auto all = text();
    for (const std::string line :
         {"marquee_edge_objective_plays_total 5", R"(marquee_edge_objective_missed_total{why="failed"} 1)",
          R"(marquee_edge_objective_missed_total{why="slow"} 2)",
          R"(marquee_edge_objective_missed_total{why="without_counts"} 1)"})
        BOOST_TEST(has_line(all, line), line << " in\n" << all);
}

BOOST_AUTO_TEST_CASE(a_play_that_is_refused_or_has_no_counts_misses_the_objective)
{
    edge.admitted.max_in_flight = 0;
    BOOST_TEST(send("POST", "/play/asset/1/user/1").status == 503);
    BOOST_TEST(send("GET", "/content/asset/1").status == 503); // no play
    edge.admitted.max_in_flight = 10;
    BOOST_TEST(send("POST", "/play/asset/%00/user/1").status == 400);
    nats.script_json("metadata.get.1", R"({"id":"1","title":"t","genre":"g","summary":"s"})");
    nats.script_json("cdnurl.get.1", R"({"id":"1","url":"u"})");
    nats.script_json("events", R"({"error":{"code":503,"description":"full"}})");
    BOOST_TEST(send("POST", "/play/asset/1/user/1").status == 200);
    const auto all = text();
    for (const std::string line :
         {"marquee_edge_objective_plays_total 2", R"(marquee_edge_objective_missed_total{why="failed"} 1)",
          R"(marquee_edge_objective_missed_total{why="without_counts"} 1)"})
        BOOST_TEST(has_line(all, line), line << " in\n" << all);
}

BOOST_AUTO_TEST_CASE(a_play_whose_handler_throws_is_a_failed_play_of_its_route)
{
    throwing_requester without_memory(io.get_executor());
    edge_context broken(without_memory);
    broken.metrics = edge.metrics;
    http_response answer;
    const auto logged = log_of(
        [&]
        {
            run_coro(io,
                     [&]() -> asio::awaitable<void>
                     {
                         auto request = make("POST", "/play/asset/1/user/1");
                         answer = co_await handle_request(broken, std::move(request));
                     });
        });
    check_problem(answer, 502, "service_failed");
    BOOST_TEST(logged.find("a handler threw request=request-1 what=") != std::string::npos, logged);
    BOOST_TEST(logged.find("method=POST route=/play/asset/{asset}/user/{user} status=502") != std::string::npos,
               logged);
    const auto all = text();
    for (const std::string line :
         {"marquee_edge_objective_plays_total 1", R"(marquee_edge_objective_missed_total{why="failed"} 1)",
          R"(marquee_edge_requests_total{route="/play/asset/{asset}/user/{user}",method="POST",status="502"} 1)"})
        BOOST_TEST(has_line(all, line), line << " in\n" << all);
    nats.script("metadata.get.1", fail(errc::asset_not_found));
    nats.script_json("cdnurl.get.1", R"({"id":"1","url":"u"})");
    BOOST_TEST(send("POST", "/play/asset/1/user/1").status == 404);
}

BOOST_AUTO_TEST_CASE(the_time_of_plays_is_counted_by_part_and_that_of_other_requests_is_not)
{
    const auto start = request_timing::clock::time_point{} + 1h;
    request_timing timing(start);
    timing.start(request_part::lookups, start);
    timing.start(request_part::store, start + 2ms);
    timing.finish(start + 1s + 2ms + 500us);
    request_meter view(*edge.metrics.worker, "POST");
    view.count_parts(timing);
    BOOST_TEST(has_line(text(), R"(marquee_edge_play_part_seconds_total{part="store"} 0.000000000)"));
    request_meter play(*edge.metrics.worker, "POST");
    play.played(true);
    play.count_parts(timing);
    play.count_parts(timing);
    const auto all = text();
    for (const std::string line : {R"(marquee_edge_play_part_seconds_total{part="lookups"} 0.004000000)",
                                   R"(marquee_edge_play_part_seconds_total{part="store"} 2.001000000)",
                                   R"(marquee_edge_play_part_seconds_total{part="count"} 0.000000000)"})
        BOOST_TEST(has_line(all, line), line << " in\n" << all);
}

BOOST_AUTO_TEST_CASE(a_play_without_metadata_spends_its_time_on_lookups_and_a_view_on_no_part)
{
    nats.script_json("events", R"({"error":{"code":503,"description":"full"}})");
    BOOST_TEST(send("POST", "/events/asset/1/user/1").status == 503);
    nats.script("metadata.get.1", fail(errc::no_responders)); // asked again after 100 ms
    nats.script_json("cdnurl.get.1", R"({"id":"1","url":"u"})");
    BOOST_TEST(send("POST", "/play/asset/1/user/1").status == 503);
    const auto all = text();
    BOOST_TEST(!has_line(all, R"(marquee_edge_play_part_seconds_total{part="lookups"} 0.000000000)"));
    BOOST_TEST(has_line(all, R"(marquee_edge_play_part_seconds_total{part="store"} 0.000000000)"));
}

BOOST_AUTO_TEST_CASE(circuits_are_summed_over_threads_with_the_time_since_when)
{
    const auto of = [this] { return board->circuits().at(1); };
    BOOST_TEST((of().service == upstream_service::cdnurl));
    BOOST_TEST(of().open == 0U);
    BOOST_TEST(of().threads == 1U);
    BOOST_TEST((std::chrono::system_clock::now() - of().since < 1h));
    auto& counted = edge.metrics.worker->of(upstream_service::cdnurl);
    counted.open.set(1);
    counted.moved.set(1'000'000);
    BOOST_TEST(of().open == 1U);
    BOOST_TEST((of().since == std::chrono::system_clock::time_point(1'000'000s)));
}

BOOST_AUTO_TEST_CASE(the_certificate_and_the_process_are_on_the_page)
{
    BOOST_TEST(text().find("marquee_tls_certificate") == std::string::npos);
    board->set_certificate([] { return std::chrono::system_clock::time_point(1'893'456'000s); });
    const auto all = text();
    BOOST_TEST(has_line(all, "marquee_tls_certificate_not_after_seconds 1893456000"));
    for (const std::string name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                                   "process_start_time_seconds "})
        BOOST_TEST(all.find('\n' + name) != std::string::npos, name);
}

BOOST_AUTO_TEST_CASE(all_threads_are_summed_and_a_blocked_one_counts_with_its_last_sample)
{
    asio::io_context other;
    auto work = asio::make_work_guard(other);
    auto counted = std::make_shared<worker_metrics>(route_labels());
    std::uint64_t late = 5;
    board->add(other.get_executor(), counted,
               [&late]
               {
                   worker_sample now;
                   now.link_up = 1;
                   now.late_replies = late;
                   return now;
               });
    std::thread thread([&other] { other.run(); });
    edge.metrics.worker->refused(400);
    const auto both = text();
    BOOST_TEST(has_line(both, "marquee_edge_threads 2"));
    BOOST_TEST(has_line(both, "marquee_edge_nats_links_up 1"));
    BOOST_TEST(has_line(both, "marquee_edge_nats_late_replies_total 5"));
    work.reset();
    other.stop();
    thread.join();
    late = 6;
    counted->refused(400);
    const auto alone = text(50ms);
    BOOST_TEST(has_line(alone, "marquee_edge_nats_late_replies_total 5"));
    BOOST_TEST(has_line(alone, R"(marquee_edge_requests_total{route="other",method="other",status="400"} 2)"));
}

BOOST_AUTO_TEST_CASE(series_of_known_routes_and_common_statuses_begin_at_zero)
{
    const auto all = text();
    for (const auto& each : all_routes())
        for (const auto* status : {"200", "400", "404", "429", "500", "502", "503", "504"})
        {
            const auto labels =
                "route=\"" + std::string(each.pattern) + "\",method=\"" + std::string(each.method) + '"';
            BOOST_TEST(has_line(all, "marquee_edge_requests_total{" + labels + ",status=\"" + status + "\"} 0"));
            BOOST_TEST(has_line(all, "marquee_edge_request_duration_seconds_count{" + labels + "} 0"));
        }
    for (const std::string line :
         {R"(marquee_edge_requests_total{route="/url/assets",method="GET",status="401"} 0)",
          R"(marquee_edge_requests_total{route="/events/user/{user}",method="GET",status="403"} 0)",
          R"(marquee_edge_requests_total{route="other",method="other",status="405"} 0)"})
        BOOST_TEST(has_line(all, line), line);
    BOOST_TEST(all.find("method=\"HEAD\"") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
