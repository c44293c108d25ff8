#include "edge/auth/admin_token.hpp"
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>

using namespace marquee;
using namespace marquee::test;

namespace
{

http_fields authorization(const std::string& value)
{
    http_fields fields;
    fields.add("Authorization", value);
    return fields;
}

} // namespace

BOOST_AUTO_TEST_SUITE(admin_token_)

BOOST_AUTO_TEST_CASE(only_the_token_itself_is_accepted)
{
    const temporary_file file("  s3cret-and-long-more \r\n");
    auto token = admin_token::from_file(file.path()).value();
    for (const std::string right :
         {"Bearer s3cret-and-long-more", "bearer s3cret-and-long-more", "BEARER  s3cret-and-long-more "})
        BOOST_TEST_CONTEXT(right) { BOOST_TEST(token.check(authorization(right)).has_value()); }
    for (const std::string wrong :
         {"", "s3cret-and-long-more", "Bearer", "Bearer ", "Bearer s3cret-and-long-mor", "Bearer s3cret-and-long-more1",
          "Bearer S3CRET-AND-LONG-MORE", "Basic s3cret-and-long-more"})
        BOOST_TEST_CONTEXT(wrong)
        {
            BOOST_TEST((token.check(authorization(wrong)).error().what == errc::unauthorized));
        }
    BOOST_TEST((token.check(http_fields()).error().what == errc::unauthorized));
    auto twice = authorization("Bearer s3cret-and-long-more");
    twice.add("Authorization", "Bearer s3cret-and-long-more");
    BOOST_TEST((token.check(twice).error().what == errc::unauthorized));
}

BOOST_AUTO_TEST_CASE(without_a_token_everything_is_forbidden)
{
    admin_token none;
    BOOST_TEST((none.check(authorization("Bearer ")).error().what == errc::forbidden));
    BOOST_TEST((none.check(authorization("Bearer x")).error().what == errc::forbidden));
}

BOOST_AUTO_TEST_CASE(a_changed_file_is_read_again)
{
    const temporary_file file("old-but-long-enough");
    auto token = admin_token::from_file(file.path()).value();
    file.write("newer-but-long-enough");
    BOOST_TEST((token.check(authorization("Bearer old-but-long-enough")).error().what == errc::unauthorized));
    BOOST_TEST(token.check(authorization("Bearer newer-but-long-enough")).has_value());

    const temporary_file replacement("fresh-but-long-enough");
    BOOST_REQUIRE(std::rename(replacement.path().c_str(), file.path().c_str()) == 0);
    BOOST_TEST((token.check(authorization("Bearer newer-but-long-enough")).error().what == errc::unauthorized));
    BOOST_TEST(token.check(authorization("Bearer fresh-but-long-enough")).has_value());
}

BOOST_AUTO_TEST_CASE(while_the_file_is_empty_or_missing_the_previous_token_stays_in_use)
{
    const temporary_file file("kept-but-long-enough");
    auto token = admin_token::from_file(file.path()).value();
    file.write("");
    BOOST_TEST(token.check(authorization("Bearer kept-but-long-enough")).has_value());
    BOOST_TEST((token.check(authorization("Bearer ")).error().what == errc::unauthorized));
    ::unlink(file.path().c_str());
    BOOST_TEST(token.check(authorization("Bearer kept-but-long-enough")).has_value());
    file.write("again-but-long-enough");
    BOOST_TEST(token.check(authorization("Bearer again-but-long-enough")).has_value());
}

BOOST_AUTO_TEST_CASE(a_file_without_a_token_is_an_error_at_the_start_that_says_why)
{
    struct row
    {
        std::string text;
        const char* why;
    };
    const row table[] = {
        {" \n", "is empty"},
        {"x", "holds fewer than 16 characters"},
        {std::string(15, 'x'), "holds fewer than 16 characters"},
        {"one-line-of-token\nand-another-one", "has more than one line"},
        {"one-line-of-token\rand-another-one", "has more than one line"},
        {std::string("a-token-with-a\0-within", 22), "holds a character that is not printable ASCII, or a blank"},
        {"a token with blanks in it", "holds a character that is not printable ASCII, or a blank"},
        {"a-token-with-\xc3\xa9-in-it", "holds a character that is not printable ASCII, or a blank"},
        {"\xEF\xBB\xBF"
         "a-token-behind-a-mark",
         "begins with a byte order mark"},
    };
    for (const auto& [text, why] : table)
        BOOST_TEST_CONTEXT(why)
        {
            const temporary_file file(text);
            const auto token = admin_token::from_file(file.path());
            BOOST_REQUIRE(token.has_error());
            BOOST_TEST(token.error().detail == "the admin token file " + file.path() + ' ' + why);
        }
    BOOST_TEST(admin_token::from_file("/nowhere/at/all").error().detail ==
               "the admin token file: cannot read the file /nowhere/at/all: No such file or directory");
    BOOST_TEST(admin_token::from_file("/dev/zero").error().detail ==
               "the admin token file: /dev/zero is a device, not a regular file");
    const temporary_file shortest(std::string(16, 'x'));
    BOOST_TEST(admin_token::from_file(shortest.path()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
