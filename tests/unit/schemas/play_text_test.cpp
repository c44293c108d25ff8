#include "schemas/play_text.hpp"

#include "schemas/json.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using marquee::test::printable;

BOOST_AUTO_TEST_SUITE(play_text)

BOOST_AUTO_TEST_CASE(a_play_of_records_is_the_encoding_of_its_reply)
{
    const std::string texts[] = {"",      "T",         "A \"b\" \\", "one\ntwo\t\x01\x1f", "ä € 😀",
                                 "\x7f/", "</script>", "{\"id\":1}", std::string(900, '"')};
    const std::vector<event_counts_reply> all_counts = {
        {{2}, {3}, {}}, {{}, {}, std::vector<std::string>{"events", "reporting"}}, {{0}, {18446744073709551615U}, {}}};
    for (const auto& text : texts)
    {
        for (const std::string id : {"1", "10.5240/7791", "a \"quoted\" \\ id", "Amélie"})
        {
            BOOST_TEST_CONTEXT(id << ' ' << printable(text))
            {
                const asset_metadata_reply about{id, text, "g" + text, text + text};
                const asset_url_reply where{id, "u/" + (text.find('\n') == text.npos ? text : "")};
                playable_text read;
                BOOST_REQUIRE(read_metadata(encode(about), id, read).has_value());
                const auto located = read_url(encode(where), id, read);
                if (located.has_error()) // control characters are in no URL
                    continue;
                for (const auto& counts : all_counts)
                    BOOST_TEST(encode_play(id, read, counts) ==
                               encode(play_reply{id, about.title, about.genre, about.summary, where.url,
                                                 counts.userviews, counts.assetviews, counts.degraded}));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(records_of_other_hands_are_decoded)
{
    playable_text read;
    BOOST_REQUIRE(
        read_metadata(R"({ "summary": "s\/\u0041\n", "more": 1, "title": "t", "id": "1", "genre": "g" })", "1", read)
            .has_value());
    BOOST_TEST(read.title == "\"t\"");
    BOOST_TEST(read.summary == "\"s/A\\u000a\"");
    BOOST_REQUIRE(read_url(R"({"url":"a\/b","id":"1"})", "1", read).has_value());
    BOOST_TEST(read.url == "\"a/b\"");
}

BOOST_AUTO_TEST_CASE(what_is_no_record_of_the_id_changes_nothing)
{
    const playable_text before{"\"t\"", "\"g\"", "\"s\"", "\"u\""};
    auto read = before;
    for (const std::string record :
         {"", "{}", "[]", R"({"id":"2","title":"T","genre":"G","summary":"S"})",
          R"({"id":"1","title":"T","genre":"G"})", R"({"id":"1","title":1,"genre":"G","summary":"S"})",
          R"({"id":"1","title":"T","genre":"G","summary":"S"}x)",
          "{\"id\":\"1\",\"title\":\"\xff\",\"genre\":\"G\",\"summary\":\"S\"}", R"({"id":"2","url":"U"})",
          R"({"id":"1"})"})
    {
        BOOST_TEST_CONTEXT(printable(record))
        {
            const auto described = read_metadata(record, "1", read);
            BOOST_TEST((described.has_error() && described.error() == errc::malformed_reply));
            const auto located = read_url(record, "1", read);
            BOOST_TEST((located.has_error() && located.error() == errc::malformed_reply));
            BOOST_TEST(read.title == before.title);
            BOOST_TEST(read.genre == before.genre);
            BOOST_TEST(read.summary == before.summary);
            BOOST_TEST(read.url == before.url);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
