#include "services/reporting/reporting_endpoints.hpp"
#include "tests/unit/services/kit.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct reporting_fixture
{
    temporary_folder folder;
    asio::io_context io{1};
    std::string fatal;
    std::shared_ptr<reporting_views> views = make();
    std::vector<endpoint_config> endpoints = reporting_endpoints(views,
                                                                 [] {
                                                                     return boost::json::value{{"applied", 3}};
                                                                 });

    std::shared_ptr<reporting_views> make()
    {
        projection_settings settings;
        settings.path = folder.file("counts.db");
        auto counts = projection::open(settings);
        BOOST_REQUIRE_MESSAGE(counts.has_value(), counts.error().detail);
        const std::vector<stored_message> events = {stored(1, event_json("e1", "a/b", "u 1")),
                                                    stored(2, event_json("e2", "a/b", "u 2")),
                                                    stored(3, event_json("e3", "123", "u 1"))};
        BOOST_REQUIRE(counts->apply(events).has_value());
        return std::make_shared<reporting_views>(std::move(*counts), io.get_executor(),
                                                 [this](std::string why) { fatal = why; });
    }

    service_result call(const std::string& name, const std::string& subject, std::string payload = {},
                        header_list headers = {})
    {
        return ask(endpoints, name, subject, std::move(payload), std::move(headers));
    }

    /// Sends a request to `views` on `io`, which the test runs itself.
    void begin(header_list headers, std::chrono::milliseconds limit, service_result& answer, bool named = true)
    {
        service_request request{message{"reporting.views.a=2Fb.u=201", "", "", std::move(headers)}, deadline::in(limit),
                                named};
        asio::co_spawn(io, endpoints[2].handler(std::move(request)),
                       [&answer](const std::exception_ptr& e, service_result r)
                       {
                           if (e)
                               std::rethrow_exception(e);
                           answer = std::move(r);
                       });
        io.restart();
        io.poll();
    }
};

struct bad_rule
{
    const char* endpoint;
    const char* subject;
    const char* header;
    const char* value;
    const char* code;
    const char* field;
};

std::ostream& operator<<(std::ostream& out, const bad_rule& r)
{
    return out << r.subject << ' ' << r.header << ": " << r.value;
}

