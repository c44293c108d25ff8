#include "schemas/ids.hpp"
#include "tests/unit/schemas/id_tables.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <random>

using namespace marquee;
using namespace marquee::test;

namespace
{

constexpr auto alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-="sv;

bool in_alphabet(std::string_view token) { return token.find_first_not_of(alphabet) == std::string_view::npos; }

struct bad_token
{
    const char* why;
    std::string token;
};

const bad_token bad_tokens[] = {
    {"empty", ""},
    {"a letter written as an escape", "=41"},
    {"a digit written as an escape", "a=30"},
    {"an underscore written as an escape", "=5F"},
    {"a hyphen written as an escape", "=2D"},
    {"lower-case hex in the first digit", "=e4=B8=83"},
    {"lower-case hex in the second digit", "=2e"},
    {"an escape cut after the sign", "a="},
    {"an escape cut after one digit", "a=2"},
    {"an escape with a letter that is no hex digit", "=2G"},
    {"an escape of signs", "==="},
    {"an escape with a NUL", "=2\0"s},
    {"a raw space", "a b"},
    {"a raw dot", "a.b"},
    {"a raw dot-dot", ".."},
    {"a raw star", "*"},
    {"a raw >", ">"},
    {"a raw slash", "a/b"},
    {"a raw percent escape", "%00"},
    {"a raw CR LF", "a\r\nb"},
    {"a raw NUL", "a\0b"s},
    {"raw UTF-8", "é"},
    {"an escaped NUL", "=00"},
    {"an escaped CR LF", "a=0D=0A"},
    {"an escaped DEL", "=7F"},
    {"an escaped C1 control", "=C2=85"},
    {"an escaped overlong slash", "=C0=AF"},
    {"an escaped surrogate", "=ED=A0=80"},
    {"half an escaped character", "=E4=B8"},
    {"129 bytes", std::string(129, 'a')},
};

std::string random_bytes(std::mt19937& random, std::size_t size)
{
    // Half of the bytes come from few interesting ones, so that escapes, dots and UTF-8 meet often.
    constexpr auto likely = "=.*> \r\n\0aZ09_-/%\xC3\xA9\xE4\xB8\x83\xED\xF0"sv;
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
        bytes += random() % 2 == 0 ? likely[random() % likely.size()] : static_cast<char>(random() % 256);
    return bytes;
}

} // namespace

BOOST_AUTO_TEST_SUITE(tokens)

BOOST_AUTO_TEST_CASE(real_ids_have_the_tokens_of_the_contract)
{
    for (const auto& row : real_ids)
    {
        BOOST_TEST_CONTEXT(printable(row.text))
        {
            BOOST_TEST(encode_token(row.text) == row.token);
            auto back = decode_token(row.token);
            BOOST_REQUIRE(back.has_value());
            BOOST_TEST(*back == row.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_is_not_canonical_or_decodes_to_no_id_is_refused)
{
    for (const auto& row : bad_tokens)
    {
        BOOST_TEST_CONTEXT(row.why)
        {
            auto text = decode_token(row.token);
            BOOST_REQUIRE(text.has_error());
            BOOST_TEST((text.error() == errc::bad_id));
            BOOST_TEST(!text.error().detail.empty());
            BOOST_TEST(user_id::from_token(row.token).has_error());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_token_of_an_invalid_id_is_refused)
{
    for (const auto& row : bad_ids)
        BOOST_TEST_CONTEXT(row.why) { BOOST_TEST(decode_token(encode_token(row.text)).has_error()); }
}

BOOST_AUTO_TEST_CASE(every_byte_is_kept_or_escaped)
{
    for (unsigned c = 0; c < 256; ++c)
    {
        const auto byte = static_cast<char>(c);
        const auto token = encode_token(std::string(1, byte));
        if (byte != '=' && alphabet.find(byte) != std::string_view::npos)
            BOOST_TEST(token == std::string(1, byte));
        else
        {
            char expected[8];
            std::snprintf(expected, sizeof expected, "=%02X", c);
            BOOST_TEST(token == expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(any_bytes_become_a_safe_token_and_only_valid_ids_are_decoded)
{
    std::mt19937 random(20260131);
    std::size_t valid = 0;
    for (int round = 0; round < 20'000; ++round)
    {
        const auto bytes = random_bytes(random, 1 + random() % (round % 10 == 0 ? 140 : 6));
        const auto token = encode_token(bytes);
        const auto back = decode_token(token);
        const bool right = is_valid_id(bytes) ? back.has_value() && *back == bytes : back.has_error();
        if (!in_alphabet(token) || !right)
            BOOST_ERROR("wrong for " + printable(bytes));
        valid += is_valid_id(bytes) ? 1 : 0;
    }
    BOOST_TEST(valid > 1000U); // enough of the random inputs were valid
}

BOOST_AUTO_TEST_CASE(a_token_that_is_accepted_is_the_only_token_of_its_id)
{
    std::mt19937 random(7);
    std::size_t accepted = 0;
    for (int round = 0; round < 50'000; ++round)
    {
        constexpr auto letters = "==23450EAaf_"sv;
        std::string token;
        for (std::size_t i = 1 + random() % 8; i > 0; --i)
            token += letters[random() % letters.size()];
        const auto text = decode_token(token);
        if (text.has_error())
            continue;
        ++accepted;
        if (encode_token(*text) != token)
            BOOST_ERROR("not canonical but accepted: " + token);
    }
    BOOST_TEST(accepted > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
