#include "schemas/free_members.hpp"

#include "schemas/json.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

const std::string named = R"("title":"t","genre":"g","summary":"s")";

struct kept_row
{
    std::string body; ///< of a put
    std::string further;
};

const kept_row kept[] = {
    {"{" + named + "}", ""},
    {"{" + named + R"(,"year":1979})", R"("year":1979)"},
    {"{\"poster\":null," + named + R"(,"x":true})", R"("poster":null,"x":true)"},
    {R"({"id":"another",)" + named + "}", ""},
    {R"({"\u0069d":"another","t\u0069tle":"t",)" + named + R"(,"\u0078":1})", R"("\u0078":1)"},
    {"{" + named + R"(,"n":[1.0,1.10,-0,1E400,0.1e-7,12345678901234567890123]})",
     R"("n":[1.0,1.10,-0,1E400,0.1e-7,12345678901234567890123])"},
    {"{" + named + R"(,"t":"a\/\u00e9\ud83d\ude00\"}{,:[] b\\"})", R"("t":"a\/\u00e9\ud83d\ude00\"}{,:[] b\\")"},
    {"{ " + named + " ,\n\t\"a b\" : { \"c\" : [ 1 , { } , \" x \" ] , \"d\" : [ ] } \r\n}",
     R"("a b":{"c":[1,{}," x "],"d":[]})"},
    {"{" + named + R"(,"":"empty name"})", R"("":"empty name")"},
    {"{" + named + ",\"é😀\":\"é😀\"}", "\"é😀\":\"é😀\""},
    {"{" + named + R"(,"inner":{"twice":1,"twice":2,"title":"x"}})", R"("inner":{"twice":1,"twice":2,"title":"x"})"},
};

struct refused_row
{
    std::string members;
    const char* field;
};

const refused_row refused[] = {
    {R"("title":"\u0000","genre":"g","summary":"s")", "title"},
    {R"("title":"t","genre":"\u001b","summary":"s")", "genre"},
    {R"("title":"t","genre":"g","summary":"\u0085")", "summary"},
    {"\"title\":\"\x7f\",\"genre\":\"g\",\"summary\":\"s\"", "title"},
    {named + R"(,"cast":["\b"])", "cast"},
    {named + R"(,"cast":{"a":"\f"})", "cast"},
    {named + R"(,"cast":{"\u0001":1})", "cast"},
    {named + R"(,"cast":"\u009F")", "cast"},
    {named + R"(,"cast":"\\\u0000")", "cast"},
    {named + ",\"cast\":\"\xC2\x80\"", "cast"},
    {named + ",\"cast\":\"\x7f\"", "cast"},
    {named + R"(,"a\u0007":1)", "body"},
    {named + R"(,"a":1,"b":2,"a":1)", "a"},
    {named + R"(,"a":1,"\u0061":2)", "a"},
    {named + R"(,"a b":1,"a b":2)", "body"},
    {named + ",\"x\":\"" + std::string(max_free_bytes - 5, 'x') + '"', "body"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(free_members_of_records)

BOOST_AUTO_TEST_CASE(all_members_without_a_name_in_the_contract_are_kept_byte_for_byte)
{
    for (const auto& row : kept)
        BOOST_TEST_CONTEXT(printable(row.body))
        {
            const auto read = decode<asset_metadata>(row.body);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(read->further == row.further);
            BOOST_TEST(check_new_record(*read).has_value());
            const auto written = encode(*read);
            BOOST_TEST(written == "{" + named + (row.further.empty() ? "" : "," + row.further) + "}");
            const auto again = decode<asset_metadata>(written);
            BOOST_REQUIRE(again.has_value());
            BOOST_TEST((*again == *read));
        }
}

BOOST_AUTO_TEST_CASE(a_reply_keeps_them_too)
{
    const auto text = "{\"id\":\"1\"," + named + ",\"year\":1979}";
    BOOST_TEST(encode(decode<asset_metadata_reply>(text).value()) == text);
}

BOOST_AUTO_TEST_CASE(line_breaks_and_tabs_may_be_put_other_control_characters_not)
{
    for (const auto* members :
         {R"("title":"a\tb","genre":"\n","summary":"\r\n")", R"("title":"\\b\\f","genre":"\\u0000","summary":"")"})
    {
        const auto read =
            decode<asset_metadata>("{" + std::string(members) + R"(,"x":"\t\n\r\u000a\u00a0\\b\\u0000"})");
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST(check_new_record(*read).has_value());
    }
    for (const auto& row : refused)
        BOOST_TEST_CONTEXT(printable(row.members.substr(0, 200)))
        {
            const auto read = decode<asset_metadata>("{" + row.members + "}");
            BOOST_REQUIRE(read.has_value()); // what exists is served
            const auto checked = check_new_record(*read);
            BOOST_REQUIRE(checked.has_error());
            BOOST_TEST((checked.error() == errc::bad_request));
            BOOST_TEST(checked.error().field == row.field);
        }
}

BOOST_AUTO_TEST_CASE(free_members_may_have_32_kib_in_all)
{
    asset_metadata record{"t", "g", "s"};
    record.further = "\"x\":\"" + std::string(max_free_bytes - 6, 'x') + '"';
    BOOST_TEST(record.further.size() == max_free_bytes);
    BOOST_TEST(check_new_record(record).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
