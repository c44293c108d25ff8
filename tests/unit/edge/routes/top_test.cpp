// GET /events/top: windows, and what the catalogue says of the assets.
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

struct top_kit : gateway_kit
{
    void has_title(const std::string& id)
    {
        nats.script_json("metadata.get." + id,
                         R"({"id":")" + id + R"(","title":"T)" + id + R"(","genre":"g","summary":"s"})");
    }
    void lacks(const std::string& id) { nats.script("metadata.get." + id, fail(errc::asset_not_found)); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(top, top_kit)

BOOST_AUTO_TEST_CASE(a_window_and_its_end_are_passed_on)
{
    constexpr auto reply = R"({"from":"2026-01-31T09:00:00Z","to":"2026-01-31T10:00:00Z","assets":[]})";
    nats.script_json("reporting.top", reply);
    BOOST_TEST(send("GET", "/events/top?window=1h&at=2026-01-31T09:30:00Z&limit=5&_=1").body == reply);
    BOOST_TEST(nats.seen.at(0).payload == R"({"limit":5,"window":"1h","at":"2026-01-31T09:30:00Z"})");
}

BOOST_AUTO_TEST_CASE(a_window_shares_no_message_with_others)
{
    fake_requester together(io.get_executor());
    edge_context both(nats, together);
    both.services.hedges = &waiting;
    nats.script_json("reporting.top", R"({"from":"a","to":"b","assets":[]})");
    BOOST_TEST(send_through(both, make("GET", "/events/top?window=30d")).status == 200);
    BOOST_TEST(together.seen.empty());
    for (const auto* target : {"/events/top", "/events/top?window=all"})
    {
        together.script_json("reporting.top", R"({"assets":[]})");
        BOOST_TEST(send_through(both, make("GET", target)).status == 200);
    }
    BOOST_TEST(nats.seen.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_wrong_parameter_is_400_by_name_and_nothing_is_sent)
{
    const std::pair<const char*, const char*> rows[] = {
        {"window=2h", "window"},
        {"window=", "window"},
        {"window=24H", "window"},
        {"window=1h&window=1h", "window"},
        {"window=1h&at=now", "at"},
        {"window=1h&at=2026-01-31T09:30:00+00:00", "at"}, // + is a space
        {"at=2026-01-31T09:30:00Z", "at"},
        {"window=all&at=2026-01-31T09:30:00Z", "at"},
        {"limit=0", "limit"},
        {"content=yes", "content"},
        {"contents=true", "contents"},
    };
    for (const auto& [query, field] : rows)
        BOOST_TEST_CONTEXT(query)
        {
            const auto answer = send("GET", std::string("/events/top?") + query);
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(member(answer, "field") == field);
        }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(content_adds_titles_and_leaves_out_what_the_catalogue_lacks)
{
    nats.script_json(
        "reporting.top",
        R"({"from":"a","to":"b","assets":[{"id":"1","views":9},{"id":"2","views":8},{"id":"3","views":7}]})");
    has_title("1");
    lacks("2");
    has_title("3");
    BOOST_TEST(send("GET", "/events/top?window=7d&content=true&limit=2").body ==
               R"({"from":"a","to":"b","assets":[{"id":"1","views":9,"title":"T1","genre":"g"},)"
               R"({"id":"3","views":7,"title":"T3","genre":"g"}]})");
    BOOST_TEST(nats.seen.at(0).payload == R"({"limit":13,"window":"7d"})");
}

BOOST_AUTO_TEST_CASE(no_more_assets_are_looked_up_than_are_shown)
{
    nats.script_json("reporting.top", R"({"assets":[{"id":"1","views":9},{"id":"2","views":8}]})");
    has_title("1");
    BOOST_TEST(send("GET", "/events/top?content=true&limit=1").body ==
               R"({"assets":[{"id":"1","views":9,"title":"T1","genre":"g"}]})");
    const std::vector<std::string> expected{"reporting.top", "metadata.get.1"};
    BOOST_TEST(subjects_seen() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(where_many_are_absent_more_are_asked_for_and_none_is_looked_up_twice)
{
    std::string first;
    for (int i = 1; i <= 11; ++i)
    {
        const auto id = std::to_string(i);
        first += R"({"id":")" + id + R"(","views":9},)";
        lacks(id);
    }
    nats.script_json("reporting.top", R"({"assets":[)" + first.substr(0, first.size() - 1) + "]}");
    nats.script_json("reporting.top", R"({"assets":[)" + first + R"({"id":"12","views":1}]})");
    has_title("12");
    BOOST_TEST(send("GET", "/events/top?content=true&limit=1").body ==
               R"({"assets":[{"id":"12","views":1,"title":"T12","genre":"g"}]})");
    BOOST_TEST(nats.seen.at(0).payload == R"({"limit":11})");
    BOOST_TEST(nats.seen.at(12).payload == R"({"limit":1000})");
    BOOST_TEST(nats.seen.size() == 14U);
}

BOOST_AUTO_TEST_CASE(content_needs_the_catalogue)
{
    constexpr auto one = R"({"assets":[{"id":"1","views":9}]})";
    nats.script_json("reporting.top", one);
    script_answer("metadata.get.1", fail(errc::timeout));
    check_problem(send("GET", "/events/top?content=true"), 504, "timeout");
    nats.script_json("reporting.top", one);
    nats.script_json("metadata.get.1", R"({"id":"2","title":"t","genre":"g","summary":"s"})");
    check_problem(send("GET", "/events/top?content=true"), 502, "malformed_reply");
    nats.script_json("reporting.top", one);
    BOOST_TEST(send("GET", "/events/top?content=false").body == one);
}

BOOST_AUTO_TEST_SUITE_END()
