#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

constexpr auto metadata = R"({"id":"1","title":"T","genre":"g","summary":"s"})";
constexpr auto url = R"({"id":"1","url":"u"})";
constexpr auto new_metadata = R"({"title":"T","genre":"g","summary":"s"})";
constexpr auto done = R"({"status":"ok","revision":8})";

/// The headers of a reply about a record of revision N, stored at 255 ns.
header_list tagged(const std::string& revision)
{
    header_list headers;
    headers.set(names::header_revision, revision);
    headers.set(names::header_tag, revision + "-ff");
    return headers;
}

header_list tag_alone(const std::string& text)
{
    header_list headers;
    headers.set(names::header_tag, text);
    return headers;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(catalogue, gateway_kit)

BOOST_AUTO_TEST_CASE(a_get_passes_the_reply_on_with_its_tag_as_etag)
{
    nats.script_json("metadata.get.1", metadata, tagged("7"));
    const auto answer = send("GET", "/content/asset/1");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == metadata);
    BOOST_TEST(answer.fields.get("ETag").value() == "\"7-ff\"");

    nats.script_json("cdnurl.get.1", url, tagged("9"));
    const auto where = as_admin("GET", "/url/asset/1");
    BOOST_TEST(where.status == 200);
    BOOST_TEST(where.body == url);
    BOOST_TEST(where.fields.get("ETag").value() == "\"9-ff\"");
}

BOOST_AUTO_TEST_CASE(conditional_gets)
{
    const std::tuple<const char*, const char*, int> table[] = {
        {"If-None-Match", "\"7-ff\"", 304},
        {"If-None-Match", "W/\"7-ff\"", 304},
        {"If-None-Match", "*", 304},
        {"If-None-Match", "\"6-ff\"", 200},
        {"If-None-Match", "\"7-fe\"", 200},
        {"If-None-Match", "\"7\"", 200},
        {"If-Match", "\"7-ff\"", 200},
        {"If-Match", "\"6-ff\"", 412},
        {"If-Match", "\"7-fe\"", 412},
        {"If-Match", "\"7\"", 412},
        {"If-Match", "*", 200},
        {"If-None-Match", "7-ff", 400},
        {"If-None-Match", ", \"7-ff\"", 304},
        {"If-None-Match", "\"7-ff\",", 304},
        {"If-None-Match", "\"\xff\"", 200},
    };
    for (const auto& [header, value, status] : table)
        BOOST_TEST_CONTEXT(header << ": " << value)
        {
            gateway_kit fresh;
            fresh.nats.script_json("metadata.get.1", metadata, tagged("7"));
            const auto answer = fresh.send("GET", "/content/asset/1", {{header, value}});
            BOOST_TEST(answer.status == status);
            if (status == 304)
            {
                BOOST_TEST(answer.body.empty());
                BOOST_TEST(answer.fields.get("ETag").value() == "\"7-ff\"");
                BOOST_TEST(!answer.fields.get("Content-Type"));
            }
        }
}

BOOST_AUTO_TEST_CASE(a_failed_get_has_a_problem_with_its_reason)
{
    const std::tuple<result<message>, int, const char*> table[] = {
        {fail(errc::asset_not_found), 404, "asset_not_found"},
        {fail(errc::no_responders), 503, "no_responders"},
        {fail(errc::timeout), 504, "timeout"},
        {message{"", "", "garbage", {}}, 502, "malformed_reply"},
        {message{"", "", R"({"id":"2","title":"T","genre":"g","summary":"s"})", {}}, 502, "malformed_reply"},
        {message{"", "", metadata, tagged("x")}, 502, "malformed_reply"},
        {message{"", "", metadata, tag_alone("7")}, 502, "malformed_reply"},
    };
    for (const auto& [reply, status, code] : table)
    {
        script_answer("metadata.get.1", reply);
        const auto answer = send("GET", "/content/asset/1");
        check_problem(answer, status, code);
        BOOST_TEST(member(answer, "id") == "1");
    }
}

