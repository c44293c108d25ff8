// Events in the form of CloudEvents.
#include "schemas/cloud_event.hpp"
#include "schemas/event_lines.hpp"
#include "tests/support/schema_check.hpp"
#include "tests/unit/schemas/kit.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace json = boost::json;

namespace
{

json::object sample()
{
    return {{"specversion", "1.0"}, {"type", "marquee.play"}, {"source", "/players/tv"},         {"id", "1"},
            {"subject", "a b"},     {"user", "u@example"},    {"time", "2026-01-31T09:30:00.5Z"}};
}

/// The sample with one member changed; null removes it.
std::string with(const char* name, const json::value& value)
{
    auto changed = sample();
    if (value.is_null())
        changed.erase(name);
    else
        changed[name] = value;
    return json::serialize(changed);
}

struct bad_row
{
    const char* member;
    json::value value;
    errc code = errc::bad_request;
};

const bad_row bad[] = {
    {"specversion", "0.3"},
    {"specversion", "1"},
    {"specversion", 1.0},
    {"specversion", ""},
    {"type", nullptr},
    {"type", "marquee.Play"},
    {"type", "com.example.play"},
    {"source", nullptr},
    {"source", ""},
    {"source", "a b"},
    {"source", "caf\xC3\xA9"},
    {"source", "/100%"},
    {"source", "/%zz"},
    {"id", nullptr},
    {"id", ""},
    {"id", "a\nb"},
    {"id", "\xC2\x85"},
    {"id", 7},
    {"subject", nullptr},
    {"subject", "", errc::bad_id},
    {"subject", "a\tb", errc::bad_id},
    {"subject", json::string(129, 'a'), errc::bad_id},
    {"user", nullptr},
    {"user", "", errc::bad_id},
    {"user", json::array{"u"}},
    {"time", "yesterday"},
    {"time", "2026-01-31T09:30:00+01:00"},
    {"time", 1769851800},
};

} // namespace

BOOST_AUTO_TEST_SUITE(cloud_events)

BOOST_AUTO_TEST_CASE(a_cloud_event_is_a_view_of_its_subject_by_its_user)
{
    const auto id = event_id_for_cloud_event("/players/tv", "1");
    for (const auto& payload :
         {with("more", json::array{1}), with("data", json::object{{"asset", "x"}}), with("time", nullptr),
          R"({"time":null,"user":"u@example","subject":"a b","id":"\u0031","source":"/players/tv",)"
          R"("type":"marquee.play","specv\u0065rsion":"1.0"})"s})
        BOOST_TEST_CONTEXT(payload)
        {
            const auto event = parse_event(payload);
            BOOST_REQUIRE(event.has_value());
            BOOST_TEST(event->id.value() == id);
            BOOST_TEST(event->asset.text() == "a b");
            BOOST_TEST(event->user.text() == "u@example");
            BOOST_TEST(complaints("cloud_event", payload) == "");
        }
}

BOOST_AUTO_TEST_CASE(any_other_is_refused_and_the_error_names_the_member)
{
    for (const auto& [member, value, code] : bad)
        BOOST_TEST_CONTEXT(member << ' ' << json::serialize(value))
        {
            const auto payload = with(member, value);
            const auto event = parse_event(payload);
            BOOST_REQUIRE(event.has_error());
            BOOST_TEST(name_of(event.error().code) == name_of(code));
            BOOST_TEST(event.error().field == member);
            BOOST_TEST(!event.error().detail.empty());
            if (value != json::value("2026-01-31T09:30:00+01:00") && value != json::value("\xC2\x85"))
                BOOST_TEST(complaints("cloud_event", payload) != "");
        }
}

BOOST_AUTO_TEST_CASE(specversion_tells_the_form)
{
    const std::string own = R"({"id":"e","asset":"a","user":"u","time":"2026-01-31T09:30:00Z")";
    BOOST_TEST(parse_event(own + R"(,"more":"specversion"})").has_value());
    BOOST_TEST(parse_event(own + R"(,"more":{"specversion":"1.0"}})").has_value());
    const auto neither = parse_event(own + R"(,"specversion":"1.0"})");
    BOOST_REQUIRE(neither.has_error());
    BOOST_TEST(neither.error().field == "type");
    const auto null = parse_event(own + R"(,"specversion":null})");
    BOOST_REQUIRE(null.has_error());
    BOOST_TEST(null.error().field == "specversion");
    const auto without = parse_event(with("specversion", nullptr));
    BOOST_REQUIRE(without.has_error());
    BOOST_TEST(without.error().field == "asset");
}

BOOST_AUTO_TEST_CASE(its_id_is_of_source_and_id_and_of_no_key)
{
    // printf '/players/tv\0001' | sha256sum | xxd -r -p | base32 | tr -d = | tr A-Z a-z
    BOOST_TEST(event_id_for_cloud_event("/players/tv", "1") ==
               "c-bbq4hlgp7iu54w3e2jqcw5n7x5ccxlvihdsbsfas74dideaqa67q");
    const auto both = event_id_for_cloud_event("a", "bc");
    BOOST_TEST(both != event_id_for_cloud_event("ab", "c"));
    BOOST_TEST(is_valid_event_id(both));
    BOOST_TEST(both.substr(2) == event_id_for_key(user_id::parse("a").value(), "bc").substr(2));
    BOOST_TEST(both != event_id_for_key(user_id::parse("a").value(), "bc"));
}

BOOST_AUTO_TEST_CASE(it_is_a_line_among_others_or_one_payload_over_several_lines)
{
    const auto compact = json::serialize(sample());
    const auto payload = compact + "\n" + with("id", "2") + "\n" + with("type", "other") + "\n1:2\n";
    event_reader lines(payload);
    std::vector<std::string> read;
    while (lines.next())
        read.push_back(lines.event().has_error() ? "! " + lines.event().error().field : std::string(lines.event()->id));
    const std::vector<std::string> expected{event_id_for_cloud_event("/players/tv", "1"),
                                            event_id_for_cloud_event("/players/tv", "2"), "! type", ""};
    BOOST_TEST(read == expected, boost::test_tools::per_element());

    auto pretty = compact;
    for (auto at = pretty.find(",\""); at != std::string::npos; at = pretty.find(",\"", at + 3))
        pretty.replace(at, 1, ",\r\n ");
    event_reader whole(pretty);
    BOOST_TEST(!whole.has_lines());
    BOOST_REQUIRE(whole.next());
    BOOST_REQUIRE(whole.event().has_value());
    BOOST_TEST(whole.event()->asset == "a b");
}

BOOST_AUTO_TEST_SUITE_END()
