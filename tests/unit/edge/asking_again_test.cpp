// Questions that one instance leaves unanswered, and services that keep failing.
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

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

struct asking_kit : gateway_kit
{
    /// Sends, and runs until `done`.
    void begin(const std::string& target)
    {
        asio::co_spawn(io, handle_request(edge, make("GET", target)),
                       [this](const std::exception_ptr&, http_response a) { answer = std::move(a); });
    }
    void run_until(const std::function<bool()>& done)
    {
        const auto end = deadline::in(20s);
        while (!done() && !end.passed())
        {
            io.restart();
            io.run_for(1ms);
        }
        BOOST_REQUIRE(done());
    }

    service_health& health(const char* service) { return edge.services.of(service); }

    void spend_budget(const char* service)
    {
        while (health(service).ask_again())
        {
        }
    }

    void fail_at(const char* service, deadline::clock::time_point when)
    {
        health(service).failed(service_health::permit::granted, errc::timeout, when, when);
    }

    /// Lets a circuit open; that it stays so for long is a matter of the clock it is told.
    void open_circuit(const char* service)
    {
        for (int i = 0; i < 10; ++i)
            fail_at(service, deadline::clock::now() + 1h);
    }

    std::optional<http_response> answer;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(asking_again, asking_kit)

BOOST_AUTO_TEST_CASE(after_half_of_the_time_another_is_asked_and_the_first_answer_counts)
{
    for (const std::size_t first : {0U, 1U})
    {
        asking_kit kit;
        kit.edge.timeout = 300ms;
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

BOOST_AUTO_TEST_CASE(without_budget_the_first_instance_has_all_the_time_there_is)
{
    edge.timeout = 100ms;
    spend_budget("metadata");
    nats.script_silence("metadata.get.1");
    begin("/content/asset/1");
    const auto half_is_over = deadline::in(60ms + 2 * waiting_questions::tick);
    run_until([&] { return half_is_over.passed(); });
    BOOST_TEST(nats.seen.size() == 1U);
    BOOST_TEST(!answer.has_value());
    nats.open[0].settle(as_reply(metadata));
    run_until([&] { return answer.has_value(); });
    BOOST_TEST(answer->status == 200);
}

BOOST_AUTO_TEST_CASE(a_list_is_asked_again_too)
{
    edge.timeout = 100ms;
    nats.script_silence("metadata.list");
    nats.script_json("metadata.list", R"({"assets":[]})");
    begin("/content/assets");
    run_until([&] { return answer.has_value(); });
    BOOST_TEST(answer->status == 200);
    BOOST_TEST(nats.seen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_it_is_asked_again_once_as_somebody_may_be_back)
{
    nats.script("metadata.get.1", fail(errc::no_responders));
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    BOOST_TEST(nats.seen.size() == 2U);

    nats.seen.clear();
    check_problem(send("GET", "/content/asset/1"), 503, "no_responders");
    BOOST_TEST(nats.seen.size() == 2U);

    auto& gone = health("cdnurl");
    const auto now = deadline::clock::now();
    BOOST_TEST(gone.just_left(now));
    BOOST_TEST(gone.just_left(now + 999ms));
    gone.failed(service_health::permit::granted, errc::no_responders, now, now);
    BOOST_TEST(!gone.just_left(now + 1s));
    gone.answered(service_health::permit::granted, now + 2s);
    BOOST_TEST(gone.just_left(now + 3s));
}

BOOST_AUTO_TEST_CASE(a_change_is_never_asked_again)
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

BOOST_AUTO_TEST_CASE(a_service_that_keeps_failing_is_not_asked_and_its_routes_are_503_at_once)
{
    open_circuit("metadata");
    for (const auto* path : {"/content/asset/1", "/content/assets"})
        check_problem(send("GET", path), 503, "unavailable");
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "unavailable");
    BOOST_TEST(nats.seen.empty());

    health("metadata").answered(service_health::permit::granted, deadline::clock::now());
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
}

BOOST_AUTO_TEST_CASE(a_play_whose_url_cannot_be_asked_for_is_503_and_nothing_is_counted)
{
    open_circuit("cdnurl");
    nats.script_json("metadata.get.1", metadata);
    check_problem(send("POST", "/play/asset/1/user/2"), 503, "unavailable");
    const std::vector<std::string> expected = {"metadata.get.1"};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(while_reporting_keeps_failing_views_are_stored_and_answered_without_counts_at_once)
{
    open_circuit("reporting");
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

BOOST_AUTO_TEST_CASE(a_probe_that_nobody_waits_for_leaves_its_place_to_the_next_question)
{
    for (int i = 0; i < 10; ++i)
        fail_at("cdnurl", deadline::clock::now() + 2s);
    const auto later = deadline::clock::now() + 10s;
    const auto up = [] { return true; };
    BOOST_TEST((health("cdnurl").ask(later, up) == service_health::permit::probe));
    BOOST_TEST((health("cdnurl").ask(later, up) == service_health::permit::refused));
    health("cdnurl").abandoned(service_health::permit::probe);
    BOOST_TEST((health("cdnurl").ask(later, up) == service_health::permit::probe));
}

BOOST_AUTO_TEST_CASE(without_the_broker_that_is_what_is_said_and_circuits_are_closed)
{
    open_circuit("metadata");
    bool up = false;
    edge.link_up = [&up] { return up; };
    nats.script("metadata.get.1", fail(errc::disconnected));
    check_problem(send("GET", "/content/asset/1"), 503, "disconnected");
    up = true;
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
}

BOOST_AUTO_TEST_CASE(what_was_asked_again_and_what_was_not_asked_is_counted)
{
    auto board = std::make_shared<metrics_board>();
    board->add(io.get_executor(), edge.metrics, [] { return worker_sample{}; });
    edge.board = board;
    nats.script("metadata.get.1", fail(errc::timeout));
    nats.script_json("metadata.get.1", metadata);
    BOOST_TEST(send("GET", "/content/asset/1").status == 200);
    open_circuit("reporting");
    BOOST_TEST(send("GET", "/events/user/1").status == 503);
    BOOST_TEST(send("GET", "/events/user/1").status == 503);
    spend_budget("cdnurl");
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
