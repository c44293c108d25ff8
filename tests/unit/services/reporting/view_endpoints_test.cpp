// The endpoints of lists and of views by time.
#include "services/reporting/reporting_endpoints.hpp"
#include "services/reporting/view_periods.hpp"
#include "tests/unit/services/kit.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <algorithm>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

/// Stream time is 2024-10-04T00:00:00Z and later, and now it is 02:30 of that day.
struct views_fixture
{
    temporary_folder folder;
    asio::io_context io{1};
    std::shared_ptr<reporting_views> views = make();
    std::vector<endpoint_config> endpoints = reporting_endpoints(views, [] { return boost::json::value(); });

    std::shared_ptr<reporting_views> make()
    {
        projection_settings settings;
        settings.path = folder.file("counts.db");
        auto counts = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(counts.has_value(), counts.error().detail);
        const std::vector<stored_message> events = {
            stored(1, "a/b:u 1", day_one - 3h), stored(2, "a/b:u 2", day_one + 1h), stored(3, "b:u 1", day_one + 1h),
            stored(4, "b:u 1", day_one + 2h), stored(5, "c:u 1", day_one + 2h)};
        BOOST_REQUIRE(counts->apply(events).has_value());
        auto made = std::make_shared<reporting_views>(std::move(*counts), io.get_executor(), [](const std::string&) {});
        made->now = [] { return std::chrono::system_clock::time_point(day_one + 150min); };
        return made;
    }

    std::string call(const std::string& name, const std::string& subject, const std::string& payload = {})
    {
        const auto answer = ask(endpoints, name, subject, payload);
        if (answer.has_error())
            return code_of(answer) + ' ' + answer.error().what.field + answer.error().id;
        return answer->data;
    }
};

struct bad_rule
{
    const char* endpoint;
    const char* subject;
    const char* body;
    const char* expected;
};

std::ostream& operator<<(std::ostream& out, const bad_rule& r) { return out << r.subject << ' ' << r.body; }