BOOST_AUTO_TEST_CASE(a_put_sends_the_reencoded_message_and_returns_the_tag)
{
    nats.script_json("metadata.put.1", done, tagged("8"));
    const auto answer =
        as_admin("POST", "/content/asset/1", {}, R"( {"summary":"s", "genre":"g","title":"T","more":[1]} )");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == done);
    BOOST_TEST(answer.fields.get("ETag").value() == "\"8-ff\"");
    BOOST_TEST(nats.seen.at(0).payload == R"({"title":"T","genre":"g","summary":"s","more":[1]})");
    BOOST_TEST(!nats.seen.at(0).headers.has(names::header_revision));

    BOOST_TEST(!nats.seen.at(0).headers.has(names::header_tag));

    nats.script_json("cdnurl.put.1", done);
    BOOST_TEST(as_admin("POST", "/url/asset/1", {}, R"({"url":"u"})").status == 200);
    BOOST_TEST(nats.seen.at(1).payload == R"({"url":"u"})");
}

BOOST_AUTO_TEST_CASE(a_bad_body_is_400_naming_the_field_and_nothing_is_sent)
{
    const std::tuple<const char*, std::string, std::string> table[] = {
        {"/content/asset/1", "", "(absent)"},
        {"/content/asset/1", "{", "(absent)"},
        {"/content/asset/1", R"({"title":"T","genre":"g"})", "summary"},
        {"/content/asset/1", R"({"title":1,"genre":"g","summary":"s"})", "title"},
        {"/content/asset/1", R"({"title":")" + std::string(1025, 'x') + R"(","genre":"g","summary":"s"})", "title"},
        {"/url/asset/1", R"({"url":""})", "url"},
        {"/url/asset/1", R"({"url":")" + std::string(4097, 'x') + R"("})", "url"},
        {"/url/asset/1", "{\"url\":\"\xc0\xaf\"}", "(absent)"},
    };
    for (const auto& [path, body, field] : table)
        BOOST_TEST_CONTEXT(path << ' ' << body.substr(0, 60))
        {
            const auto answer = as_admin("POST", path, {}, body);
            check_problem(answer, 400, "bad_request");
            if (field != "(absent)")
                BOOST_TEST(member(answer, "field") == field);
        }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_json_by_type_is_415)
{
    const std::pair<const char*, int> table[] = {{"application/json", 200},
                                                 {"Application/JSON; charset=utf-8", 200},
                                                 {"application/json ;x=y", 200},
                                                 {"text/plain", 415},
                                                 {"application/json-patch+json", 415},
                                                 {"application/x-www-form-urlencoded", 415},
                                                 {"", 415}};
    for (const auto& [type, status] : table)
        BOOST_TEST_CONTEXT(type)
        {
            gateway_kit fresh;
            fresh.nats.script_json("metadata.put.1", done);
            BOOST_TEST(fresh.as_admin("POST", "/content/asset/1", {{"Content-Type", type}}, new_metadata).status ==
                       status);
        }
}

BOOST_AUTO_TEST_CASE(a_plain_condition_is_passed_to_the_service)
{
    // The revision is sent too: a service older than tags would ignore a condition that has only a
    // tag.
    const std::tuple<const char*, const char*, const char*, const char*, const char*> table[] = {
        {"POST", "If-Match", "\"7-ff\"", "7-ff", "7"},   {"DELETE", "If-Match", "\"7-ff\"", "7-ff", "7"},
        {"POST", "If-Match", ",\"7-ff\",", "7-ff", "7"}, {"POST", "If-None-Match", "*", "", "0"},
        {"DELETE", "If-None-Match", "*", "", "0"},
    };
    for (const auto& [method, header, value, tag, expected] : table)
        BOOST_TEST_CONTEXT(method << ' ' << header)
        {
            gateway_kit fresh;
            fresh.nats.script_json("metadata.put.1", done);
            fresh.nats.script_json("metadata.delete.1", R"({"status":"ok"})");
            BOOST_TEST(fresh.as_admin(method, "/content/asset/1", {{header, value}}, new_metadata).status == 200);
            BOOST_TEST(fresh.nats.seen.size() == 1U);
            BOOST_TEST(fresh.nats.seen.at(0).headers.get(names::header_revision) == expected);
            BOOST_TEST(fresh.nats.seen.at(0).headers.get(names::header_tag) == tag);
        }
}

