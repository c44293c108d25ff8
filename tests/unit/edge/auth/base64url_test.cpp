#include "edge/auth/base64url.hpp"
#include "tests/support/jwt_maker.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(base64url_)

BOOST_AUTO_TEST_CASE(bytes_survive_encoding_and_decoding)
{
    std::string bytes;
    for (int i = 0; i < 300; ++i)
    {
        bytes += static_cast<char>(i * 7);
        BOOST_TEST_REQUIRE(decode_base64url(test::base64url(bytes)).has_value());
        BOOST_TEST((*decode_base64url(test::base64url(bytes)) == bytes));
    }
    BOOST_TEST(decode_base64url("_-8").value() == "\xff\xef");
}

BOOST_AUTO_TEST_CASE(no_two_texts_decode_to_the_same_bytes)
{
    for (const std::string text : {"", "A", "AAAAA", "AA==", "AAA=", "=", "AA=A", "AA AA", " AAA", "AAA\n", "A+AA",
                                   "A/AA", "AAAA.", "AB", "AP", "AAB", "AAD",
                                   "\xc3\xa9"
                                   "AA"})
        BOOST_TEST_CONTEXT('[' << text << ']') { BOOST_TEST(!decode_base64url(text).has_value()); }
    BOOST_TEST(!decode_base64url(std::string("AA\0A", 4)).has_value());
    BOOST_TEST(decode_base64url("AA").value() == std::string(1, '\0'));
}

BOOST_AUTO_TEST_SUITE_END()