const std::vector<bad_rule> bad = {
    {"top", "reporting.top", R"({"window":"2h"})", "bad_request window"},
    {"top", "reporting.top", R"({"window":24})", "bad_request window"},
    {"top", "reporting.top", R"({"at":"2024-10-04T00:00:00Z"})", "bad_request at"},
    {"top", "reporting.top", R"({"window":"all","at":"2024-10-04T00:00:00Z"})", "bad_request at"},
    {"top", "reporting.top", R"({"window":"1h","at":"2024-10-04"})", "bad_request at"},
    {"top", "reporting.top", R"({"window":"1h","at":"1969-12-31T23:59:59Z"})", "bad_request at"},
    {"top", "reporting.top", R"({"window":"1h","at":"9999-01-01T00:00:00Z"})", "bad_request at"},
    {"series", "reporting.series", R"({"step":"week"})", "bad_request step"},
    {"series", "reporting.series", R"({"from":"yesterday"})", "bad_request from"},
    {"series", "reporting.series", R"({"to":""})", "bad_request to"},
    {"series", "reporting.series", R"({"from":"2024-10-05T00:00:00Z","to":"2024-10-04T00:00:00Z"})",
     "bad_request from"},
    {"series", "reporting.series", R"({"from":"2024-10-04T07:40:00Z","to":"2024-10-04T07:20:00Z"})",
     "bad_request from"},
    {"series", "reporting.series", R"({"from":"2024-10-04T03:00:00.001Z"})", "bad_request from"}, // this hour's end
    {"series", "reporting.series", R"({"from":"2024-08-01T00:00:00Z"})", "bad_request from"},
    {"series", "reporting.series", R"({"step":"day","from":"2020-01-01T00:00:00Z"})", "bad_request from"},
    {"series", "reporting.series", "[]", "bad_request "},
    {"asset_series", "reporting.series.none", "", "asset_not_found none"},
    {"asset_series", "reporting.series.=41", "", "bad_id asset"},
    {"history", "reporting.history.none", "", "user_not_found none"},
    {"history", "reporting.history.=41", "", "bad_id user"},
    {"history", "reporting.history.u=201", R"({"limit":0})", "bad_request limit"},
    {"history", "reporting.history.u=201", R"({"limit":1001})", "bad_request limit"},
    {"history", "reporting.history.u=201", R"({"after":"b"})", "bad_request after"},
    {"history", "reporting.history.u=201", R"({"after":"-1.b"})", "bad_request after"},
    {"history", "reporting.history.u=201", R"({"after":"1.a/b"})", "bad_request after"},
    {"history", "reporting.history.u=201", R"({"after":"9999999999999999999.b"})", "bad_request after"},
    {"assets", "reporting.assets", R"({"limit":1001})", "bad_request limit"},
    {"assets", "reporting.assets", R"({"after":""})", "bad_request after"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(view_endpoints, views_fixture)

BOOST_DATA_TEST_CASE(a_bad_request_is_refused_by_its_member, boost::unit_test::data::make(bad), r)
{
    BOOST_TEST(call(r.endpoint, r.subject, r.body) == r.expected);
}

BOOST_AUTO_TEST_CASE(the_top_of_a_window_has_its_bounds)
{
    BOOST_TEST(call("top", "reporting.top", R"({"window":"1h"})") ==
               R"({"from":"2024-10-04T02:00:00Z","to":"2024-10-04T03:00:00Z","assets":[{"id":"b","views":1},)"
               R"({"id":"c","views":1}]})");
    BOOST_TEST(call("top", "reporting.top", R"({"window":"24h","limit":1})") ==
               R"({"from":"2024-10-03T03:00:00Z","to":"2024-10-04T03:00:00Z","assets":[{"id":"a/b","views":2}]})");
    BOOST_TEST(call("top", "reporting.top", R"({"window":"7d","limit":2})") ==
               R"({"from":"2024-09-28T00:00:00Z","to":"2024-10-05T00:00:00Z","assets":[{"id":"a/b","views":2},)"
               R"({"id":"b","views":2}]})");
    BOOST_TEST(call("top", "reporting.top", R"({"window":"30d","at":"2024-10-03T23:59:59.999Z"})") ==
               R"({"from":"2024-09-04T00:00:00Z","to":"2024-10-04T00:00:00Z","assets":[{"id":"a/b","views":1}]})");
    BOOST_TEST(call("top", "reporting.top", R"({"window":"1h","at":"1970-01-01T00:00:00Z"})") ==
               R"({"from":"1970-01-01T00:00:00Z","to":"1970-01-01T01:00:00Z","assets":[]})");
    BOOST_TEST(call("top", "reporting.top", R"({"window":"24h","at":"1970-01-01T00:00:00Z"})")
                   .starts_with(R"({"from":"1970-01-01T00:00:00Z","to":"1970-01-01T01:00:00Z")"));
    const auto all = R"({"assets":[{"id":"a/b","views":2},{"id":"b","views":2},{"id":"c","views":1}]})";
    for (const auto* body : {"", "{}", R"({"window":"all"})", R"({"window":null,"at":null})"})
        BOOST_TEST(call("top", "reporting.top", body) == all);
}

BOOST_AUTO_TEST_CASE(a_series_has_each_step_and_defaults)
{
    BOOST_TEST(call("series", "reporting.series", R"({"from":"2024-10-03T21:30:00Z","to":"2024-10-04T01:00:01Z"})") ==
               R"({"step":"hour","from":"2024-10-03T21:00:00Z","to":"2024-10-04T02:00:00Z","points":[)"
               R"({"start":"2024-10-03T21:00:00Z","views":1},{"start":"2024-10-03T22:00:00Z","views":0},)"
               R"({"start":"2024-10-03T23:00:00Z","views":0},{"start":"2024-10-04T00:00:00Z","views":0},)"
               R"({"start":"2024-10-04T01:00:00Z","views":2}]})");
    BOOST_TEST(call("asset_series", "reporting.series.a=2Fb", R"({"step":"day","from":"2024-10-03T00:00:00Z"})") ==
               R"({"id":"a/b","step":"day","from":"2024-10-03T00:00:00Z","to":"2024-10-05T00:00:00Z","points":[)"
               R"({"start":"2024-10-03T00:00:00Z","views":1},{"start":"2024-10-04T00:00:00Z","views":1}]})");
    const auto hours = json(call("series", "reporting.series"));
    BOOST_TEST(hours.at("from") == "2024-10-03T03:00:00Z");
    BOOST_TEST(hours.at("to") == "2024-10-04T03:00:00Z");
    BOOST_TEST(hours.at("points").as_array().size() == 24U);
    const auto days = json(call("series", "reporting.series", R"({"step":"day"})"));
    BOOST_TEST(days.at("from") == "2024-09-05T00:00:00Z");
    BOOST_TEST(days.at("points").as_array().size() == 30U);
    BOOST_TEST(json(call("series", "reporting.series", R"({"to":"2024-10-04T02:00:00Z"})")).at("from") ==
               "2024-10-03T02:00:00Z");
    const auto most = json(call("series", "reporting.series",
                                R"({"step":"day","from":"2022-01-09T00:00:00Z","to":"2024-10-05T00:00:00Z"})"));
    BOOST_TEST(most.at("points").as_array().size() == 1000U);
    for (const std::string one : {"2024-10-04T02:00:00Z", "2024-10-04T02:30:00Z"}) // nothing is between
        BOOST_TEST(json(call("series", "reporting.series", R"({"from":")" + one + R"(","to":")" + one + "\"}"))
                       .at("points")
                       .as_array()
                       .empty());
    BOOST_TEST(
        json(call("series", "reporting.series", R"({"from":"2024-10-04T02:30:00Z","to":"2024-10-04T02:31:00Z"})"))
            .at("points")
            .as_array()
            .size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_history_and_the_counts_of_all_assets_come_in_pages)
{
    const auto first = json(call("history", "reporting.history.u=201", R"({"limit":2})"));
    BOOST_TEST(first.at("assets") == json(R"([{"id":"b","views":2,"last":"2024-10-04T02:00:00Z"},
                                              {"id":"c","views":1,"last":"2024-10-04T02:00:00Z"}])"));
    const std::string next(first.at("next").as_string());
    BOOST_TEST(call("history", "reporting.history.u=201", R"({"after":")" + next + "\"}") ==
               R"({"assets":[{"id":"a/b","views":1,"last":"2024-10-03T21:00:00Z"}]})");
    BOOST_TEST(call("assets", "reporting.assets", R"({"limit":1})") ==
               R"({"assets":[{"id":"a/b","views":2,"viewers":2,"last":"2024-10-04T01:00:00Z"}],"next":"a/b"})");
    BOOST_TEST(call("assets", "reporting.assets", R"({"after":"a/b"})") ==
               R"({"assets":[{"id":"b","views":2,"viewers":1,"last":"2024-10-04T02:00:00Z"},)"
               R"({"id":"c","views":1,"viewers":1,"last":"2024-10-04T02:00:00Z"}]})");
}

// What moves up between two pages is not shown again, and nothing that stood still is missed.
BOOST_AUTO_TEST_CASE(a_page_goes_on_where_the_one_before_ended)
{
    const auto first = json(call("history", "reporting.history.u=201", R"({"limit":1})"));
    const std::vector<stored_message> more = {stored(6, "a/b:u 1", day_one + 3h), stored(7, "b:u 1", day_one + 3h)};
    BOOST_REQUIRE(views->counts.stage(more).has_value());
    const std::string next(first.at("next").as_string());
    BOOST_TEST(call("history", "reporting.history.u=201", R"({"after":")" + next + "\"}") ==
               R"({"assets":[{"id":"c","views":1,"last":"2024-10-04T02:00:00Z"}]})");
}

