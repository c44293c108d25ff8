// Payloads of several events.
#include "schemas/event_lines.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

constexpr auto event = R"({"id":"e","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"})";
constexpr auto other = R"({"id":"f","asset":"b","user":"v","time":"2026-01-31T09:30:00.123Z"})";
constexpr auto pretty = "{\n  \"id\": \"p\",\r\n  \"asset\": \"a:b\",\n  \"user\": \"u\",\n"
                        "  \"time\": \"2026-01-31T09:30:00Z\"\n}\n";
constexpr auto cut_off = "{\n  \"id\": \"p\",\n  \"asset\": \"a\",\n  \"user\": \"u\"\n";

/// The events as `id/asset/user`, and `!` for what is none.
std::string read(const std::string& payload)
{
    std::string all;
    event_reader events(payload);
    std::size_t count = 0;
    while (events.next())
    {
        BOOST_TEST(events.line() == count++);
        const auto& one = events.event();
        all += all.empty() ? "" : " ";
        if (one.has_error())
            all += '!';
        else
            ((((all += one->id) += '/') += one->asset) += '/') += one->user;
    }
    BOOST_TEST(!events.next());
    return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(event_lines)

BOOST_AUTO_TEST_CASE(a_payload_is_one_event_or_one_a_line)
{
    const std::string e(event);
    const std::string f(other);
    const std::pair<std::string, std::string> rows[] = {
        {e, "e/a/u"},
        {"a:b:c", "/a:b/c"},
        {pretty, "p/a:b/u"},
        {e + "\n", "e/a/u"},
        {e + " \r\n\t\n", "e/a/u"},
        {e + '\n' + f, "e/a/u f/b/v"},
        {e + "\r\n" + f + "\r\n", "e/a/u f/b/v"},
        {"\n\r\n" + e + "\n\n\n" + f, "e/a/u f/b/v"},
        {e + "\na:b\n" + f, "e/a/u /a/b f/b/v"},
        {"a:b\n" + e, "/a/b e/a/u"},
        {"a:b\n", "/a/b"},
        {"a:b\nnothing\nc:d", "/a/b ! /c/d"},
        {e + "\n{\"id\":\n" + f, "e/a/u ! f/b/v"},
        {"{\"id\":\n" + f, "! f/b/v"},
        {"{\"id\":\"g\"}\na:b\n" + f, "! /a/b f/b/v"},
        {cut_off, "! ! ! !"},
        {std::string(pretty) + f, "! ! ! ! ! ! f/b/v"},
        {e + "\n" + e, "e/a/u e/a/u"},
        {e + "\r" + f, "!"},
        {"", "!"},
        {"\n", "!"},
        {"\r\n\r\n", "!"},
        {" \n", "!"},
        {"a:b\rc:d\n", "!"},
    };
    for (const auto& [payload, expected] : rows)
        BOOST_TEST_CONTEXT("payload " << payload)
    BOOST_TEST(read(payload) == expected);
}

BOOST_AUTO_TEST_CASE(what_is_scanned_is_what_the_decoder_reads)
{
    const std::string texts[] = {"a",
                                 "a b",
                                 "\xc3\xa9",
                                 "\xff",
                                 "",
                                 "a\\u0041",
                                 "a\\\"b",
                                 "10.5240/7791-8534",
                                 "a\tb",
                                 std::string(128, 'x'),
                                 std::string(129, 'x'),
                                 ".",
                                 "..",
                                 "k-abc",
                                 "x/y"};
    const std::string times[] = {"2026-01-31T09:30:00Z", "2026-13-31T09:30:00Z", "now", "2026-01-31T09:30:00+00:00"};
    std::size_t scanned = 0;
    for (const auto& id : texts)
        for (const auto& asset : texts)
            for (const auto& time : times)
            {
                const auto json =
                    R"({"id":")" + id + R"(","asset":")" + asset + R"(","user":"u","time":")" + time + R"("})";
                const auto found = scan_event(json);
                const auto parsed = parse_event(json);
                if (!found)
                    continue;
                ++scanned;
                BOOST_REQUIRE_MESSAGE(parsed.has_value(), json);
                BOOST_TEST(found->id == parsed->id.value());
                BOOST_TEST(found->asset == parsed->asset.text());
                BOOST_TEST(found->user == parsed->user.text());
            }
    BOOST_TEST(scanned > 20U);
}

BOOST_AUTO_TEST_CASE(a_context_that_an_edge_writes_is_scanned_and_counts_for_nothing)
{
    const std::string context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const std::string plain = event;
    const auto with = [&](const std::string& value)
    { return plain.substr(0, plain.size() - 1) + R"(,"trace":)" + value + "}"; };
    BOOST_TEST(scan_event(with('"' + context + '"')).has_value());
    for (const auto& other_value : {"\"x\"", "7", "{}", "\"\xff\""})
        BOOST_TEST(!scan_event(with(other_value)).has_value(), other_value);
    BOOST_TEST(!scan_event(with('"' + context + "-\x01\"")).has_value());
    const auto lines = with('"' + context + '"') + "\n" + other + "\n" + with("{}");
    BOOST_TEST(read(lines) == "e/a/u f/b/v e/a/u");
    event_reader events(lines);
    BOOST_REQUIRE(events.next());
    BOOST_TEST(events.text() == with('"' + context + '"'));
    BOOST_REQUIRE(events.next());
    BOOST_TEST(events.text() == other);
}

BOOST_AUTO_TEST_CASE(what_is_passed_over_counts_as_if_it_had_been_read)
{
    const std::string e(event);
    for (const auto& payload :
         {e, std::string(pretty), "a:b\n\r\n\nnothing\r\nc:d\n" + e + "\n", std::string("a:b\nc:d"), std::string()})
        for (std::size_t passed = 0; passed < 6; ++passed)
        {
            event_reader all(payload);
            event_reader some(payload);
            std::size_t there = 0;
            while (there < passed && all.next())
                ++there;
            some.skip(passed);
            while (all.next())
            {
                BOOST_REQUIRE(some.next());
                BOOST_TEST(some.text() == all.text());
                BOOST_TEST(some.line() == all.line());
                BOOST_TEST(some.event().has_value() == all.event().has_value());
            }
            BOOST_TEST(!some.next());
        }
}

BOOST_AUTO_TEST_CASE(an_id_of_a_batch_is_a_ulid_and_a_line_in_its_only_form)
{
    const std::string ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const auto line_of = [](const std::string& id)
    {
        const auto parsed = parse_batch_event_id(id);
        return parsed ? static_cast<int>(parsed->line) : -1;
    };
    BOOST_TEST(line_of(ulid + ".0") == 0);
    BOOST_TEST(line_of(ulid + ".255") == 255);
    BOOST_TEST(line_of(ulid + ".300") == 300);
    for (const auto& id : std::initializer_list<std::string>{
             ulid, ulid + ".", ulid + ".00", ulid + ".01", ulid + ".-1", ulid + ".+1", ulid + ".1.2", ulid + ".1 ",
             ulid + "x1", ulid + ".9999999999", std::string("order.1"), ulid.substr(1) + ".1",
             "8" + ulid.substr(1) + ".1", "01arz3ndektsv4rrffq69g5fav.1", "01ARZ3NDEKTSV4RRFFQ69G5FAI.1"})
        BOOST_TEST(line_of(id) == -1, id);
}

BOOST_AUTO_TEST_SUITE_END()
