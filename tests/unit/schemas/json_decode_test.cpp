#include "schemas/messages.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

/// Decodes what encode() wrote, and encodes it again: equal texts mean equal messages.
template <class T>
void comes_back(const T& message)
{
    const auto text = encode(message);
    const auto back = decode<T>(text);
    BOOST_TEST_CONTEXT(text)
    {
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST(encode(*back) == text);
    }
}

template <class T>
void refused(std::string_view text, std::string_view field)
{
    BOOST_TEST_CONTEXT(printable(text))
    {
        const auto read = decode<T>(text);
        BOOST_REQUIRE(read.has_error());
        BOOST_TEST((read.error() == errc::bad_request));
        BOOST_TEST(read.error().field == field);
        BOOST_TEST(!read.error().detail.empty());
    }
}

/// A message of `levels` levels: nested arrays as an unknown member.
std::string nested(std::size_t levels)
{
    std::string text = R"({"url":"u","more":)";
    for (std::size_t i = 1; i < levels; ++i)
        text += '[';
    text += '1';
    text.append(levels - 1, ']');
    return text + '}';
}

} // namespace

BOOST_AUTO_TEST_SUITE(json_decode)

BOOST_AUTO_TEST_CASE(every_message_is_decoded_as_it_was_encoded)
{
    comes_back(asset_metadata{"It", "horror", "\"very\" scary\n七"});
    comes_back(asset_metadata_reply{"10.5240/7791", "It", "", "s"});
    comes_back(asset_url{"https://cdn.example/a?b=c&d"});
    comes_back(asset_url_reply{"é", "u"});
    comes_back(put_reply{"ok", 18446744073709551615U});
    comes_back(delete_reply{});
    comes_back(error_reply{"9", "Asset not found", "d", "f"});
    comes_back(error_reply{{}, "s", {}, {}});
    comes_back(list_request{});
    comes_back(list_request{"a b", 1000});
    comes_back(metadata_page{{{"1", "t", "g", "s"}, {"2", "", "", ""}}, "2"});
    comes_back(url_page{{{"1", "u"}}, {}});
    comes_back(views_reply{"1", 2});
    comes_back(counts_reply{1, 2});
    comes_back(top_request{});
    comes_back(top_request{1});
    comes_back(top_request{1, "7d", "2026-11-30T07:00:00Z"});
    comes_back(asset_views_reply{"1", 2, 1, "2026-11-30T07:00:00Z"});
    comes_back(user_views_reply{"1", 2, 1, {}});
    comes_back(series_request{"day", "a", "b"});
    comes_back(series_reply{"1", "hour", "a", "b", {{"a", 1}}});
    comes_back(history_request{1, "x"});
    comes_back(history_page{{{"1", 2, "a"}}, "x"});
    comes_back(views_page{{{"1", 2, 1, {}}}, "1"});
    comes_back(correction{"k", {}});
    comes_back(correction{{}, "u"});
    comes_back(top_reply{{{"1", 2}, {"3", 0}}});
    comes_back(play_event_json{"e", "a", "u", "t"});
    comes_back(play_reply{"1", "t", "g", "s", "u", {2}, {3}, {}});
    comes_back(play_reply{"1", "t", "g", "s", "u", {}, {}, std::vector<std::string>{"events"}});
    comes_back(event_counts_reply{{1}, {2}, {}});
    comes_back(event_counts_reply{{}, {}, std::vector<std::string>{"reporting"}});
    comes_back(health_reply{"ready"});
    comes_back(health_reply{"degraded", health_checks{"ok", "ok", "ok", "away"}, {}});
    comes_back(problem{"/problems/c", "t", 404, "c", "d", "i", "i", "9", "f"});
    comes_back(pub_ack{"EVENTS", 7, false, {}});
    comes_back(pub_ack{{}, {}, {}, js_api_error{503, 10077, "full"}});
}

