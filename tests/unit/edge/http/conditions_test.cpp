#include "edge/http/conditions.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

result<conditions> match(const std::string& value)
{
    http_fields fields;
    fields.add("If-Match", value);
    return conditions::of(fields);
}

result<conditions> none_match(const std::string& value)
{
    http_fields fields;
    fields.add("If-None-Match", value);
    return conditions::of(fields);
}

/// 7-ff as the current tag.
const record_tag now{7, std::chrono::nanoseconds(255)};
const record_state there{now, now.revision};
const std::optional<record_state> absent;

} // namespace

BOOST_AUTO_TEST_SUITE(entity_tag_conditions)

BOOST_AUTO_TEST_CASE(if_match_compares_strongly_and_if_none_match_weakly)
{
    struct row
    {
        std::string value;
        bool strong;
        bool weak;
    };
    const row table[] = {
        {"\"7-ff\"", true, true},
        {"\"8-ff\"", false, false},
        {"\"7-fe\"", false, false}, // of another history
        {"\"7\"", false, false},    // of the old form
        {"W/\"7-ff\"", false, true},
        {"\"1-1\", \"7-ff\"", true, true},
        {"\"1-1\" ,W/\"7-ff\"", false, true},
        {"*", true, true},
        {"\"07-ff\"", false, false},
        {"\"7-FF\"", false, false},
        {"\"\"", false, false},
        {"\"a,b\", \"7-ff\"", true, true},
        {"\"caf\xc3\xa9\", \"7-ff\"", true, true},
        {"\"\xff\"", false, false},
        // Empty elements say nothing.
        {", \"7-ff\"", true, true},
        {"\"7-ff\",", true, true},
        {" , ,\t\"1-1\",,\"7-ff\" , ,", true, true},
        {",W/\"7-ff\",", false, true},
        {"", false, false},
        {",", false, false},
        {" , ,", false, false},
    };
    for (const auto& [value, strong, weak] : table)
        BOOST_TEST_CONTEXT('[' << value << ']')
        {
            BOOST_TEST(match(value).value().if_match->matches_strongly(now) == strong);
            BOOST_TEST(none_match(value).value().if_none_match->matches_weakly(now) == weak);
        }
}

BOOST_AUTO_TEST_CASE(a_record_without_a_tag_matches_the_asterisk_only)
{
    BOOST_TEST(match("*").value().if_match->matches_strongly({}));
    BOOST_TEST(!match("\"7\"").value().if_match->matches_strongly({}));
    BOOST_TEST(!none_match("\"7\"").value().if_none_match->matches_weakly({}));
}

BOOST_AUTO_TEST_CASE(malformed_tags_are_refused_and_the_header_named)
{
    for (const std::string value : {"7-ff", "\"7-ff", "7-ff\"", "\"7-ff\" \"8-ff\"", "w/\"7-ff\"", "*, \"7-ff\"", "*,",
                                    ",*", "W/", "W/,", ", W/ \"7-ff\"", "\"a\"b"})
        BOOST_TEST_CONTEXT('[' << value << ']')
        {
            BOOST_TEST(match(value).error().field == "If-Match");
            BOOST_TEST(none_match(value).error().field == "If-None-Match");
            BOOST_TEST((match(value).error() == errc::bad_request));
        }
}

BOOST_AUTO_TEST_CASE(one_strong_tag_needs_no_read_of_the_resource)
{
    for (const std::string value : {"\"7-ff\"", ",\"7-ff\" ,"})
        BOOST_TEST((match(value).value().if_match->only_tag().value() == now), value);
    for (const std::string value : {"*", "W/\"7-ff\"", "\"7-ff\", \"8-ff\"", "\"x\"", "\"07-ff\"", "\"0-ff\"", "\"7\"",
                                    "\"-1\"", ",", "\"99999999999999999999999-ff\""})
        BOOST_TEST_CONTEXT(value) { BOOST_TEST(!match(value).value().if_match->only_tag()); }
}

BOOST_AUTO_TEST_CASE(a_change_is_allowed_where_the_conditions_are_met)
{
    const std::tuple<result<conditions>, std::optional<record_state>, bool> table[] = {
        {match("*"), there, true},
        {match("*"), absent, false},
        {match("\"8-ff\""), there, false},
        {match("\"7-fe\""), there, false},
        {match("\"7-ff\""), there, true},
        {match("\"7-ff\""), absent, false},
        {match(","), there, false},
        {none_match("\"8-ff\""), there, true},
        {none_match("\"7-fe\""), there, true},
        {none_match("*"), there, false},
        {none_match("*"), absent, true},
        {none_match("\"7-ff\""), there, false},
        {none_match(","), there, true},
        {none_match("\"7-ff\""), absent, true},
    };
    for (const auto& [given, current, met] : table)
        BOOST_TEST(check_conditions(given.value(), current).has_value() == met);
    BOOST_TEST((check_conditions(match("\"8-ff\"").value(), there).error() == errc::revision_mismatch));
}

BOOST_AUTO_TEST_CASE(a_reply_has_a_tag_a_revision_both_or_neither)
{
    const auto both = record_state::of("7-ff", "7").value();
    BOOST_TEST((both.tag == now));
    BOOST_TEST(both.revision.value() == 7U);
    BOOST_TEST(record_state::of("7-ff", "").value().revision.value() == 7U);
    BOOST_TEST(!record_state::of("", "7").value().tag);
    BOOST_TEST(record_state::of("", "12").value().revision.value() == 12U);
    BOOST_TEST(!record_state::of("", "").value().revision);
    const std::pair<const char*, const char*> wrong[] = {
        {"", "x"},     {"", "-1"},    {"", "1.0"}, {"", " 1"}, {"", "99999999999999999999999"},
        {"7-ff", "8"}, {"7-FF", "7"}, {"7", "7"},  {"x", ""},  {"\"7-ff\"", "7"}};
    for (const auto& [tag, revision] : wrong)
        BOOST_TEST((record_state::of(tag, revision).error() == errc::malformed_reply), tag << ' ' << revision);
}

BOOST_AUTO_TEST_SUITE_END()
