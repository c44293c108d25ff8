#include "schemas/ids.hpp"
#include "tests/unit/schemas/id_tables.hpp"

#include <boost/test/unit_test.hpp>

#include <concepts>

using namespace marquee;
using namespace marquee::test;

BOOST_AUTO_TEST_SUITE(ids)

BOOST_AUTO_TEST_CASE(real_ids_are_valid_and_keep_their_text)
{
    for (const auto& row : real_ids)
    {
        BOOST_TEST_CONTEXT(printable(row.text))
        {
            BOOST_TEST(is_valid_id(row.text));
            auto id = asset_id::parse(row.text);
            BOOST_REQUIRE(id.has_value());
            BOOST_TEST(id->text() == row.text);
            BOOST_TEST(id->token() == row.token);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_invalid_id_is_refused_as_bad_id)
{
    for (const auto& row : bad_ids)
    {
        BOOST_TEST_CONTEXT(row.why)
        {
            BOOST_TEST(!is_valid_id(row.text));
            auto id = asset_id::parse(row.text);
            BOOST_REQUIRE(id.has_error());
            BOOST_TEST((id.error() == errc::bad_id));
            BOOST_TEST(!id.error().detail.empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refused_id_names_its_kind)
{
    BOOST_TEST(asset_id::parse("").error().field == "asset");
    BOOST_TEST(user_id::parse("").error().field == "user");
    BOOST_TEST(asset_id::from_token("=4").error().field == "asset");
    BOOST_TEST(user_id::from_token("=4").error().field == "user");
}

BOOST_AUTO_TEST_CASE(the_limit_is_counted_in_bytes)
{
    std::string text(126, 'a');
    text += "\xC3\xA9"; // 127 characters, 128 bytes
    BOOST_TEST(is_valid_id(text));
    text.insert(text.begin(), 'a'); // 128 characters, 129 bytes
    BOOST_TEST(!is_valid_id(text));
}

BOOST_AUTO_TEST_CASE(no_control_character_is_valid_anywhere_in_an_id)
{
    for (unsigned c = 0; c < 0x100; ++c)
    {
        const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
        const std::string encoded =
            c < 0x80 ? std::string(1, static_cast<char>(c))
                     : std::string{static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
        BOOST_TEST_CONTEXT("U+00" << std::hex << c)
        {
            BOOST_TEST(is_valid_id(encoded) == !control);
            BOOST_TEST(is_valid_id("a" + encoded + "b") == !control);
        }
    }
}

BOOST_AUTO_TEST_CASE(ids_compare_by_their_bytes)
{
    const auto a = asset_id::parse("Z").value();
    const auto b = asset_id::parse("a").value();
    const auto c = asset_id::parse("é").value();
    BOOST_TEST((a < b && b < c));
    BOOST_TEST((a == asset_id::from_token("Z").value()));
    BOOST_TEST((a != b));
}

BOOST_AUTO_TEST_CASE(the_value_of_a_refused_id_is_a_bug_and_throws)
{
    BOOST_CHECK_THROW((void)asset_id::parse("").value(), std::logic_error);
}

// There is no implicit conversion of an id to text, or of an asset id to a user id.
static_assert(!std::convertible_to<asset_id, std::string>);
static_assert(!std::convertible_to<asset_id, std::string_view>);
static_assert(!std::constructible_from<asset_id, std::string>);
static_assert(!std::constructible_from<asset_id, user_id>);
static_assert(!std::is_default_constructible_v<asset_id>);

BOOST_AUTO_TEST_SUITE_END()
