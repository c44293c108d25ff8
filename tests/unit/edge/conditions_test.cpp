#include "edge/conditions.hpp"

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

} // namespace

BOOST_AUTO_TEST_SUITE(entity_tag_conditions)

BOOST_AUTO_TEST_CASE(if_match_compares_strongly_and_if_none_match_weakly)
{
    struct row
    {
        std::string value;
        bool strong_7;
        bool weak_7;
    };
    const row table[] = {
        {"\"7\"", true, true},        {"\"8\"", false, false},         {"W/\"7\"", false, true},
        {"\"1\", \"7\"", true, true}, {"\"1\" ,W/\"7\"", false, true}, {"*", true, true},
        {"\"07\"", false, false},     {"\"\"", false, false},          {"\"a,b\", \"7\"", true, true},
        {", \"7\"", true, true},      {"\"7\",", true, true},          {" ,\t, \"1\",,, \"7\" ,", true, true},
        {"\"8\",", false, false},     {",W/\"7\",", false, true},
    };
    for (const auto& [value, strong, weak] : table)
        BOOST_TEST_CONTEXT(value)
        {
            BOOST_TEST(match(value).value().if_match->matches_strongly(7) == strong);
            BOOST_TEST(none_match(value).value().if_none_match->matches_weakly(7) == weak);
        }
}

BOOST_AUTO_TEST_CASE(malformed_tags_are_refused_and_the_header_named)
{
    for (const std::string value : {"", "7", "\"7", "7\"", "\"7\" \"8\"", "\"7\"8", "7,\"8\"", ",,", "w/\"7\"", "*, \"7\"", ","})
        BOOST_TEST_CONTEXT('[' << value << ']')
        {
            BOOST_TEST(match(value).error().field == "If-Match");
            BOOST_TEST(none_match(value).error().field == "If-None-Match");
            BOOST_TEST((match(value).error() == errc::bad_request));
        }
}

BOOST_AUTO_TEST_CASE(one_plain_tag_needs_no_look_at_the_resource)
{
    BOOST_TEST(match("\"7\"").value().if_match->only_revision().value() == 7U);
    for (const std::string value :
         {"*", "W/\"7\"", "\"7\", \"8\"", "\"x\"", "\"07\"", "\"0\"", "\"-1\"", "\"99999999999999999999999\""})
        BOOST_TEST_CONTEXT(value) { BOOST_TEST(!match(value).value().if_match->only_revision()); }
}

BOOST_AUTO_TEST_CASE(a_change_may_expect_the_current_revision_where_the_conditions_are_met)
{
    BOOST_TEST(expected_revision(match("*").value(), 7).value() == 7U);
    BOOST_TEST((expected_revision(match("*").value(), 0).error() == errc::revision_mismatch));
    BOOST_TEST((expected_revision(match("\"8\"").value(), 7).error() == errc::revision_mismatch));
    BOOST_TEST(expected_revision(none_match("\"8\"").value(), 7).value() == 7U);
    BOOST_TEST((expected_revision(none_match("\"7\"").value(), 7).error() == errc::revision_mismatch));
    BOOST_TEST(expected_revision(none_match("\"7\"").value(), 0).value() == 0U);
}

BOOST_AUTO_TEST_CASE(a_revision_is_a_number_or_absent)
{
    BOOST_TEST(read_revision("12").value().value() == 12U);
    BOOST_TEST(!read_revision("").value().has_value());
    for (const auto* text : {"x", "-1", "1.0", " 1", "99999999999999999999999"})
        BOOST_TEST((read_revision(text).error() == errc::malformed_reply));
}

BOOST_AUTO_TEST_SUITE_END()
