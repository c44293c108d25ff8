#include "schemas/event.hpp"
#include "schemas/ulid.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;
using namespace std::chrono_literals;

namespace
{

struct good_row
{
    std::string payload;
    const char* id; ///< null: a text event, which has none
    const char* asset;
    const char* user;
};

const good_row good[] = {
    {R"({"id":"e1","asset":"123","user":"42","time":"2026-01-31T09:30:00.123Z"})", "e1", "123", "42"},
    {R"({"time":"2026-01-31T09:30:00Z","user":"u","asset":"a","id":".-_"})", ".-_", "a", "u"},
    {R"({"id":"e1","asset":"a:b","user":"c:d","time":"2026-01-31T09:30:00Z"})", "e1", "a:b", "c:d"},
    {R"({"id":"e1","asset":"10.5240/7791","user":"\u00e9","time":"2026-01-31T09:30:00Z","more":[1]})", "e1",
     "10.5240/7791", "é"},
    {"123:42", nullptr, "123", "42"},
    {"a:b:c", nullptr, "a:b", "c"},
    {"::u", nullptr, ":", "u"},
    {"urn:eidr:10.5240:anna@example.org", nullptr, "urn:eidr:10.5240", "anna@example.org"},
    {" 1 : 2 ", nullptr, " 1 ", " 2 "},
    {"=41:%00", nullptr, "=41", "%00"},
    {"*:>", nullptr, "*", ">"},
    {"[1]:\"2\"", nullptr, "[1]", "\"2\""},
    {"七人の侍:\xF0\x9F\x8E\xAC", nullptr, "七人の侍", "\xF0\x9F\x8E\xAC"},
    {" {\"id\":1}", nullptr, " {\"id\"", "1}"}, // only the first byte decides
};

struct bad_row
{
    std::string payload;
    errc code;
    const char* field;
};

std::string with(std::string_view id, std::string_view asset, std::string_view user, std::string_view time)
{
    std::string out = "{";
    const auto add = [&](const char* name, std::string_view value)
    {
        if (value != "-")
            ((((out += out.size() > 1 ? "," : "") += '"') += name) += "\":") += value;
    };
    add("id", id);
    add("asset", asset);
    add("user", user);
    add("time", time);
    return out + "}";
}

constexpr auto now = R"("2026-01-31T09:30:00Z")";

const bad_row bad[] = {
    // JSON: "-" omits a member
    {with("-", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("\"e\"", "-", "\"u\"", now), errc::bad_request, "asset"},
    {with("\"e\"", "\"a\"", "-", now), errc::bad_request, "user"},
    {with("\"e\"", "\"a\"", "\"u\"", "-"), errc::bad_request, "time"},
    {with("null", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("1", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("\"e\"", "123", "\"u\"", now), errc::bad_request, "asset"},
    {with("\"e\"", "\"a\"", "[\"u\"]", now), errc::bad_request, "user"},
    {with("\"e\"", "\"a\"", "\"u\"", "1769851800"), errc::bad_request, "time"},
    {with("\"\"", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("\"a b\"", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("\"e\\u0000\"", "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with('"' + std::string(65, 'x') + '"', "\"a\"", "\"u\"", now), errc::bad_request, "id"},
    {with("\"e\"", "\"a\"", "\"u\"", "\"yesterday\""), errc::bad_request, "time"},
    {with("\"e\"", "\"a\"", "\"u\"", "\"2026-01-31T09:30:00+01:00\""), errc::bad_request, "time"},
    {with("\"e\"", "\"a\"", "\"u\"", "\"2026-02-30T09:30:00Z\""), errc::bad_request, "time"},
    {with("\"e\"", "\"\"", "\"u\"", now), errc::bad_id, "asset"},
    {with("\"e\"", "\"a\\r\\nPUB x\"", "\"u\"", now), errc::bad_id, "asset"},
    {with("\"e\"", "\"a\"", "\"\\u0000\"", now), errc::bad_id, "user"},
    {with("\"e\"", "\"a\"", '"' + std::string(129, 'u') + '"', now), errc::bad_id, "user"},
    // a payload that begins with { is never a text event
    {"{", errc::bad_request, ""},
    {"{a:b", errc::bad_request, ""},
    {"{123:42}", errc::bad_request, ""},
    {"{\"id\":\"e\"}:u", errc::bad_request, ""},
    {"{}", errc::bad_request, "id"},
    // text
    {"", errc::bad_request, ""},
    {"123", errc::bad_request, ""},
    {"123 42", errc::bad_request, ""},
    {"[]", errc::bad_request, ""},
    {":", errc::bad_id, "asset"},
    {":42", errc::bad_id, "asset"},
    {"123:", errc::bad_id, "user"},
    {"a:b:", errc::bad_id, "user"},
    {"1\0:2"s, errc::bad_id, "asset"},
    {"1:2\n", errc::bad_id, "user"},
    {"1:\xC0\xAF", errc::bad_id, "user"},
    {"\xFF:1", errc::bad_id, "asset"},
    {std::string(129, 'a') + ":1", errc::bad_id, "asset"},
    {"1:" + std::string(129, 'u'), errc::bad_id, "user"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(events)

BOOST_AUTO_TEST_CASE(json_and_asset_colon_user_are_both_views)
{
    for (const auto& row : good)
    {
        BOOST_TEST_CONTEXT(printable(row.payload))
        {
            const auto event = parse_event(row.payload);
            BOOST_REQUIRE(event.has_value());
            BOOST_TEST(event->id.has_value() == (row.id != nullptr));
            if (event->id && row.id != nullptr)
                BOOST_TEST(*event->id == row.id);
            BOOST_TEST(event->asset.text() == row.asset);
            BOOST_TEST(event->user.text() == row.user);
        }
    }
}

BOOST_AUTO_TEST_CASE(any_other_payload_is_refused_with_a_detail)
{
    for (const auto& row : bad)
    {
        BOOST_TEST_CONTEXT(printable(row.payload))
        {
            const auto event = parse_event(row.payload);
            BOOST_REQUIRE(event.has_error());
            BOOST_TEST(name_of(event.error().code) == name_of(row.code));
            BOOST_TEST(event.error().field == row.field);
            BOOST_TEST(!event.error().detail.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(an_event_id_of_64_bytes_is_accepted_and_of_65_refused)
{
    BOOST_TEST(parse_event(with('"' + std::string(64, 'x') + '"', "\"a\"", "\"u\"", now)).has_value());
    BOOST_TEST(parse_event(with('"' + std::string(65, 'x') + '"', "\"a\"", "\"u\"", now)).has_error());
}

BOOST_AUTO_TEST_CASE(an_event_is_written_as_the_contract_says)
{
    const auto asset = asset_id::parse("10.5240/7791 \"x\"").value();
    const auto user = user_id::parse("é\\").value();
    const auto when = std::chrono::system_clock::time_point(1769851800s + 123ms);
    BOOST_TEST(encode_event("e1", asset, user, when) ==
               R"({"id":"e1","asset":"10.5240/7791 \"x\"","user":"é\\","time":"2026-01-31T09:30:00.123Z"})");
}

BOOST_AUTO_TEST_CASE(an_event_that_was_written_is_read_back)
{
    const auto when = std::chrono::system_clock::now();
    const auto asset = asset_id::parse("a:b {\"").value();
    const auto user = user_id::parse("七").value();
    for (const auto& id : {make_ulid(when), event_id_for_key(user, "key")})
    {
        const auto event = parse_event(encode_event(id, asset, user, when));
        BOOST_REQUIRE(event.has_value());
        BOOST_REQUIRE(event->id.has_value());
        BOOST_TEST(*event->id == id);
        BOOST_TEST((event->asset == asset));
        BOOST_TEST((event->user == user));
    }
}

BOOST_AUTO_TEST_SUITE_END()