BOOST_AUTO_TEST_CASE(members_are_read_into_their_own_fields)
{
    const auto m = decode<asset_metadata_reply>(R"({"summary":"s","genre":"g","title":"t","id":"i"})");
    BOOST_REQUIRE(m.has_value());
    BOOST_TEST((*m == asset_metadata_reply{"i", "t", "g", "s"}));
    const auto c = decode<counts_reply>(R"({"userviews":1,"assetviews":2})");
    BOOST_REQUIRE(c.has_value());
    BOOST_TEST(c->userviews == 1U);
    BOOST_TEST(c->assetviews == 2U);
    const auto p = decode<play_reply>(
        R"({"id":"i","title":"t","genre":"g","summary":"s","url":"u","userviews":4,"assetviews":null,"degraded":["x"]})");
    BOOST_REQUIRE(p.has_value());
    BOOST_TEST((p->userviews.value == 4U));
    BOOST_TEST(!p->assetviews.value.has_value());
    BOOST_TEST((p->degraded == std::vector<std::string>{"x"}));
}

BOOST_AUTO_TEST_CASE(unknown_members_white_space_and_escapes_are_accepted)
{
    const char* const rows[] = {
        R"({"url":"u","more":1})",
        R"({"more":{"url":"no"},"url":"u","and":[null,{}],"Url":2})",
        " \t\r\n{ \"url\" :\n\"u\" } \n",
        R"({"\u0075rl":"\u0075"})",
    };
    for (const auto* text : rows)
    {
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = decode<asset_url>(text);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(read->url == "u");
        }
    }
    const auto pair = decode<asset_url>(R"({"url":"\ud83c\udfac"})");
    BOOST_REQUIRE(pair.has_value());
    BOOST_TEST(pair->url == "\xF0\x9F\x8E\xAC");
}

