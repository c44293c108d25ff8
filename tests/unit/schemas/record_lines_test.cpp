#include "schemas/record_lines.hpp"

#include "schemas/messages.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace marquee;
using marquee::test::printable;
using kind = record_line::kind;

namespace
{

std::string repeated(std::string_view text, std::size_t times)
{
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += text;
    return out;
}

/// A text in which each byte is one that the encoder treats in its own way, now and then.
std::string random_text(std::mt19937& random, std::size_t most)
{
    static const std::string_view pieces[] = {"a", "\"", "\\", "\n", "\x01", "\x1f", "\x7f", "/", "ä", "€", " ", "{}"};
    std::string out;
    for (auto left = random() % (most + 1); left > 0; --left)
        out += random() % 4 > 0 ? "b" : pieces[random() % std::size(pieces)];
    return out;
}

/// Where the scan accepts a record, the decoder does too and its record is encoded the same. Free
/// members are not looked at.
bool scan_equals_decoding(const std::string& text, const std::string& id)
{
    if (raw_metadata raw; scan_record(text, id, raw))
    {
        if (raw.summary.data() + raw.summary.size() + 1 != text.data() + text.size())
            return true;
        const auto read = decode<asset_metadata_reply>(text);
        const auto limits = decode<asset_metadata>(text);
        return read.has_value() && limits.has_value() && read->id == id && encode(*read) == text &&
               encode(*limits) == "{\"title\":" + std::string(raw.title) + ",\"genre\":" + std::string(raw.genre) +
                                      ",\"summary\":" + std::string(raw.summary) + '}';
    }
    if (raw_url raw; scan_record(text, id, raw))
    {
        const auto read = decode<asset_url_reply>(text);
        const auto limits = decode<asset_url>(text);
        return read.has_value() && limits.has_value() && read->id == id && encode(*read) == text &&
               encode(*limits) == "{\"url\":" + std::string(raw.url) + '}';
    }
    return true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(record_lines)

BOOST_AUTO_TEST_CASE(a_request_is_one_token_a_line_and_may_end_with_a_line_feed)
{
    using lines = std::vector<std::string_view>;
    BOOST_TEST((read_gets_request("1").value() == lines{"1"}));
    BOOST_TEST((read_gets_request("1\n2\n").value() == lines{"1", "2"}));
    BOOST_TEST((read_gets_request("\n1\n\n").value() == lines{"", "1", ""}));
    BOOST_TEST((read_gets_request("1\r\n2").value() == lines{"1\r", "2"}));
}

BOOST_AUTO_TEST_CASE(a_request_that_is_empty_or_too_large_is_refused_with_the_limit)
{
    const std::tuple<std::string, const char*> table[] = {
        {"", "at least one"},
        {"\n", "at least one"},
        {repeated("1\n", 1001), "1000"},
        {std::string(65537, 'a'), "65536"},
    };
    for (const auto& [request, limit] : table)
    {
        const auto read = read_gets_request(request);
        BOOST_REQUIRE(read.has_error());
        BOOST_TEST((read.error() == errc::bad_request));
        BOOST_TEST(read.error().detail.find(limit) != std::string::npos, read.error().detail);
    }
    BOOST_TEST(read_gets_request(repeated("1\n", 1000)).value().size() == 1000);
    BOOST_TEST(read_gets_request(std::string(65536, 'a')).value().size() == 1);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_again)
{
    record_lines_writer out(4, 1000);
    out.found(7, R"({"id":"1"})");
    out.absent();
    out.bad_token();
    out.found(UINT64_MAX, R"({"id":"ä"})");
    const auto reply = out.take();
    BOOST_TEST(reply == "7 {\"id\":\"1\"}\n-\n400\n18446744073709551615 {\"id\":\"ä\"}\n");
    const auto read = read_record_lines(reply, 4).value();
    BOOST_TEST((read[0].what == kind::found && read[0].revision == 7 && read[0].record == R"({"id":"1"})"));
    BOOST_TEST((read[1].what == kind::absent));
    BOOST_TEST((read[2].what == kind::bad_token));
    BOOST_TEST((read[3].what == kind::found && read[3].revision == UINT64_MAX));
}

BOOST_AUTO_TEST_CASE(a_record_with_a_line_break_loses_its_white_space_outside_strings)
{
    const std::tuple<std::string, std::string> table[] = {
        {"{ \"a\" : 1 }", "1 { \"a\" : 1 }\n"},
        {"{\n\t\"a b\" :\r\n 1 }", "1 {\"a b\":1}\n"},
        {"{\r\"a\\\" \\\\\" : \" \\n \"}", "1 {\"a\\\" \\\\\":\" \\n \"}\n"},
        {"{\"a\":\"\n\"}", "-\n"}, // no JSON
    };
    for (const auto& [record, line] : table)
    {
        record_lines_writer out(1, 1000);
        out.found(1, record);
        BOOST_TEST(out.take() == line);
    }
}

BOOST_AUTO_TEST_CASE(a_reply_ends_within_its_limit_and_has_all_of_its_lines)
{
    const std::string record = R"({"id":"1"})"; // with its revision and the line feed 13 bytes
    for (std::size_t limit = 12; limit <= 60; ++limit)
    {
        record_lines_writer out(3, limit);
        out.found(1, record);
        out.bad_token();
        out.found(2, record);
        const auto reply = out.take();
        const auto read = read_record_lines(reply, 3).value();
        BOOST_TEST(reply.size() <= limit);
        BOOST_TEST((read[0].what == kind::found) == (limit >= 13 + 8));
        BOOST_TEST((read[1].what == kind::bad_token));
        BOOST_TEST((read[2].what == kind::found) == ((limit >= 13 + 4 + 13) || (limit >= 2 + 4 + 13 && limit < 21)));
    }
}

BOOST_AUTO_TEST_CASE(a_reply_of_another_form_is_malformed_as_a_whole)
{
    for (const std::string reply : {"",
                                    "-",
                                    "-\n",
                                    "-\n-\n-\n",
                                    "-\n-",
                                    "-\n\n",
                                    "\n-\n",
                                    "-\n!!\n",
                                    "-\n404\n",
                                    "-\n {}\n",
                                    "-\n0 {}\n",
                                    "-\n01 {}\n",
                                    "-\n+1 {}\n",
                                    "-\n1\n",
                                    "-\n1 \n",
                                    "-\n1 {\n",
                                    "-\n1 []\n",
                                    "-\n1 {} \n",
                                    "-\n1  {}\n",
                                    "-\n1 {}\r\n",
                                    "-\r\n-\n",
                                    "-\n1 {\r}\n",
                                    "-\n18446744073709551616 {}\n"})
    {
        const auto read = read_record_lines(reply, 2);
        BOOST_TEST(read.has_error(), printable(reply));
        BOOST_TEST((read.has_error() && read.error() == errc::malformed_reply));
    }
    BOOST_TEST(read_record_lines("!\n1 {}\n", 2).has_value());
}

BOOST_AUTO_TEST_CASE(a_scan_gives_the_members_as_they_are_written)
{
    raw_metadata raw;
    const auto text = encode(asset_metadata_reply{"10.5/a b", "A \"b\" \\", "", "one\ntwo"});
    BOOST_REQUIRE(scan_record(text, "10.5/a b", raw));
    BOOST_TEST(raw.title == R"("A \"b\" \\")");
    BOOST_TEST(raw.genre == R"("")");
    BOOST_TEST(raw.summary == "\"one\\u000atwo\"");
    raw_url url;
    const auto published = encode(asset_url_reply{"1", "a/b.mp4"});
    BOOST_REQUIRE(scan_record(published, "1", url));
    BOOST_TEST(url.url == R"("a/b.mp4")");
}

BOOST_AUTO_TEST_CASE(a_scan_leaves_free_members_alone)
{
    raw_metadata raw;
    BOOST_REQUIRE(
        scan_record(R"({"id":"1","title":"t","genre":"g","summary":"s","year":1979,"cast":["é\u0041"]})", "1", raw));
    BOOST_TEST(raw.summary == "\"s\"");
    BOOST_TEST(!scan_record(R"({"id":"1","title":"t","genre":"g","summary":"s","year":1979)", "1", raw));
    BOOST_TEST(!scan_record(R"({"id":"1","title":"t","genre":"g","summary":"s",})", "1", raw));
}

BOOST_AUTO_TEST_CASE(a_scan_refuses_all_that_is_not_written_so)
{
    const std::string good = R"({"id":"1","title":"t","genre":"g","summary":"s"})";
    raw_metadata raw;
    raw_url url;
    BOOST_REQUIRE(scan_record(good, "1", raw));
    for (std::size_t i = 0; i < good.size(); ++i)
    {
        BOOST_TEST(!scan_record(good.substr(0, i), "1", raw));
        BOOST_TEST(!scan_record(good.substr(0, i) + ' ' + good.substr(i), "2", raw));
    }
    BOOST_TEST(!scan_record(good, "2", raw));
    BOOST_TEST(!scan_record(good + ' ', "1", raw));
    BOOST_TEST(!scan_record(good, "1", url));
    for (const std::string title : {"\\/", "\\n", "\\u000A", "\\u0020", "\\u00e4", "\\", "\n", "\x7f", "ä", "\xff"})
        BOOST_TEST(!scan_record("{\"id\":\"1\",\"title\":\"" + title + R"(","genre":"g","summary":"s"})", "1", raw),
                   title);
    for (const std::string text : {"", "\\u000a", "\t", "ä"})
        BOOST_TEST(!scan_record(R"({"id":"1","url":")" + text + "\"}", "1", url), text);
    BOOST_TEST(!scan_record(encode(asset_metadata_reply{"1", std::string(1025, 't'), "", ""}), "1", raw));
    BOOST_TEST(scan_record(encode(asset_metadata_reply{"1", std::string(1024, 't'), "", ""}), "1", raw));
}

BOOST_AUTO_TEST_CASE(a_scan_equals_decoding_and_encoding)
{
    std::mt19937 random(20261129);
    std::size_t scanned = 0;
    for (int i = 0; i < 20000; ++i)
    {
        const std::string id = i % 3 == 0 ? "a b" : "1";
        auto text = i % 2 == 0 ? encode(asset_metadata_reply{id, random_text(random, 4), random_text(random, 4), "s"})
                               : encode(asset_url_reply{id, random_text(random, 6)});
        if (random() % 2 == 0)
            text[random() % text.size()] = static_cast<char>(random() % 256);
        raw_metadata raw;
        raw_url url;
        scanned += scan_record(text, id, raw) || scan_record(text, id, url) ? 1 : 0;
        BOOST_TEST_REQUIRE(scan_equals_decoding(text, id), printable(text));
    }
    BOOST_TEST(scanned > 2000);
}

BOOST_AUTO_TEST_SUITE_END()
