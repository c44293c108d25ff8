#include "schemas/subjects.hpp"
#include "tests/unit/schemas/id_tables.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <concepts>

using namespace marquee;
using namespace marquee::test;

namespace
{

asset_id asset(std::string_view text) { return asset_id::parse(text).value(); }
user_id user(std::string_view text) { return user_id::parse(text).value(); }

/// A function that makes the subject of an asset, and the prefix before the token.
struct of_asset
{
    subject (*make)(const asset_id&);
    const char* prefix;
};

const of_asset with_asset[] = {
    {subjects::metadata_get, "metadata.get."},       {subjects::metadata_put, "metadata.put."},
    {subjects::metadata_delete, "metadata.delete."}, {subjects::cdnurl_get, "cdnurl.get."},
    {subjects::cdnurl_put, "cdnurl.put."},           {subjects::cdnurl_delete, "cdnurl.delete."},
    {subjects::reporting_asset, "reporting.asset."}, {subjects::reporting_series, "reporting.series."},
};

} // namespace

BOOST_AUTO_TEST_SUITE(subjects_)

BOOST_AUTO_TEST_CASE(subjects_without_an_id_are_those_of_the_contract)
{
    BOOST_TEST(subjects::metadata_list().str() == "metadata.list");
    BOOST_TEST(subjects::metadata_search().str() == "metadata.search");
    BOOST_TEST(subjects::cdnurl_list().str() == "cdnurl.list");
    BOOST_TEST(subjects::reporting_top().str() == "reporting.top");
    BOOST_TEST(subjects::reporting_series().str() == "reporting.series");
    BOOST_TEST(subjects::reporting_assets().str() == "reporting.assets");
    BOOST_TEST(subjects::reporting_live().str() == "reporting.live");
    BOOST_TEST(subjects::events().str() == "events");
}

BOOST_AUTO_TEST_CASE(any_id_becomes_exactly_one_token)
{
    for (const auto& id : real_ids)
    {
        BOOST_TEST_CONTEXT(printable(id.text))
        {
            for (const auto& row : with_asset)
            {
                const auto made = row.make(asset(id.text));
                BOOST_TEST(made.str() == row.prefix + id.token);
                BOOST_TEST(std::string_view(made.c_str()) == made.str());
                BOOST_TEST(std::count(made.str().begin(), made.str().end(), '.') == 2);
                BOOST_TEST(subjects::token_at(made.str(), 2) == id.token);
            }
            BOOST_TEST(subjects::reporting_user(user(id.text)).str() == "reporting.user." + id.token);
            BOOST_TEST(subjects::reporting_history(user(id.text)).str() == "reporting.history." + id.token);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_views_of_an_asset_and_a_user_have_both_tokens_in_that_order)
{
    BOOST_TEST(subjects::reporting_views(asset("123"), user("42")).str() == "reporting.views.123.42");
    BOOST_TEST(subjects::reporting_views(asset("a.b"), user("> *")).str() == "reporting.views.a=2Eb.=3E=20=2A");
    BOOST_TEST(subjects::reporting_views(asset("$JS.API"), user("..")).str() == "reporting.views.=24JS=2EAPI.=2E=2E");
}

BOOST_AUTO_TEST_CASE(tokens_of_a_received_subject_are_found_by_index)
{
    using subjects::token_at;
    BOOST_TEST(token_at("reporting.views.A.U", 0) == "reporting");
    BOOST_TEST(token_at("reporting.views.A.U", 2) == "A");
    BOOST_TEST(token_at("reporting.views.A.U", 3) == "U");
    BOOST_TEST(token_at("reporting.views.A.U", 4) == "");
    BOOST_TEST(token_at("events", 0) == "events");
    BOOST_TEST(token_at("events", 1) == "");
    BOOST_TEST(token_at("a..c", 1) == "");
    BOOST_TEST(token_at("a..c", 2) == "c");
    BOOST_TEST(token_at("a.", 1) == "");
    BOOST_TEST(token_at("", 0) == "");
    BOOST_TEST(token_at("", 9) == "");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_a_token_is_a_bug_and_throws)
{
    const std::string hostile[] = {"",    ".", "a.b",  "*",   ">",    "a b",      "a\r\nPUB x 0", "a\0b"s,
                                   "a/b", "é", "a\tb", "%41", "\x7F", "\xC0\xAE", "a:b"};
    for (const auto& token : hostile)
    {
        BOOST_TEST_CONTEXT(printable(token))
        {
            BOOST_CHECK_THROW((void)subject::of({token}), std::invalid_argument);
            BOOST_CHECK_THROW((void)subject::of({"metadata", token}), std::invalid_argument);
            BOOST_CHECK_THROW((void)subject::of({token, "get"}), std::invalid_argument);
        }
    }
    BOOST_CHECK_THROW((void)subject::of({}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(names_from_code_are_joined_with_dots)
{
    BOOST_TEST(subject::of({"events"}).str() == "events");
    BOOST_TEST(subject::of({"$JS", "API", "STREAM", "INFO", "EVENTS"}).str() == "$JS.API.STREAM.INFO.EVENTS");
    BOOST_TEST(subject::of({"$KV", "metadata", "=2E"}).str() == "$KV.metadata.=2E");
    BOOST_TEST((subject::of({"a", "b"}) == subject::of({"a", "b"})));
    BOOST_TEST((subject::of({"a", "b"}) != subject::of({"b", "a"})));
}

BOOST_AUTO_TEST_CASE(names_of_headers_and_streams_are_those_of_the_contract)
{
    BOOST_TEST(names::header_revision == "Marquee-Revision");
    BOOST_TEST(names::header_after == "Marquee-After");
    BOOST_TEST(names::header_event == "Marquee-Event");
    BOOST_TEST(names::header_timeout == "Marquee-Timeout");
    BOOST_TEST(names::header_service_error == "Nats-Service-Error");
    BOOST_TEST(names::header_service_error_code == "Nats-Service-Error-Code");
    BOOST_TEST(names::stream_events == "EVENTS");
}

static_assert(!std::constructible_from<subject, std::string>, "a subject is made by the functions above only");

BOOST_AUTO_TEST_SUITE_END()