BOOST_AUTO_TEST_CASE(other_conditions_are_checked_against_the_current_record_first)
{
    struct row
    {
        const char* header;
        const char* value;
        bool exists;
        int status;
    };
    const row table[] = {
        {"If-Match", "*", true, 200},
        {"If-Match", "*", false, 412},
        {"If-Match", "\"1-1\", \"7-ff\"", true, 200},
        {"If-Match", "\"1-1\", \"2-1\"", true, 412},
        {"If-Match", "W/\"7-ff\"", true, 412},
        {"If-Match", "\"7\"", true, 412}, // without the time: the form before tags
        {"If-Match", "\"x\"", true, 412},
        {"If-Match", "\"x\"", false, 412},
        {"If-Match", ",", true, 412},
        {"If-None-Match", "\"7-ff\"", true, 412},
        {"If-None-Match", "\"7-fe\"", true, 200},
        {"If-None-Match", "\"7\"", true, 200},
        {"If-None-Match", "\"6-ff\"", true, 200},
        {"If-None-Match", "\"6-ff\"", false, 200},
    };
    for (const auto& each : table)
        BOOST_TEST_CONTEXT(each.header << ": " << each.value << (each.exists ? "" : ", absent"))
        {
            gateway_kit fresh;
            if (each.exists)
                fresh.nats.script_json("metadata.get.1", metadata, tagged("7"));
            else
                fresh.nats.script("metadata.get.1", fail(errc::asset_not_found));
            fresh.nats.script_json("metadata.put.1", done);
            const auto answer = fresh.as_admin("POST", "/content/asset/1", {{each.header, each.value}}, new_metadata);
            BOOST_TEST(answer.status == each.status);
            BOOST_TEST(fresh.nats.seen.size() == (each.status == 200 ? 2U : 1U));
            if (each.status != 200)
                continue;
            BOOST_TEST(fresh.nats.seen.back().headers.get(names::header_revision) == (each.exists ? "7" : "0"));
            BOOST_TEST(fresh.nats.seen.back().headers.get(names::header_tag) == (each.exists ? "7-ff" : ""));
        }
}

BOOST_AUTO_TEST_CASE(a_service_without_tags_gets_the_revision_and_its_records_have_no_etag)
{
    header_list old;
    old.set(names::header_revision, "7");
    nats.script_json("metadata.get.1", metadata, old);
    BOOST_TEST(!send("GET", "/content/asset/1").fields.get("ETag"));
    nats.script_json("metadata.get.1", metadata, old);
    BOOST_TEST(send("GET", "/content/asset/1", {{"If-None-Match", "\"7\""}}).status == 200);
    nats.script_json("metadata.get.1", metadata, old);
    nats.script_json("metadata.put.1", done);
    const auto answer = as_admin("POST", "/content/asset/1", {{"If-Match", "*"}}, new_metadata);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(!answer.fields.get("ETag"));
    BOOST_TEST(nats.seen.back().headers.get(names::header_revision) == "7");
}

BOOST_AUTO_TEST_CASE(a_put_reply_with_the_tag_of_another_revision_is_malformed)
{
    nats.script_json("metadata.put.1", done, tagged("9"));
    check_problem(as_admin("POST", "/content/asset/1", {}, new_metadata), 502, "malformed_reply");
}

