// Series, histories and the list of all counts.
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

constexpr auto all_series =
    R"({"step":"hour","from":"2026-01-31T09:00:00Z","to":"2026-01-31T10:00:00Z","points":[{"start":"2026-01-31T09:00:00Z","views":5}]})";
constexpr auto page = R"({"assets":[{"id":"=1","views":2,"viewers":1,"last":"2026-01-31T09:30:00Z"},)"
                      R"({"id":"a b","views":3,"viewers":3}],"next":"a b"})";

} // namespace

BOOST_FIXTURE_TEST_SUITE(view_lists, gateway_kit)

BOOST_AUTO_TEST_CASE(series_are_passed_on_of_an_asset_and_of_all)
{
    nats.script_json("reporting.series", all_series);
    BOOST_TEST(send("GET", "/events/series").body == all_series);
    BOOST_TEST(nats.seen.at(0).payload == "{}");
    const auto of_one = R"({"id":"a/b",)" + std::string(all_series).substr(1);
    nats.script_json("reporting.series.a=2Fb", of_one);
    const auto* query = "?step=day&from=2026-01-31T00:00:00Z&to=2026-02-02T00:00:00%2B00:00";
    BOOST_TEST(send("GET", std::string("/events/asset/a%2Fb/series") + query).body == of_one);
    BOOST_TEST(nats.seen.at(1).payload ==
               R"({"step":"day","from":"2026-01-31T00:00:00Z","to":"2026-02-02T00:00:00+00:00"})");
}

BOOST_AUTO_TEST_CASE(a_reply_of_another_series_is_502_and_an_unknown_asset_404)
{
    nats.script_json("reporting.series.1", all_series);
    check_problem(send("GET", "/events/asset/1/series"), 502, "malformed_reply");
    nats.script_json("reporting.series", R"({"id":"1",)" + std::string(all_series).substr(1));
    check_problem(send("GET", "/events/series"), 502, "malformed_reply");
    nats.script("reporting.series.1", fail(errc::asset_not_found));
    const auto answer = send("GET", "/events/asset/1/series");
    check_problem(answer, 404, "asset_not_found");
    BOOST_TEST(member(answer, "id") == "1");
}

BOOST_AUTO_TEST_CASE(too_many_points_are_400_as_reporting_says)
{
    nats.script("reporting.series", fail(errc::bad_request, "More than 1,000 points.", "from"));
    const auto answer = send("GET", "/events/series?from=1970-01-01T00:00:00Z");
    check_problem(answer, 400, "bad_request");
    BOOST_TEST(member(answer, "field") == "from");
}

BOOST_AUTO_TEST_CASE(a_wrong_parameter_is_400_by_name_and_nothing_is_sent)
{
    const std::tuple<const char*, const char*, const char*> rows[] = {
        {"/events/series", "step=week", "step"},
        {"/events/series", "from=yesterday", "from"},
        {"/events/series", "from=2026-02-30T00:00:00Z", "from"},
        {"/events/series", "to=", "to"},
        {"/events/series", "limit=1", "limit"},
        {"/events/asset/1/series", "step=hour&step=hour", "step"},
        {"/events/asset/1/series", "window=1h", "window"},
        {"/events/user/1/history", "limit=1001", "limit"},
        {"/events/user/1/history", "after=", "after"},
        {"/events/user/1/history", "after=%C3%A9", "after"},
        {"/events/user/1/history", "from=2026-01-31T00:00:00Z", "from"},
        {"/events/assets", "limit=x", "limit"},
        {"/events/assets", "after=%00", "after"},
        {"/events/assets", "format=csv", "format"},
    };
    for (const auto& [path, query, field] : rows)
        BOOST_TEST_CONTEXT(path << '?' << query)
        {
            const auto answer = send("GET", std::string(path) + '?' + query);
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(member(answer, "field") == field);
        }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_history_is_passed_on_in_pages)
{
    constexpr auto found = R"({"assets":[{"id":"1","views":2,"last":"2026-01-31T09:30:00Z"}],"next":"x.y"})";
    nats.script_json("reporting.history.u", found);
    BOOST_TEST(send("GET", "/events/user/u/history?limit=1&after=w~_-.1").body == found);
    BOOST_TEST(nats.seen.at(0).payload == R"({"limit":1,"after":"w~_-.1"})");
    nats.script("reporting.history.u", fail(errc::user_not_found));
    check_problem(send("GET", "/events/user/u/history"), 404, "user_not_found");
    nats.script_json("reporting.history.u", R"({"assets":[{"id":"","views":2,"last":"x"}]})");
    check_problem(send("GET", "/events/user/u/history"), 502, "malformed_reply");
}

BOOST_AUTO_TEST_CASE(all_counts_are_json_or_csv_with_a_link_to_the_next_page)
{
    nats.script_json("reporting.assets", page);
    const auto json = send("GET", "/events/assets?after=%3D&limit=2");
    BOOST_TEST(json.body == page);
    BOOST_TEST(nats.seen.at(0).payload == R"({"after":"=","limit":2})");
    BOOST_TEST(json.fields.get("Content-Type").value_or("") == "application/json");
    nats.script_json("reporting.assets", page);
    const auto csv = send("GET", "/events/assets?limit=2", {{"Accept", "text/csv"}});
    BOOST_TEST(csv.body == "id,views,viewers,last\r\n\"'=1\",2,1,2026-01-31T09:30:00Z\r\n\"a b\",3,3,\r\n");
    BOOST_TEST(csv.fields.get("Content-Type").value_or("") == "text/csv; charset=utf-8; header=present");
    for (const auto& each : {json, csv})
    {
        BOOST_TEST(each.fields.get("Vary").value_or("") == "Accept");
        BOOST_TEST(each.fields.get("Cache-Control").value_or("") == "no-store");
        BOOST_TEST(each.fields.get("Link").value_or("") == "</events/assets?after=a%20b&limit=2>; rel=\"next\"");
    }
    nats.script_json("reporting.assets", R"({"assets":[]})");
    const auto last = send("GET", "/events/assets", {{"Accept", "text/csv"}});
    BOOST_TEST(last.body == "id,views,viewers,last\r\n");
    BOOST_TEST(!last.fields.get("Link"));
    nats.script_json("reporting.assets", R"({"assets":[],"next":""})");
    check_problem(send("GET", "/events/assets"), 502, "malformed_reply");
}

BOOST_AUTO_TEST_SUITE_END()
