// W3C Trace Context.
#include "schemas/event.hpp"
#include "schemas/trace_context.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <set>
#include <string>

using namespace marquee;

namespace
{

const std::string trace = "0af7651916cd43dd8448eb211c80319c";
const std::string parent = "b7ad6b7169203331";
const std::string whole = "00-" + trace + "-" + parent + "-01";

struct row
{
    const char* why;
    std::string text;
};

std::string repeated(std::size_t times, const std::string& text)
{
    std::string all;
    for (std::size_t i = 0; i < times; ++i)
        all += text;
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(trace_contexts)

BOOST_AUTO_TEST_CASE(a_traceparent_is_read_and_written)
{
    const auto read = parse_traceparent(whole, "vendor=value");
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(trace_id_text(*read) == trace);
    BOOST_TEST(span_id_text(*read) == parent);
    BOOST_TEST(read->sampled);
    BOOST_TEST(read->state == "vendor=value");
    BOOST_TEST(format_traceparent(*read) == whole);
}

BOOST_AUTO_TEST_CASE(only_the_flag_sampled_counts)
{
    const auto with = [](const std::string& flags) { return "00-" + trace + "-" + parent + "-" + flags; };
    BOOST_TEST(!parse_traceparent(with("00"))->sampled);
    BOOST_TEST(!parse_traceparent(with("fe"))->sampled);
    BOOST_TEST(parse_traceparent(with("ff"))->sampled);
    BOOST_TEST(format_traceparent(*parse_traceparent(with("ff"))) == whole);
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_no_context)
{
    const row rows[] = {
        {"nothing", ""},
        {"a version alone", "00"},
        {"version ff", "ff-" + trace + "-" + parent + "-01"},
        {"a version in capitals", "0A-" + trace + "-" + parent + "-01"},
        {"a trace id of zeros", "00-" + std::string(32, '0') + "-" + parent + "-01"},
        {"a span id of zeros", "00-" + trace + "-" + std::string(16, '0') + "-01"},
        {"capitals", "00-0AF7651916CD43DD8448EB211C80319C-" + parent + "-01"},
        {"a trace id too short", "00-" + trace.substr(1) + "-" + parent + "-01"},
        {"a letter that is no digit", "00-" + trace.substr(1) + "g-" + parent + "-01"},
        {"flags too short", "00-" + trace + "-" + parent + "-1"},
        {"flags that are none", "00-" + trace + "-" + parent + "-0x"},
        {"version 00 with more", whole + "-more"},
        {"version 00 with a blank", whole + " "},
        {"a later version without a dash", "01-" + trace + "-" + parent + "-01more"},
        {"other separators", "00_" + trace + "_" + parent + "_01"},
    };
    for (const auto& each : rows)
        BOOST_TEST(!parse_traceparent(each.text).has_value(), each.why);
}

BOOST_AUTO_TEST_CASE(of_a_later_version_the_known_part_is_read)
{
    BOOST_TEST(parse_traceparent("cc-" + trace + "-" + parent + "-01").has_value());
    const auto read = parse_traceparent("cc-" + trace + "-" + parent + "-01-what-comes-later");
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(format_traceparent(*read) == whole);
}

BOOST_AUTO_TEST_CASE(a_tracestate_is_a_list_or_is_left_out)
{
    BOOST_TEST(parse_tracestate("a=1, b=2 ,,\tc@d=3") == "a=1,b=2,c@d=3");
    BOOST_TEST(parse_tracestate("a= 1") == "a= 1"); // a value may begin with blanks
    BOOST_TEST(parse_tracestate(repeated(1, "k=" + std::string(256, 'v'))).size() == 258U);
    const row rows[] = {
        {"no value", "a"},
        {"an empty value", "a="},
        {"a capital in a key", "A=1"},
        {"a key that begins with a digit", "1a=1"},
        {"a key that is too long", std::string(257, 'k') + "=1"},
        {"a value that is too long", "k=" + std::string(257, 'v')},
        {"an equals sign in a value", "a=b=c"},
        {"a line break", "a=1\r\nNats-Msg-Id: x"},
        {"a byte that is no ASCII", "a=\xc3\xa4"},
        {"the same key twice", "a=1,a=2"},
        {"a system without a name", "a@=1"},
    };
    for (const auto& each : rows)
        BOOST_TEST(parse_tracestate(each.text).empty(), each.why);
}

BOOST_AUTO_TEST_CASE(a_tracestate_is_bounded)
{
    std::string many;
    for (int i = 0; i < 32; ++i)
        many += "k" + std::to_string(i) + "=1,";
    BOOST_TEST(!parse_tracestate(many).empty());
    BOOST_TEST(parse_tracestate(many + "last=1").empty(), "33 members");
    const auto of_512 = "a=" + std::string(253, 'x') + ",b=" + std::string(254, 'x');
    BOOST_TEST(of_512.size() == 512U);
    BOOST_TEST(parse_tracestate(of_512) == of_512);
    BOOST_TEST(parse_tracestate(of_512 + "x").empty());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_changed_by_chance_do_no_harm)
{
    std::mt19937 draw(7);
    std::size_t valid = 0;
    for (int i = 0; i < 20'000; ++i)
    {
        auto text = whole + (i % 3 == 0 ? "-x" : "");
        for (auto changes = draw() % 3; changes > 0; --changes)
            text[draw() % text.size()] = static_cast<char>(draw());
        text.resize(draw() % 4 == 0 ? draw() % text.size() : text.size());
        const auto read = parse_traceparent(text, text);
        if (!read)
            continue;
        ++valid;
        const auto again = parse_traceparent(format_traceparent(*read));
        BOOST_REQUIRE(again.has_value());
        BOOST_REQUIRE(format_traceparent(*again) == format_traceparent(*read));
    }
    BOOST_TEST(valid > 1000U);
}

BOOST_AUTO_TEST_CASE(a_child_has_an_id_of_its_own_in_the_same_trace)
{
    const auto root = make_trace();
    std::set<std::string> seen{span_id_text(root)};
    for (int i = 0; i < 1000; ++i)
    {
        const auto child = child_of(root);
        BOOST_REQUIRE(child.trace_id == root.trace_id);
        BOOST_REQUIRE(seen.insert(span_id_text(child)).second);
    }
    BOOST_TEST(!root.sampled);
    BOOST_TEST(parse_traceparent(format_traceparent(root)).has_value());
}

BOOST_AUTO_TEST_CASE(a_ratio_decides_by_the_last_seven_bytes_of_the_trace_id)
{
    const auto with_tail = [](const std::string& tail)
    { return parse_traceparent("00-" + std::string(18, 'f') + tail + "-" + parent + "-00").value(); };
    const trace_ratio half(0.5);
    BOOST_TEST(half.samples(with_tail("7fffffffffffff")));
    BOOST_TEST(!half.samples(with_tail("80000000000000")));
    BOOST_TEST(trace_ratio(1).samples(with_tail("ffffffffffffff")));
    BOOST_TEST(!trace_ratio(0).samples(with_tail("00000000000000")));
    std::size_t sampled = 0;
    std::size_t foreign = 0;
    for (int i = 0; i < 20'000; ++i)
    {
        sampled += trace_ratio(0.1).samples(make_trace()) ? 1 : 0;
        foreign += trace_ratio(0.1).samples_foreign() ? 1 : 0;
    }
    BOOST_TEST(sampled > 1700U);
    BOOST_TEST(sampled < 2300U);
    BOOST_TEST(foreign > 1700U);
    BOOST_TEST(foreign < 2300U);
    BOOST_TEST(!trace_ratio(0).samples_foreign());
    BOOST_TEST(trace_ratio(1).samples_foreign());
}

BOOST_AUTO_TEST_CASE(a_ratio_is_a_number_from_0_to_1)
{
    for (const auto* text : {"0", "1", "0.01", "1.0", "0.000001"})
        BOOST_TEST(trace_ratio::parse(text).has_value(), text);
    for (const auto* text : {"", "-0.1", "1.1", "2", "nan", "inf", "1e-3", "0.1 ", "1%", "0x1"})
        BOOST_TEST(!trace_ratio::parse(text).has_value(), text);
    BOOST_TEST(trace_ratio::parse("0")->none());
    BOOST_TEST(!trace_ratio::parse("0.01")->none());
}

BOOST_AUTO_TEST_CASE(the_context_of_a_sender_stands_in_the_event)
{
    const auto asset = asset_id::parse("123").value();
    const auto user = user_id::parse("42").value();
    const auto context = parse_traceparent(whole, "a=1").value();
    const auto event = encode_event("e", asset, user, {}, &context);
    BOOST_TEST(event == encode_event("e", asset, user, {}).substr(0, event.find(",\"trace\"")) + ",\"trace\":\"" +
                            whole + "\"}");
    BOOST_TEST(format_traceparent(event_trace(event).value()) == whole);
    BOOST_TEST(!event_trace(encode_event("e", asset, user, {})).has_value());
}

BOOST_AUTO_TEST_CASE(an_event_of_the_greatest_length_has_no_room_for_a_context)
{
    const std::string text(128, '"');
    const auto context = parse_traceparent(whole).value();
    const auto event =
        encode_event(std::string(64, 'x'), asset_id::parse(text).value(), user_id::parse(text).value(), {}, &context);
    BOOST_TEST(event.size() <= longest_event_bytes());
}

BOOST_AUTO_TEST_CASE(a_strangers_member_trace_is_data)
{
    const auto with = [](const std::string& member)
    { return R"({"id":"e","asset":"a","user":"u","time":"2026-01-31T09:30:00Z",)" + member + "}"; };
    BOOST_TEST(event_trace(with("\"x\":{}, \"trace\" : \"" + whole + "\"")).has_value());
    const auto unsampled = "00-" + trace + "-" + parent + "-00";
    for (const auto& member : {std::string("\"trace\":7"), std::string("\"trace\":{\"trace\":\"" + whole + "\"}"),
                               std::string("\"trace\":null"), std::string("\"trace\":\"x\""),
                               "\"trace\":\"" + unsampled + "\"", "\"trace\":\"" + repeated(2000, "00-") + "\""})
    {
        BOOST_TEST(!event_trace(with(member)).has_value(), member);
        BOOST_TEST(parse_event(with(member)).has_value(), member);
    }
    BOOST_TEST(!event_trace("123:\"trace\"").has_value());
    const std::string cloud = R"({"specversion":"1.0","type":"marquee.play","source":"/s","id":"i","subject":"1",)"
                              R"("user":"2",)";
    BOOST_TEST(event_trace(cloud + R"("traceparent":")" + whole + "\"}").has_value());
    BOOST_TEST(!event_trace(cloud + R"("trace":")" + whole + "\"}").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
