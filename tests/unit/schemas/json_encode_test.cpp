#include "schemas/messages.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>

using namespace marquee;
using namespace marquee::test;

BOOST_AUTO_TEST_SUITE(json_encode)

BOOST_AUTO_TEST_CASE(every_message_has_exactly_the_text_of_the_contract)
{
    BOOST_TEST(encode(asset_metadata{"It", "horror", "A very scary movie"}) ==
               R"({"title":"It","genre":"horror","summary":"A very scary movie"})");
    BOOST_TEST(encode(asset_metadata_reply{"123", "It", "horror", ""}) ==
               R"({"id":"123","title":"It","genre":"horror","summary":""})");
    BOOST_TEST(encode(asset_url{"path/to/asset123.mp4"}) == R"({"url":"path/to/asset123.mp4"})");
    BOOST_TEST(encode(asset_url_reply{"123", "u"}) == R"({"id":"123","url":"u"})");
    BOOST_TEST(encode(put_reply{"ok", 7}) == R"({"status":"ok","revision":7})");
    BOOST_TEST(encode(delete_reply{}) == R"({"status":"ok"})");
    BOOST_TEST(encode(metadata_page{{{"1", "t", "g", "s"}}, "1"}) ==
               R"({"assets":[{"id":"1","title":"t","genre":"g","summary":"s"}],"next":"1"})");
    BOOST_TEST(encode(url_page{{{"1", "u"}, {"2", "v"}}, {}}) ==
               R"({"assets":[{"id":"1","url":"u"},{"id":"2","url":"v"}]})");
    BOOST_TEST(encode(views_reply{"123", 3}) == R"({"id":"123","views":3})");
    BOOST_TEST(encode(counts_reply{1, 2}) == R"({"assetviews":1,"userviews":2})");
    BOOST_TEST(encode(top_reply{{{"1", 9}, {"2", 8}}}) == R"({"assets":[{"id":"1","views":9},{"id":"2","views":8}]})");
    BOOST_TEST(encode(play_event_json{"e", "a", "u", "t"}) == R"({"id":"e","asset":"a","user":"u","time":"t"})");
    BOOST_TEST(encode(health_reply{"ok"}) == R"({"status":"ok"})");
    BOOST_TEST(encode(health_reply{"ready", health_checks{"ok", "ok", "ok", "away"}, {}}) ==
               R"({"status":"ready","checks":{"metadata":"ok","cdnurl":"ok","events":"ok","reporting":"away"}})");
}

BOOST_AUTO_TEST_CASE(an_empty_list_is_written_as_an_empty_array)
{
    BOOST_TEST(encode(metadata_page{}) == R"({"assets":[]})");
    BOOST_TEST(encode(url_page{}) == R"({"assets":[]})");
    BOOST_TEST(encode(top_reply{}) == R"({"assets":[]})");
}

BOOST_AUTO_TEST_CASE(an_empty_optional_is_left_out)
{
    BOOST_TEST(encode(list_request{}) == "{}");
    BOOST_TEST(encode(list_request{"a", {}}) == R"({"after":"a"})");
    BOOST_TEST(encode(list_request{{}, 5}) == R"({"limit":5})");
    BOOST_TEST(encode(list_request{"a", 5}) == R"({"after":"a","limit":5})");
    BOOST_TEST(encode(top_request{}) == "{}");
    BOOST_TEST(encode(top_request{10}) == R"({"limit":10})");
    BOOST_TEST(encode(error_reply{"9", "Asset not found", {}, {}}) == R"({"id":"9","status":"Asset not found"})");
    BOOST_TEST(encode(error_reply{{}, "Bad request", "is missing", "title"}) ==
               R"({"status":"Bad request","detail":"is missing","field":"title"})");
    BOOST_TEST(encode(error_reply{"", "x", {}, {}}) == R"({"id":"","status":"x"})"); // present, though empty
}