BOOST_AUTO_TEST_CASE(a_window_is_added_up_a_step_at_a_time_while_counting_goes_on)
{
    const std::string body = R"({"window":"7d"})";
    const step_range week{step_kind::day, 19'994, 20'001}; // to 2024-10-04
    BOOST_TEST(!views->counts.has_sums(week));
    for (int step = 0; step < 6; ++step)
        BOOST_TEST(!views->counts.sum_next(week, window_kind::running).value());
    const auto stage = [&](std::vector<stored_message> m) { BOOST_REQUIRE(views->counts.stage(m).has_value()); };
    stage({stored(6, "c:u 2", day_one - 2h), stored(7, "c:u 2", day_one + 2h)}); // added up already, and not yet
    BOOST_TEST(views->counts.sum_next(week, window_kind::running).value());
    const std::string expected =
        R"({"from":"2024-09-28T00:00:00Z","to":"2024-10-05T00:00:00Z","assets":[{"id":"c","views":3},)"
        R"({"id":"a/b","views":2},{"id":"b","views":2}]})";
    BOOST_TEST(call("top", "reporting.top", body) == expected);
    BOOST_REQUIRE(views->counts.commit().has_value());
    BOOST_TEST(views->counts.has_sums(week));
    BOOST_TEST(call("top", "reporting.top", body) == expected);
    for (const std::string at : {"2024-10-01", "2024-10-02", "2024-10-03", "2024-10-05", "2024-10-06"})
        (void)call("top", "reporting.top", R"({"window":"7d","at":")" + at + "T00:00:00Z\"}");
    BOOST_TEST(views->counts.has_sums(week)); // what is asked for at other times does not drive it out
    BOOST_TEST(views->counts.has_sums({step_kind::day, 19'996, 20'003}));
    BOOST_TEST(!views->counts.has_sums({step_kind::day, 19'991, 19'998})); // of 2024-10-01
    BOOST_TEST(call("top", "reporting.top", body) == expected);
}

