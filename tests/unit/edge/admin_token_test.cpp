#include "edge/admin_token.hpp"
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

BOOST_AUTO_TEST_CASE(only_the_token_itself_is_let_in)
{
    const temporary_file file("  s3cret \r\n");
    auto token = admin_token::from_file(file.path()).value();
    for (const std::string right : {"Bearer s3cret", "bearer s3cret", "BEARER  s3cret "})
        BOOST_TEST_CONTEXT(right) { BOOST_TEST(token.check(authorization(right)).has_value()); }
    for (const std::string wrong :
         {"", "s3cret", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret1", "Bearer S3CRET", "Basic s3cret"})
        BOOST_TEST_CONTEXT(wrong) { BOOST_TEST((token.check(authorization(wrong)).error().what == errc::unauthorized)); }
    BOOST_TEST((token.check(http_fields()).error().what == errc::unauthorized));
    auto twice = authorization("Bearer s3cret");
    twice.add("Authorization", "Bearer s3cret");
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
    const temporary_file file("old");
    auto token = admin_token::from_file(file.path()).value();
    file.write("newer");
    BOOST_TEST((token.check(authorization("Bearer old")).error().what == errc::unauthorized));
    BOOST_TEST(token.check(authorization("Bearer newer")).has_value());

    const temporary_file replacement("fresh");
    BOOST_REQUIRE(std::rename(replacement.path().c_str(), file.path().c_str()) == 0);
    BOOST_TEST((token.check(authorization("Bearer newer")).error().what == errc::unauthorized));
    BOOST_TEST(token.check(authorization("Bearer fresh")).has_value());
}

BOOST_AUTO_TEST_CASE(while_the_file_is_empty_or_gone_the_last_token_stands)
{
    const temporary_file file("kept");
    auto token = admin_token::from_file(file.path()).value();
    file.write("");
    BOOST_TEST(token.check(authorization("Bearer kept")).has_value());
    BOOST_TEST((token.check(authorization("Bearer ")).error().what == errc::unauthorized));
    ::unlink(file.path().c_str());
    BOOST_TEST(token.check(authorization("Bearer kept")).has_value());
    file.write("again");
    BOOST_TEST(token.check(authorization("Bearer again")).has_value());
}

BOOST_AUTO_TEST_CASE(a_missing_or_empty_file_is_an_error_at_the_start)
{
    BOOST_TEST(admin_token::from_file("/nowhere/at/all").has_error());
    const temporary_file file(" \n");
    BOOST_TEST(admin_token::from_file(file.path()).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