const std::vector<bad_rule> bad = {
    {"asset", "reporting.asset.=41", "", "", "bad_id", "asset"},
    {"user", "reporting.user.=2f", "", "", "bad_id", "user"},
    {"user", "reporting.user.=0D=0A", "", "", "bad_id", "user"},
    {"views", "reporting.views.=41.u", "", "", "bad_id", "asset"},
    {"views", "reporting.views.a.=41", "", "", "bad_id", "user"},
    {"views", "reporting.views.a.u", "Marquee-After", "", "bad_request", "Marquee-After"},
    {"views", "reporting.views.a.u", "Marquee-After", "x", "bad_request", "Marquee-After"},
    {"views", "reporting.views.a.u", "Marquee-After", "-1", "bad_request", "Marquee-After"},
    {"views", "reporting.views.a.u", "Marquee-After", "18446744073709551616", "bad_request", "Marquee-After"},
    {"views", "reporting.views.a.u", "Marquee-Event", "", "bad_request", "Marquee-Event"},
    {"views", "reporting.views.a.u", "Marquee-Event", "a b", "bad_request", "Marquee-Event"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reporting_endpoints_answer, reporting_fixture)

BOOST_AUTO_TEST_CASE(the_views_of_an_asset_and_of_a_user)
{
    const auto asset_views = call("asset", "reporting.asset.a=2Fb");
    BOOST_REQUIRE(code_of(asset_views) == "ok");
    BOOST_TEST(json(asset_views->data) == json(R"({"id":"a/b","views":2,"viewers":2,"last":"2024-10-04T00:00:00Z"})"));
    const auto user_views = call("user", "reporting.user.u=202");
    BOOST_REQUIRE(code_of(user_views) == "ok");
    BOOST_TEST(json(user_views->data) == json(R"({"id":"u 2","views":1,"assets":1,"last":"2024-10-04T00:00:00Z"})"));
}

BOOST_AUTO_TEST_CASE(an_id_without_views_is_not_found_and_named)
{
    const auto no_asset = call("asset", "reporting.asset.u=201"); // a user's id
    BOOST_TEST(code_of(no_asset) == "asset_not_found");
    BOOST_TEST(no_asset.error().id == "u 1");
    const auto no_user = call("user", "reporting.user.123");
    BOOST_TEST(code_of(no_user) == "user_not_found");
    BOOST_TEST(no_user.error().id == "123");
}

BOOST_AUTO_TEST_CASE(both_counts_in_one_and_zero_where_there_are_none)
{
    const auto both = call("views", "reporting.views.a=2Fb.u=201");
    BOOST_REQUIRE(code_of(both) == "ok");
    BOOST_TEST(json(both->data) == json(R"({"assetviews":2,"userviews":2})"));
    BOOST_TEST(json(call("views", "reporting.views.123.u=202")->data) == json(R"({"assetviews":1,"userviews":1})"));
    BOOST_TEST(json(call("views", "reporting.views.none.nobody")->data) == json(R"({"assetviews":0,"userviews":0})"));
}

BOOST_AUTO_TEST_CASE(an_event_id_of_another_play_is_a_reused_key)
{
    const auto ask_with = [&](const char* subject, const char* id)
    { return code_of(call("views", subject, "", header("Marquee-Event", id))); };
    BOOST_TEST(ask_with("reporting.views.a=2Fb.u=201", "e1") == "ok");
    BOOST_TEST(ask_with("reporting.views.123.u=201", "e1") == "key_reused");
    BOOST_TEST(ask_with("reporting.views.a=2Fb.u=202", "e1") == "key_reused");
    BOOST_TEST(ask_with("reporting.views.a=2Fb.u=201", "unknown") == "ok");
}

BOOST_AUTO_TEST_CASE(the_top_has_the_most_viewed_first)
{
    const auto top = call("top", "reporting.top");
    BOOST_REQUIRE(code_of(top) == "ok");
    BOOST_TEST(json(top->data) == json(R"({"assets":[{"id":"a/b","views":2},{"id":"123","views":1}]})"));
    BOOST_TEST(json(call("top", "reporting.top", R"({"limit":1})")->data) ==
               json(R"({"assets":[{"id":"a/b","views":2}]})"));
}

BOOST_AUTO_TEST_CASE(the_top_refuses_a_limit_out_of_range)
{
    for (const auto* body : {R"({"limit":0})", R"({"limit":1001})", R"({"limit":"x"})"})
    {
        const auto answer = call("top", "reporting.top", body);
        BOOST_TEST(code_of(answer) == "bad_request");
        BOOST_TEST(answer.error().what.field == "limit");
    }
    BOOST_TEST(code_of(call("top", "reporting.top", "no json")) == "bad_request");
}

BOOST_DATA_TEST_CASE(a_bad_request_is_refused_and_the_field_named, boost::unit_test::data::make(bad), r)
{
    const auto answer = call(r.endpoint, r.subject, "", *r.header ? header(r.header, r.value) : header_list());
    BOOST_TEST(code_of(answer) == r.code);
    BOOST_TEST(answer.error().what.field == r.field);
}

BOOST_AUTO_TEST_CASE(an_answer_after_an_event_waits_until_it_is_counted_and_includes_it)
{
    service_result answer = service_error(fail(errc::no_responders));
    begin(header("Marquee-After", "5"), 20s, answer);
    BOOST_TEST(views->waiter.waiting() == 1u);
    const auto count = [&](std::uint64_t sequence)
    {
        const std::vector<stored_message> one = {stored(sequence, "a/b:u 1")};
        BOOST_REQUIRE(views->counts.apply(one).has_value());
        views->waiter.applied(sequence);
        io.restart();
        io.poll();
    };
    count(4);
    BOOST_TEST(code_of(answer) == "no_responders"); // not answered yet
    count(5);
    BOOST_REQUIRE(code_of(answer) == "ok");
    BOOST_TEST(json(answer->data) == json(R"({"assetviews":4,"userviews":4})"));
}

BOOST_AUTO_TEST_CASE(an_event_counted_before_is_not_waited_for)
{
    BOOST_TEST(code_of(call("views", "reporting.views.a=2Fb.u=201", "", header("Marquee-After", "3"))) == "ok");
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_the_deadline_of_its_request)
{
    service_result answer = service_error(fail(errc::no_responders));
    begin(header("Marquee-After", "4"), 30ms, answer);
    BOOST_TEST(code_of(answer) == "no_responders");
    io.restart();
    io.run_for(10s); // ends with the last work
    BOOST_TEST(code_of(answer) == "timeout");
    BOOST_TEST(code_of(call("views", "reporting.views.a=2Fb.u=201")) == "ok");
}

BOOST_AUTO_TEST_CASE(a_wait_without_a_named_deadline_is_short)
{
    BOOST_TEST(views->unnamed_wait.count() == 2000);
    views->unnamed_wait = 30ms;
    service_result answer = service_error(fail(errc::no_responders));
    begin(header("Marquee-After", "4"), 30s, answer, false);
    BOOST_TEST(code_of(answer) == "no_responders");
    io.restart();
    io.run_for(10s); // ends with the last work
    BOOST_TEST(code_of(answer) == "timeout");
}

BOOST_AUTO_TEST_CASE(a_database_that_fails_is_no_count_and_ends_the_program)
{
    const std::vector<stored_message> of_another_stream = {stored(3, "x:y", day_one + hours(1))};
    BOOST_REQUIRE(views->counts.apply(of_another_stream).has_error());
    for (const auto& [name, subject] : std::map<std::string, std::string>{{"asset", "reporting.asset.a=2Fb"},
                                                                          {"user", "reporting.user.u=201"},
                                                                          {"views", "reporting.views.a=2Fb.u=201"},
                                                                          {"series", "reporting.series"},
                                                                          {"asset_series", "reporting.series.a=2Fb"},
                                                                          {"history", "reporting.history.u=201"},
                                                                          {"assets", "reporting.assets"},
                                                                          {"top", "reporting.top"}})
    {
        fatal.clear();
        BOOST_TEST(code_of(call(name, subject)) == "unavailable");
        BOOST_TEST(!fatal.empty());
    }
}

BOOST_AUTO_TEST_CASE(the_endpoints_have_the_names_and_subjects_of_the_contract_and_carry_the_statistics)
{
    const std::vector<std::pair<std::string, std::string>> expected = {
        {"asset", "reporting.asset.*"},     {"user", "reporting.user.*"},   {"views", "reporting.views.*.*"},
        {"top", "reporting.top"},           {"series", "reporting.series"}, {"asset_series", "reporting.series.*"},
        {"history", "reporting.history.*"}, {"assets", "reporting.assets"}};
    BOOST_REQUIRE(endpoints.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
        BOOST_TEST(endpoints[i].name == expected[i].first);
        BOOST_TEST(endpoints[i].subject == expected[i].second);
        BOOST_TEST(endpoints[i].data().at("applied") == 3);
    }
}

BOOST_AUTO_TEST_SUITE_END()