BOOST_AUTO_TEST_CASE(a_failed_change_has_the_code_of_its_outcome)
{
    const std::tuple<errc, int, const char*> table[] = {
        {errc::revision_mismatch, 412, "revision_mismatch"},
        {errc::no_responders, 503, "no_responders"},
        {errc::disconnected, 503, "disconnected"}, // before it was sent
        {errc::overloaded, 503, "overloaded"},
        {errc::unavailable, 503, "unavailable"},
        {errc::outcome_unknown, 504, "outcome_unknown"},
        {errc::timeout, 504, "outcome_unknown"},
        {errc::bad_request, 400, "bad_request"},
        {errc::forbidden, 502, "malformed_reply"},
    };
    for (const auto& [failure, status, code] : table)
        BOOST_TEST_CONTEXT(name_of(failure))
        {
            nats.script("metadata.put.1", fail(failure));
            check_problem(as_admin("POST", "/content/asset/1", {}, new_metadata), status, code);
            nats.script("cdnurl.delete.1", fail(failure));
            check_problem(as_admin("DELETE", "/url/asset/1"), status, code);
        }
}

BOOST_AUTO_TEST_CASE(a_link_lost_after_a_change_was_sent_is_outcome_unknown)
{
    nats.script_silence("metadata.put.1");
    http_response answer;
    auto request = make("POST", "/content/asset/1", {{"Authorization", "Bearer s3cret-s3cret-s3cret"}}, new_metadata);
    asio::co_spawn(io, handle_request(edge, std::move(request)),
                   [&](const std::exception_ptr&, http_response a) { answer = std::move(a); });
    io.poll();
    BOOST_REQUIRE(nats.open.size() == 1U);
    nats.open[0].settle(fail(errc::disconnected));
    io.poll();
    check_problem(answer, 504, "outcome_unknown");
}

BOOST_AUTO_TEST_CASE(a_delete_is_200_or_404_and_412_with_if_match)
{
    nats.script_json("metadata.delete.1", R"({"status":"ok"})");
    const auto answer = as_admin("DELETE", "/content/asset/1");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"status":"ok"})");
    nats.script("metadata.delete.1", fail(errc::asset_not_found));
    check_problem(as_admin("DELETE", "/content/asset/1"), 404, "asset_not_found");
    nats.script("metadata.delete.1", fail(errc::asset_not_found));
    check_problem(as_admin("DELETE", "/content/asset/1", {{"If-Match", "\"3-ff\""}}), 412, "revision_mismatch");
}

BOOST_AUTO_TEST_CASE(lists_pass_their_parameters_on)
{
    const std::string page = std::string(R"({"assets":[)") + metadata + R"(],"next":"1"})";
    nats.script_json("metadata.list", page);
    const auto answer = send("GET", "/content/assets?after=a%2Fb+c&limit=2");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == page);
    BOOST_TEST(nats.seen.at(0).payload == R"({"after":"a/b c","limit":2})");

    nats.script_json("cdnurl.list", R"({"assets":[]})");
    BOOST_TEST(as_admin("GET", "/url/assets").status == 200);
    BOOST_TEST(nats.seen.at(1).payload == "{}");
}

BOOST_AUTO_TEST_CASE(bad_list_parameters_are_400_and_named)
{
    const std::pair<const char*, const char*> table[] = {
        {"limit=0", "limit"},   {"limit=1001", "limit"},      {"limit=x", "limit"},  {"after=", "after"},
        {"after=%00", "after"}, {"after=1&after=2", "after"}, {"after=%FF", "after"}};
    for (const auto& [query, field] : table)
        BOOST_TEST_CONTEXT(query)
        {
            const auto answer = send("GET", std::string("/content/assets?") + query);
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(member(answer, "field") == field);
        }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_malformed_list_is_502)
{
    for (const auto* reply :
         {"", "[]", R"({"assets":[{"id":"1"}]})", R"({"assets":[{"id":"","title":"T","genre":"g","summary":"s"}]})"})
    {
        nats.script_json("metadata.list", reply);
        check_problem(send("GET", "/content/assets"), 502, "malformed_reply");
    }
}

BOOST_AUTO_TEST_SUITE_END()