BOOST_AUTO_TEST_CASE(an_optional_member_may_be_missing_or_null)
{
    for (const auto* text : {"{}", R"({"after":null})", R"({"limit":null})", R"({"after":null,"limit":null,"x":1})"})
    {
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = decode<list_request>(text);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(!read->after.has_value());
            BOOST_TEST(!read->limit.has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_member_that_is_missing_or_of_another_type_is_named)
{
    refused<asset_metadata>("{}", "title");
    refused<asset_metadata>(R"({"title":"t","summary":"s"})", "genre");
    refused<asset_metadata>(R"({"title":"t","genre":"g"})", "summary");
    refused<asset_metadata>(R"({"title":null,"genre":"g","summary":"s"})", "title");
    refused<asset_metadata>(R"({"title":"t","genre":1,"summary":"s"})", "genre");
    refused<asset_metadata>(R"({"title":"t","genre":"g","summary":["s"]})", "summary");
    refused<asset_metadata>(R"({"Title":"t","genre":"g","summary":"s"})", "title");
    refused<asset_url>(R"({"url":{}})", "url");
    refused<asset_url>(R"({"url":true})", "url");
    refused<list_request>(R"({"after":1})", "after");
    refused<list_request>(R"({"limit":"1"})", "limit");
    refused<list_request>(R"({"limit":true})", "limit");
    refused<list_request>(R"({"limit":[1]})", "limit");
    refused<put_reply>(R"({"status":"ok"})", "revision");
    refused<play_event_json>(R"({"id":"e","asset":"a","user":"u"})", "time");
    refused<event_counts_reply>(R"({"userviews":1})", "assetviews"); // nullable: may be null, but not missing
    refused<event_counts_reply>(R"({"userviews":1,"assetviews":"2"})", "assetviews");
    refused<event_counts_reply>(R"({"userviews":1,"assetviews":2,"degraded":"events"})", "degraded");
    refused<event_counts_reply>(R"({"userviews":1,"assetviews":2,"degraded":[1]})", "degraded");
    refused<pub_ack>(R"({"duplicate":1})", "duplicate");
    refused<pub_ack>(R"({"duplicate":"true"})", "duplicate");
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_list_names_the_list)
{
    refused<metadata_page>(R"({"assets":{}})", "assets");
    refused<metadata_page>(R"({"assets":[{"id":"1","title":"t","genre":"g"}]})", "assets");
    refused<metadata_page>(R"({"assets":["1"]})", "assets");
    refused<top_reply>(R"({"assets":[{"id":"1","views":1},{"id":"2","views":-1}]})", "assets");
    refused<top_reply>(R"({"assets":[null]})", "assets");
    refused<series_request>(R"({"step":"week"})", "step");
    refused<correction>("{}", "");
    refused<correction>(R"({"retract":"k","erase":"u"})", "");
    refused<correction>(R"({"retract":"a b"})", "retract");
    refused<correction>(R"({"erase":""})", "erase");
    refused<pub_ack>(R"({"error":{"code":"x"}})", "error");
    refused<pub_ack>(R"({"error":"x"})", "error");
}

BOOST_AUTO_TEST_CASE(a_count_is_a_whole_number_that_fits)
{
    for (const auto* number : {"-1", "1.5", "1.0", "1e3", "-0.0", "18446744073709551616", "1e400",
                               "99999999999999999999999", "\"1\"", "true", "null", "[]", "{}"})
        refused<views_reply>(R"({"id":"1","views":)" + std::string(number) + "}", "views");
    for (const auto* number : {"0", "-0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"})
        BOOST_TEST_CONTEXT(number)
        {
            BOOST_TEST(decode<views_reply>(R"({"id":"1","views":)" + std::string(number) + "}").has_value());
        }
    const auto most = decode<views_reply>(R"({"id":"1","views":18446744073709551615})");
    BOOST_REQUIRE(most.has_value());
    BOOST_TEST(most->views == 18446744073709551615U);
    // an int and its limits
    BOOST_TEST(decode<js_api_error>(R"({"code":2147483647})").has_value());
    refused<js_api_error>(R"({"code":2147483648})", "code");
    refused<js_api_error>(R"({"code":-1})", "code");
}

BOOST_AUTO_TEST_CASE(anything_but_a_json_object_is_refused)
{
    const std::string rows[] = {
        "",
        " ",
        "null",
        "true",
        "1",
        "\"url\"",
        "[]",
        R"([{"url":"u"}])",
        "{",
        "}",
        R"({"url")",
        R"({"url":)",
        R"({"url":"u")",
        R"({"url":"u"}})",
        R"({"url":"u"}{"url":"v"})",
        R"({"url":"u"} x)",
        R"({"url":"u",})",
        R"({url:"u"})",
        R"({'url':'u'})",
        R"({"url":"u" /* c */})",
        "{\"url\":\"a\nb\"}",
        "{\"url\":\"a\0b\"}"s,
        "{\"url\":\"u\"}\0"s,
        R"({"url":"\x41"})",
        R"({"url":"\u12"})",
        "\xEF\xBB\xBF{\"url\":\"u\"}",
        R"({"url":"u","n":NaN})",
        R"({"url":"u","n":01})",
        R"({"url":"u","n":+1})",
        R"({"url":"u","n":.5})",
        "\xFF\xFE{",
        std::string(100'000, '['),
        std::string(100'000, '{'),
    };
    for (const auto& text : rows)
        refused<asset_url>(text, "");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_and_lone_surrogates_are_refused_everywhere)
{
    for (const auto bad : {"\xC0\xAF"sv, "\xED\xA0\x80"sv, "\xFF"sv, "\x80"sv, "\xE4\xB8"sv, "\xF4\x90\x80\x80"sv,
                           "\\ud800"sv, "\\udfac"sv, "\\ud83cx"sv})
    {
        refused<asset_url>("{\"url\":\"" + std::string(bad) + "\"}", "");
        refused<asset_url>("{\"url\":\"u\",\"" + std::string(bad) + "\":1}", "");
        refused<asset_url>("{\"url\":\"u\",\"more\":\"" + std::string(bad) + "\"}", "");
    }
}

BOOST_AUTO_TEST_CASE(thirty_two_levels_are_read_and_thirty_three_refused)
{
    BOOST_TEST(decode<asset_url>(nested(32)).has_value());
    refused<asset_url>(nested(33), "");
    refused<asset_url>(nested(10'000), "");
}

BOOST_AUTO_TEST_CASE(a_truncated_message_is_refused)
{
    const auto whole = encode(metadata_page{{{"é", "t\n", "g", "s"}}, "é"});
    for (std::size_t size = 0; size < whole.size(); ++size)
        refused<metadata_page>(std::string_view(whole).substr(0, size), "");
}

BOOST_AUTO_TEST_CASE(a_reply_that_cannot_be_read_is_malformed_and_keeps_detail_and_field)
{
    const auto good = decode_reply<put_reply>(R"({"status":"ok","revision":3,"new":true})");
    BOOST_REQUIRE(good.has_value());
    BOOST_TEST(good->revision == 3U);
    const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                        {"oops", ""},
                                                        {"[]", ""},
                                                        {"{}", "status"},
                                                        {R"({"status":"ok"})", "revision"},
                                                        {R"({"status":"ok","revision":-1})", "revision"}};
    for (const auto& [text, field] : rows)
    {
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = decode_reply<put_reply>(text);
            BOOST_REQUIRE(read.has_error());
            BOOST_TEST((read.error() == errc::malformed_reply));
            BOOST_TEST(read.error().field == field);
            BOOST_TEST(read.error().detail == decode<put_reply>(text).error().detail);
        }
    }
    // also for a value that breaks a limit
    BOOST_TEST((decode_reply<asset_url>(R"({"url":""})").error() == errc::malformed_reply));
}

BOOST_AUTO_TEST_CASE(errors_of_json_are_distinguished_and_name_the_byte)
{
    struct row
    {
        std::string text;
        const char* detail;
    };
    const row table[] = {
        {"", "The body is empty; a JSON object is expected."},
        {"\xEF\xBB\xBF{}", "The body has a byte order mark at byte 1; JSON is sent without one."},
        {"{\"url\":\"\xff\"}", "The body is not UTF-8 at byte 9."},
        {"{\"url\":\"\xc3\x28\"}", "The body is not UTF-8 at byte 9."},
        {"{\"url\":\"\xed\xa0\x80\"}", "The body is not UTF-8 at byte 9."},
        {"\xff\xfe{\0}\0", "The body is not UTF-8 at byte 1."},
        {"{\"url\":\"\xc3", "The body is not UTF-8 at byte 9."},
        {"{\"url\":'a'}", "The body is not JSON at byte 8: syntax error."},
        {"url=a", "The body is not JSON at byte 1: syntax error."},
        {"{\"url\":\"a\"", "The body is not JSON at byte 11: it ends too soon."},
        {"{\"url\":\"a\"} x", "The body is not JSON at byte 13: something follows the value."},
        {"[\"a\"]", "The body is JSON, but no object."},
        {"{}", "The member \"url\" is missing."},
        {"{\"url\":7}", "The member \"url\" must be a string."},
        {"{\"url\":\"\"}", "The member \"url\" is empty."},
        {"{\"url\":\"a\\nb\"}", "The member \"url\" holds a control character."},
    };
    for (const auto& [text, detail] : table)
        BOOST_TEST_CONTEXT(text)
        {
            const auto read = decode<asset_url>(text);
            BOOST_REQUIRE(read.has_error());
            BOOST_TEST((read.error() == errc::bad_request));
            BOOST_TEST(read.error().detail == detail);
        }
    const auto deep = decode<asset_url>("{\"url\":" + std::string(40, '[') + std::string(40, ']') + '}');
    BOOST_TEST(deep.error().detail.starts_with("The body is JSON of more than 32 levels at byte "),
               deep.error().detail);
}

BOOST_AUTO_TEST_SUITE_END()