BOOST_AUTO_TEST_CASE(a_retraction_is_subtracted_from_the_sums_of_windows)
{
    const auto stage = [&](std::vector<stored_message> m) { BOOST_REQUIRE(views->counts.stage(m).has_value()); };
    const auto retract = [](std::uint64_t sequence, const std::string& id)
    {
        auto m = stored(sequence, R"({"retract":")" + id + "\"}", day_one + 150min);
        m.subject = "events.admin";
        return m;
    };
    stage({stored(6, event_json("one", "c", "u 2"), day_one + 1h), stored(7, event_json("two", "c", "u 2"), day_one),
           stored(8, event_json("only", "d", "u 2"), day_one + 2h)});
    const step_range day{step_kind::hour, 479'979, 480'003};
    for (const std::string window : {"24h", "7d"})
        (void)call("top", "reporting.top", R"({"window":")" + window + "\"}");
    const step_range half{step_kind::hour, 479'990, 480'004}; // added up to the step of "two", not to that of "one"
    for (int step = 0; step < 11; ++step)
        BOOST_TEST(!views->counts.sum_next(half, window_kind::chosen).value());
    BOOST_TEST(call("top", "reporting.top", R"({"window":"24h","limit":1})").find(R"("id":"c","views":3)") !=
               std::string::npos);
    stage({retract(9, "one"), retract(10, "two"), retract(11, "only")});
    BOOST_TEST(views->counts.has_sums(day));
    for (const std::string window : {"24h", "7d"})
    {
        const auto found = json(call("top", "reporting.top", R"({"window":")" + window + "\"}"));
        BOOST_TEST(found.at("assets") == json(R"([{"id":"a/b","views":2},{"id":"b","views":2},{"id":"c","views":1}])"));
    }
    while (!views->counts.sum_next(half, window_kind::chosen).value())
    {
    }
    BOOST_TEST(views->counts.top(half, 10).value().size() == 3U);
    for (const auto& each : views->counts.top(half, 10).value())
        BOOST_TEST(each.views == (each.id == "c" ? 1U : 2U));
}

BOOST_AUTO_TEST_CASE(windows_are_added_up_one_after_the_other)
{
    const auto top = std::find_if(endpoints.begin(), endpoints.end(), [](const auto& e) { return e.name == "top"; });
    std::vector<std::string> codes;
    const auto begin = [&](const std::string& body, std::chrono::milliseconds limit)
    {
        service_request request{message{"reporting.top", "", body, {}}, deadline::in(limit), true};
        BOOST_TEST(!top->at_once(request).has_value());
        asio::co_spawn(io, top->handler(request),
                       [&codes](const std::exception_ptr& e, const service_result& r)
                       { codes.push_back(e ? "threw" : code_of(r)); });
    };
    begin(R"({"window":"30d"})", 5s);
    begin(R"({"window":"7d"})", 0ms); // cannot wait
    begin(R"({"window":"24h"})", 5s);
    io.run();
    BOOST_TEST(codes.size() == 3u);
    BOOST_TEST(std::count(codes.begin(), codes.end(), "ok") == 2);
    BOOST_TEST(std::count(codes.begin(), codes.end(), "timeout") == 1);
}

BOOST_AUTO_TEST_CASE(a_history_waits_for_an_event_to_be_counted)
{
    header_list headers;
    headers.set("Marquee-After", "5");
    BOOST_TEST(code_of(ask(endpoints, "history", "reporting.history.u=201", "", headers)) == "ok");
    headers.set("Marquee-After", "x");
    BOOST_TEST(code_of(ask(endpoints, "history", "reporting.history.u=201", "", headers)) == "bad_request");
}

BOOST_AUTO_TEST_SUITE_END()
