// What a line of a stream publishes.
#include "tools/replay/event_line.hpp"

#include "schemas/cloud_event.hpp"
#include "schemas/event.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::replay;

namespace
{

struct row
{
    std::string line;
    std::string payload;
    std::string message_id;
    bool rejected;
};

const std::string event = R"({"id":"e1","asset":"123","user":"42","time":"2026-01-31T09:30:00Z"})";
const std::string event_as_string =
    R"("{\"id\":\"e1\",\"asset\":\"123\",\"user\":\"42\",\"time\":\"2026-01-31T09:30:00Z\"}")";

const row rows[] = {
    {event, event, "e1", false},
    {event_as_string, event, "", false}, // the same event, as somebody publishes it who knows no Nats-Msg-Id
    {R"("123:42")", "123:42", "", false},
    {R"("")", "", "", true},
    {R"("no colon")", "no colon", "", true},
    {R"("{123:42")", "{123:42", "", true},
    {R"("12\r\n\u0000:1")", std::string("12\r\n\0:1", 7), "", true},
    {R"({"id":"e1"})", R"({"id":"e1"})", "", true}, // not valid: its id is not taken
    {"{garbage", "{garbage", "", true},
    {R"(["latin1","\u00c3\u00a9:7"])", "é:7", "", false},
    {R"(["latin1","caf\u00e9:7"])", "caf\xe9:7", "", true},
    {R"(["latin1","\u0000\u007f\u0080\u00ff"])", std::string("\x00\x7f\x80\xff", 4), "", true},
};

} // namespace

BOOST_AUTO_TEST_SUITE(event_lines)

BOOST_AUTO_TEST_CASE(a_line_is_an_event_or_a_payload_as_text_or_bytes)
{
    for (const auto& [line, payload, message_id, rejected] : rows)
        BOOST_TEST_CONTEXT(line)
        {
            const auto read = read_line(line, 1);
            BOOST_REQUIRE(read.has_value());
            BOOST_TEST(read->payload == payload);
            BOOST_TEST(read->message_id == message_id);
            BOOST_TEST(!read->rejection.empty() == rejected);
        }
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused)
{
    for (const char* line :
         {"", " ", "123:42", " {}", "\"open", "\"two\" \"texts\"", "\"\\ud800\"", "\"\xff\"", "[", "[]", "[\"latin1\"]",
          R"(["base64","eA=="])", R"(["latin1",1])", R"(["latin1","€"])", R"(["latin1","a","b"])", "null", "7"})
        BOOST_TEST_CONTEXT(line)
        {
            const auto read = read_line(line, 1);
            BOOST_REQUIRE(read.has_error());
            BOOST_TEST(!read.error().detail.empty());
        }
}

BOOST_AUTO_TEST_CASE(a_later_round_gives_each_event_a_fresh_id)
{
    const auto second =
        read_line(R"({"id":"e1","more":[1],"asset":"123","user":"42","time":"2026-01-31T09:30:00Z"})", 2).value();
    BOOST_TEST(second.message_id == "e1.r2");
    BOOST_TEST(second.payload ==
               R"({"id":"e1.r2","more":[1],"asset":"123","user":"42","time":"2026-01-31T09:30:00Z"})");
    const auto bare = read_line(event_as_string, 12).value();
    BOOST_TEST(bare.message_id.empty());
    BOOST_TEST(*parse_event(bare.payload).value().id == "e1.r12");
    BOOST_TEST(read_line(R"("123:42")", 2).value().payload == "123:42");
    BOOST_TEST(read_line("{garbage", 2).value().payload == "{garbage");
}

BOOST_AUTO_TEST_CASE(a_cloud_event_is_sent_under_the_id_by_which_it_is_counted)
{
    const std::string line =
        R"({"specversion":"1.0","type":"marquee.play","source":"/tv","id":"1","subject":"123","user":"42"})";
    const auto first = read_line(line, 1).value();
    BOOST_TEST(first.payload == line);
    BOOST_TEST(first.message_id == event_id_for_cloud_event("/tv", "1"));
    const auto second = read_line(line, 2).value();
    BOOST_TEST(second.message_id == event_id_for_cloud_event("/tv", "1.r2"));
    BOOST_TEST(*parse_event(second.payload).value().id == second.message_id);
    BOOST_TEST(read_line(R"({"specversion":"1.0"})", 1).value().rejection.starts_with("type: "));
}

BOOST_AUTO_TEST_CASE(an_id_that_has_no_room_for_the_round_is_hashed)
{
    const std::string longest(64, 'x');
    const auto line = R"({"id":")" + longest + R"(","asset":"123","user":"42","time":"2026-01-31T09:30:00Z"})";
    const auto second = read_line(line, 2).value();
    const auto third = read_line(line, 3).value();
    BOOST_TEST(is_valid_event_id(second.message_id));
    BOOST_TEST(second.message_id != longest);
    BOOST_TEST(second.message_id != third.message_id);
    BOOST_TEST(read_line(line, 2).value().message_id == second.message_id);
    BOOST_TEST(*parse_event(second.payload).value().id == second.message_id);
}

BOOST_AUTO_TEST_SUITE_END()