BOOST_AUTO_TEST_CASE(an_empty_nullable_is_null)
{
    BOOST_TEST(encode(play_reply{"1", "t", "g", "s", "u", {2}, {3}, {}}) ==
               R"({"id":"1","title":"t","genre":"g","summary":"s","url":"u","userviews":2,"assetviews":3})");
    BOOST_TEST(
        encode(play_reply{"1", "t", "g", "s", "u", {}, {}, std::vector<std::string>{"events"}}) ==
        R"({"id":"1","title":"t","genre":"g","summary":"s","url":"u","userviews":null,"assetviews":null,"degraded":["events"]})");
    BOOST_TEST(encode(event_counts_reply{{1}, {2}, {}}) == R"({"userviews":1,"assetviews":2})");
    BOOST_TEST(encode(event_counts_reply{{}, {}, std::vector<std::string>{"reporting"}}) ==
               R"({"userviews":null,"assetviews":null,"degraded":["reporting"]})");
}

BOOST_AUTO_TEST_CASE(a_problem_carries_only_what_is_known)
{
    problem p;
    p.title = "Bad id";
    p.status = 400;
    p.code = "bad_id";
    p.detail = "d";
    p.instance = "r1";
    p.request_id = "r1";
    p.type = "/problems/bad_id";
    BOOST_TEST(
        encode(p) ==
        R"({"type":"/problems/bad_id","title":"Bad id","status":400,"code":"bad_id","detail":"d","instance":"r1","request_id":"r1"})");
    p.id = "i";
    p.field = "asset";
    BOOST_TEST(
        encode(p) ==
        R"({"type":"/problems/bad_id","title":"Bad id","status":400,"code":"bad_id","detail":"d","instance":"r1","request_id":"r1","id":"i","field":"asset"})");
}

BOOST_AUTO_TEST_CASE(the_acknowledgement_of_jetstream_has_the_names_of_its_api)
{
    BOOST_TEST(encode(pub_ack{"EVENTS", 7, true, {}}) == R"({"stream":"EVENTS","seq":7,"duplicate":true})");
    BOOST_TEST(encode(pub_ack{{}, {}, {}, js_api_error{503, 10077, "full"}}) ==
               R"({"error":{"code":503,"err_code":10077,"description":"full"}})");
}

BOOST_AUTO_TEST_CASE(numbers_keep_every_digit)
{
    const auto most = std::numeric_limits<std::uint64_t>::max();
    BOOST_TEST(encode(counts_reply{most, 0}) == R"({"assetviews":18446744073709551615,"userviews":0})");
    problem p;
    p.status = -1;
    BOOST_TEST(encode(p) ==
               R"({"type":"","title":"","status":-1,"code":"","detail":"","instance":"","request_id":""})");
}

BOOST_AUTO_TEST_CASE(text_is_escaped_where_json_demands_it_and_nowhere_else)
{
    const std::pair<std::string, std::string> rows[] = {
        {"\"", R"(\")"},
        {"\\", R"(\\)"},
        {"\\\"", R"(\\\")"},
        {"\n", R"(\u000a)"},
        {"\r", R"(\u000d)"},
        {"\t", R"(\u0009)"},
        {"\b", R"(\u0008)"},
        {"\f", R"(\u000c)"},
        {"\0"s, R"(\u0000)"},
        {"\x1F", R"(\u001f)"},
        {"\x7F", "\x7F"},
        {"/", "/"},
        {"é", "é"},
        {"七", "七"},
        {"\xF0\x9F\x8E\xAC", "\xF0\x9F\x8E\xAC"},
        {"</script>", "</script>"},
        {"\",\"admin\":\"", R"(\",\"admin\":\")"},
    };
    for (const auto& [text, escaped] : rows)
    {
        BOOST_TEST_CONTEXT(printable(text))
        {
            BOOST_TEST(encode(asset_url{text}) == "{\"url\":\"" + escaped + "\"}");
            BOOST_TEST(encode(asset_url{"a" + text + "b"}) == "{\"url\":\"a" + escaped + "b\"}");
            BOOST_TEST(encode(views_reply{text, 0}) == "{\"id\":\"" + escaped + "\",\"views\":0}");
        }
    }
}

BOOST_AUTO_TEST_CASE(every_control_character_is_decoded_as_it_was_encoded)
{
    std::string all;
    for (char c = 0; c < 0x20; ++c)
        all += c;
    all += "\"\\/\x7F é";
    const auto back = decode<views_reply>(encode(views_reply{all, 1}));
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->id == all);
}

BOOST_AUTO_TEST_SUITE_END()
