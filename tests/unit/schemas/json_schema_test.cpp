#include "tests/support/schema_check.hpp"
#include "tests/unit/schemas/id_tables.hpp"
#include "tests/unit/schemas/samples.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <set>

using namespace marquee;
using namespace marquee::test;

namespace json = boost::json;

namespace
{

// Schemas of requests and events allow unknown members, and those of records, which have further
// members; those of other replies do not.
const std::set<std::string> lenient{"asset_metadata", "asset_metadata_reply", "asset_url",      "cloud_event",
                                    "correction",     "history_request",      "list_request",   "live_request",
                                    "play_event",     "search_request",       "series_request", "top_request"};

json::object schema_of(const std::string& name) { return json::parse(schema_text(name)).as_object(); }

std::set<std::string> required_of(const json::object& schema)
{
    std::set<std::string> names;
    if (const auto* list = schema.if_contains("required"))
        for (const auto& name : list->as_array())
            names.insert(name.as_string().c_str());
    return names;
}

/// A type that no member of any message has.
const json::array wrong_type{"neither", 1};

/// Calls `visit` for a schema and for every schema inside it.
template <class F>
void for_each_rule(const json::value& rule, const F& visit)
{
    if (!rule.is_object())
        return;
    visit(rule.as_object());
    for (const auto& [keyword, value] : rule.as_object())
    {
        if (keyword == "properties")
            for (const auto& property : value.as_object())
                for_each_rule(property.value(), visit);
        else if (keyword == "items" || keyword == "additionalProperties")
            for_each_rule(value, visit);
    }
}

struct refused_row
{
    const char* schema;
    std::string text;
};

const refused_row values_out_of_bounds[] = {
    {"asset_metadata", encode(asset_metadata{std::string(1025, 'a'), "g", "s"})},
    {"asset_metadata", encode(asset_metadata{"t", std::string(1025, 'a'), "s"})},
    {"asset_metadata", encode(asset_metadata{"t", "g", std::string(16385, 'a')})},
    {"asset_url", encode(asset_url{""})},
    {"asset_url", encode(asset_url{std::string(4097, 'a')})},
    {"asset_url_reply", encode(asset_url_reply{"", "u"})},
    {"put_reply", encode(put_reply{"done", 1})},
    {"put_reply", encode(put_reply{"ok", 0})},
    {"delete_reply", encode(delete_reply{"gone"})},
    {"error_reply", encode(error_reply{{}, "", {}, {}})},
    {"list_request", R"({"limit":0})"},
    {"list_request", R"({"limit":1001})"},
    {"list_request", R"({"limit":1.5})"},
    {"list_request", R"({"after":""})"},
    {"top_request", R"({"limit":0})"},
    {"top_request", R"({"limit":1001})"},
    {"top_request", R"({"window":"2h"})"},
    {"top_request", R"({"at":"2026-11-30"})"},
    {"series_request", R"({"step":"week"})"},
    {"series_request", R"({"from":"2026-11-30T07:00:00+01:00"})"},
    {"series_reply", R"({"step":"week","from":"2026-11-30T07:00:00Z","to":"2026-11-30T08:00:00Z","points":[]})"},
    {"history_request", R"({"limit":0})"},
    {"history_page", R"({"assets":[{"id":"1","views":1}]})"},
    {"asset_views_reply", R"({"id":"1","views":1})"},
    {"user_views_reply", R"({"id":"1","views":1,"assets":1,"last":"2026-11-30T07:00:00.000Z"})"},
    {"correction", R"({"retract":"a b"})"},
    {"correction", R"({"erase":""})"},
    {"live_request", R"({"limit":0})"},
    {"live_request", R"({"after":"7-0-0-0"})"},
    {"live_request", R"({"after":"0-07"})"},
    {"live_reply", R"({"views":[],"next":"-7"})"},
    {"live_reply", R"({"views":[{"id":"0-7","asset":"1","user":"u","time":"2026-01-31T09:30:00Z"}],"next":"0-7"})"},
    {"views_reply", R"({"id":"1","views":-1})"},
    {"views_reply", R"({"id":"1","views":0.5})"},
    {"views_reply", R"({"id":"1","views":null})"},
    {"counts_reply", R"({"assetviews":null,"userviews":1})"},
    {"play_event", R"({"id":"a b","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"})"},
    {"play_event", R"({"id":"","asset":"a","user":"u","time":"2026-01-31T09:30:00Z"})"},
    {"play_event", R"({"id":"e","asset":"a","user":"u","time":"2026-01-31T09:30:00+01:00"})"},
    {"play_event", R"({"id":"e","asset":"a","user":"u","time":"2026-01-31 09:30:00Z"})"},
    {"play_reply", encode(play_reply{"1", "t", "g", "s", "u", {}, {}, std::vector<std::string>{"other"}})},
    {"play_reply",
     encode(play_reply{"1", "t", "g", "s", "u", {}, {}, std::vector<std::string>{"events", "reporting"}})},
    {"health_reply", encode(health_reply{"fine"})},
    {"health_reply", encode(health_reply{"ready", health_checks{"ok", "ok", "ok", "perhaps"}, {}})},
    {"health_reply", R"({"status":"ready","checks":{"metadata":"ok","cdnurl":"ok"}})"},
    {"health_reply",
     R"({"status":"ready","checks":{"metadata":"ok","cdnurl":"ok","events":"ok","reporting":"ok","more":"ok"}})"},
    {"services_reply", R"({"services":[{"name":"a b","id":"1","version":"1","description":"","endpoints":[]}]})"},
    {"services_reply", R"({"services":[{"name":"a","id":"","version":"1","description":"","endpoints":[]}]})"},
    {"services_reply", R"({"services":[{"name":"a","id":"1","version":"1","description":""}]})"},
    {"services_reply",
     R"({"services":[{"name":"a","id":"1","version":"1","description":"","endpoints":[{"name":"e","subject":"s","num_errors":-1}]}]})"},
    {"problem", encode(problem{"/problems/bad_id", "t", 200, "bad_id", "d", "i", "i", {}, {}})},
    {"problem", encode(problem{"/problems/bad_id", "t", 600, "bad_id", "d", "i", "i", {}, {}})},
    {"problem", encode(problem{"/problems/bad_id", "t", 400, "other", "d", "i", "i", {}, {}})},
    {"problem", encode(problem{"other", "t", 400, "bad_id", "d", "i", "i", {}, {}})},
    {"problem", encode(problem{"/problems/bad_id", "t", 400, "bad_id", "", "i", "i", {}, {}})},
    {"problem", encode(problem{"/problems/bad_id", "t", 400, "bad_id", "d", "i i", "i", {}, {}})},
    {"problem", encode(problem{"/problems/bad_id", "t", 400, "bad_id", "d", "i", "i", {}, "a b"})},
    {"problem", encode(problem{"/problems/bad_id", "t", 400, "bad_id", "d", "i", "", {}, {}})},
    {"views_reply", encode(views_reply{"1", std::numeric_limits<std::uint64_t>::max()})},
    {"asset_url", R"({"url":"a\nb"})"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(json_schemas)

BOOST_AUTO_TEST_CASE(every_schema_has_a_sample_and_every_sample_a_schema)
{
    std::set<std::string> sampled;
    for (const auto& s : samples())
        sampled.insert(s.schema);
    const auto names = schema_names();
    BOOST_TEST(sampled == std::set<std::string>(names.begin(), names.end()), boost::test_tools::per_element());
    BOOST_TEST(names.size() == 37U);
}

BOOST_AUTO_TEST_CASE(every_sample_fits_its_schema)
{
    for (const auto& s : samples())
        BOOST_TEST_CONTEXT(s.schema << ' ' << printable(s.json)) { BOOST_TEST(complaints(s.schema, s.json) == ""); }
}

BOOST_AUTO_TEST_CASE(a_message_without_a_required_member_does_not_fit)
{
    for (const auto& s : samples())
    {
        for (const auto& member : required_of(schema_of(s.schema)))
        {
            auto without = json::parse(s.json).as_object();
            BOOST_TEST_CONTEXT(s.schema << " without " << member)
            {
                BOOST_TEST(without.erase(member) == 1U);
                BOOST_TEST(complaints(s.schema, json::serialize(without)) != "");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_member_of_another_type_does_not_fit)
{
    for (const auto& s : samples())
    {
        const auto whole = json::parse(s.json).as_object();
        const auto schema = schema_of(s.schema);
        for (const auto& [member, value] : whole)
        {
            if (!schema.at("properties").as_object().contains(member))
                continue; // a further member
            auto changed = whole;
            changed[member] = wrong_type;
            BOOST_TEST_CONTEXT(s.schema << ' ' << member)
            {
                BOOST_TEST(complaints(s.schema, json::serialize(changed)) != "");
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(only_an_object_fits_a_schema)
{
    for (const auto& name : schema_names())
        for (const auto* text : {"null", "[]", "1", "\"{}\"", "true", "", "{"})
            BOOST_TEST_CONTEXT(name << ' ' << text) { BOOST_TEST(complaints(name, text) != ""); }
}

BOOST_AUTO_TEST_CASE(replies_forbid_unknown_members_and_requests_allow_them)
{
    for (const auto& s : samples())
    {
        auto more = json::parse(s.json).as_object();
        more["more"] = 1;
        BOOST_TEST_CONTEXT(s.schema)
        {
            BOOST_TEST((complaints(s.schema, json::serialize(more)) == "") == lenient.contains(s.schema));
        }
    }
}

BOOST_AUTO_TEST_CASE(elements_of_a_list_are_checked_too)
{
    BOOST_TEST(complaints("metadata_page", R"({"assets":[{"id":"1","title":"t","genre":"g"}]})") != "");
    const std::string with_more = R"("assets":[{"id":"1","title":"t","genre":"g","summary":"s","more":1}])";
    BOOST_TEST(complaints("metadata_page", '{' + with_more + '}') == "");
    BOOST_TEST(complaints("search_page", '{' + with_more + R"(,"total":1})") == "");
    BOOST_TEST(complaints("content_page", '{' + with_more + R"(,"missing":["2"]})") == "");
    BOOST_TEST(complaints("url_page", R"({"assets":[{"id":"1","url":1}]})") != "");
    BOOST_TEST(complaints("top_reply", R"({"assets":[{"id":"1","views":1},{"id":"2"}]})") != "");
    for (const auto* name : {"service_info", "service_stats"})
    {
        for (const auto& s : samples())
        {
            if (s.schema != std::string_view(name))
                continue;
            const auto whole = json::parse(s.json);
            for (const auto& [member, value] : whole.at("endpoints").at(0).as_object())
            {
                auto changed = whole;
                changed.as_object()["endpoints"].as_array()[0].as_object().erase(member);
                BOOST_TEST_CONTEXT(name << " without " << member)
                {
                    BOOST_TEST((complaints(name, json::serialize(changed)) == "") == (member == "data"));
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(values_out_of_bounds_do_not_fit)
{
    for (const auto& row : values_out_of_bounds)
        BOOST_TEST_CONTEXT(row.schema << ' ' << printable(row.text))
        {
            BOOST_TEST(complaints(row.schema, row.text) != "");
        }
}

BOOST_AUTO_TEST_CASE(ids_that_are_valid_fit_and_control_characters_do_not)
{
    for (const auto& id : real_ids)
        BOOST_TEST_CONTEXT(printable(id.text))
        {
            BOOST_TEST(complaints("views_reply", encode(views_reply{id.text, 1})) == "");
        }
    for (const auto& text : {""s, std::string(129, 'a'), "a\nb"s, "\r"s, "\x1F"s, "\x7F"s})
        BOOST_TEST_CONTEXT(printable(text))
        {
            BOOST_TEST(complaints("views_reply", encode(views_reply{text, 1})) != "");
        }
}

BOOST_AUTO_TEST_CASE(every_schema_has_an_id_a_title_and_a_description)
{
    for (const auto& name : schema_names())
    {
        BOOST_TEST_CONTEXT(name)
        {
            const auto schema = schema_of(name);
            BOOST_TEST(schema.at("$schema").as_string() == "https://json-schema.org/draft/2020-12/schema");
            BOOST_TEST(schema.at("$id").as_string() == "https://marquee.example/schemas/" + name + ".schema.json");
            BOOST_TEST(!schema.at("title").as_string().empty());
            BOOST_TEST(!schema.at("description").as_string().empty());
            BOOST_TEST(schema.at("additionalProperties").as_bool() == lenient.contains(name));
        }
    }
}

BOOST_AUTO_TEST_CASE(only_keywords_that_old_validators_know_are_used)
{
    const std::set<std::string_view> known{"$schema",    "$id",      "title",     "description", "type",
                                           "properties", "required", "items",     "enum",        "additionalProperties",
                                           "const",      "pattern",  "minLength", "maxLength",   "minimum",
                                           "maximum",    "minItems", "maxItems"};
    for (const auto& name : schema_names())
    {
        const auto check = [&](const json::object& rule)
        {
            for (const auto& [keyword, value] : rule)
                BOOST_TEST_CONTEXT(name << ' ' << keyword) { BOOST_TEST(known.contains(std::string_view(keyword))); }
            for (const auto& member : required_of(rule))
                BOOST_TEST_CONTEXT(name << ' ' << member)
                {
                    BOOST_TEST(rule.at("properties").as_object().contains(member));
                }
        };
        for_each_rule(schema_of(name), check);
    }
}

BOOST_AUTO_TEST_CASE(the_codes_of_a_problem_are_those_of_the_program)
{
    std::set<std::string> listed;
    const auto schema = schema_of("problem");
    for (const auto& code : schema.at("properties").at("code").at("enum").as_array())
        listed.insert(code.as_string().c_str());
    std::set<std::string> known;
    for (int i = 1; i <= static_cast<int>(errc::outcome_unknown); ++i)
        known.insert(std::string(name_of(static_cast<errc>(i))));
    BOOST_TEST(listed == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
