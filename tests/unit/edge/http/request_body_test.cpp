#include "edge/http/request_body.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;

namespace
{

request_head in_chunks()
{
    request_head head;
    head.chunked = true;
    return head;
}

request_head of_length(std::uint64_t length)
{
    request_head head;
    head.content_length = length;
    return head;
}

body_limits small()
{
    body_limits limits;
    limits.body_bytes = 100;
    limits.extension_bytes = 40;
    limits.trailer_bytes = 60;
    return limits;
}

struct outcome
{
    std::size_t taken = 0; ///< before it was complete or refused
    bool complete = false;
    errc refused{};
    std::string field;
    std::string text;
};

/// Gives it to the body in pieces of this size.
outcome take(const request_head& head, std::string_view bytes, std::size_t piece)
{
    outcome all;
    request_body body(head, small());
    while (!bytes.empty() && !body.is_complete())
    {
        const auto next = bytes.substr(0, piece);
        auto taken = body.take(next);
        if (taken.has_error())
        {
            all.refused = taken.error().code;
            all.field = taken.error().field;
            return all;
        }
        BOOST_TEST((*taken == next.size() || body.is_complete()));
        all.taken += *taken;
        bytes.remove_prefix(*taken);
    }
    all.complete = body.is_complete();
    all.text = body.text();
    return all;
}

constexpr std::size_t pieces[] = {1, 2, 3, 7, 1000};

} // namespace

BOOST_AUTO_TEST_SUITE(request_body_)

BOOST_AUTO_TEST_CASE(a_body_decodes_to_the_same_content_however_it_is_split)
{
    const std::pair<std::string, const char*> table[] = {
        {"0\r\n\r\n", ""},
        {"00\r\n\r\n", ""},
        {"3\r\nabc\r\n0\r\n\r\n", "abc"},
        {"3\r\na\r\n\r\n0\r\n\r\n", "a\r\n"},
        {"0000000000000000000003\r\nabc\r\n0\r\n\r\n", "abc"},
        {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
        {"1;x\r\na\r\n0;y\r\n\r\n", "a"},
        {"1;x=y;z\r\na\r\n0\r\n\r\n", "a"},
        {"1 ; x = y ; z\r\na\r\n0\r\n\r\n", "a"},
        {"1;x=\"y\"\r\na\r\n0\r\n\r\n", "a"},
        {"1;x=\"\"\r\na\r\n0\r\n\r\n", "a"},
        {"1;x=\"\\\"\\\\;,\t\xc3\xa9\";z\r\na\r\n0\r\n\r\n", "a"},
        {"0\r\nServer-Timing: x\r\nY:\r\n\r\n", ""},
        {"0\r\nX: caf\xc3\xa9\r\n\r\n", ""},
    };
    for (const auto& [bytes, text] : table)
        for (const auto piece : pieces)
            BOOST_TEST_CONTEXT(bytes << " in pieces of " << piece)
            {
                const auto whole = take(in_chunks(), bytes + "GET /next", piece);
                BOOST_TEST(whole.complete);
                BOOST_TEST(whole.text == text);
                BOOST_TEST(whole.taken == bytes.size());
            }
    for (const auto piece : pieces)
    {
        const auto whole = take(of_length(4),
                                "a\r\n\xff"
                                "GET /next",
                                piece);
        BOOST_TEST(whole.complete);
        BOOST_TEST(whole.text == "a\r\n\xff");
        BOOST_TEST(whole.taken == 4U);
    }
    BOOST_TEST(request_body(of_length(0), small()).is_complete());
    BOOST_TEST(request_body(request_head(), small()).is_complete());
}

// A server that waited for more input before it refused would let the client wait for the timeout.
BOOST_AUTO_TEST_CASE(chunks_are_refused_at_the_first_byte_that_cannot_be_right)
{
    const std::string table[] = {"\r",
                                 "\n",
                                 ";",
                                 " ",
                                 "x",
                                 "g",
                                 "-",
                                 "+",
                                 "\"",
                                 "0x",
                                 "1 1",
                                 "1 \r",
                                 "1\n",
                                 "1\r1",
                                 "1\r\r",
                                 "1\x0b",
                                 "1\x7f",
                                 "1\x80",
                                 "1,",
                                 "10000000000000000",
                                 "fffffffffffffffff",
                                 "1\r\naa",
                                 "1\r\na\n",
                                 "1\r\na0",
                                 "1\r\na\r0",
                                 "1\r\na\r\r",
                                 "1\r\na\r\n\r",
                                 "1\r\na\r\n\n",
                                 "1;\r",
                                 "1;;",
                                 "1; ;",
                                 "1;=",
                                 "1;x=\r",
                                 "1;x=;",
                                 "1;x y",
                                 "1;x=y z",
                                 "1;x=y \r",
                                 "1;x\n",
                                 "1;x=\n",
                                 "1;x=\x80",
                                 "1;x=\"\r",
                                 "1;x=\"\n",
                                 "1;x=\"\x01",
                                 "1;x=\"\x7f",
                                 "1;x=\"\\\r",
                                 "1;x=\"y\"z",
                                 "1;x=\"y\"\"",
                                 "1;x=@",
                                 "1;@",
                                 "1;x[",
                                 "0\n",
                                 "0\r\r",
                                 "0\r\n\n",
                                 "0\r\n:",
                                 "0\r\n ",
                                 "0\r\n\t",
                                 "0\r\nX\r",
                                 "0\r\nX\n",
                                 "0\r\nX ",
                                 "0\r\nX\x80",
                                 "0\r\n(",
                                 "0\r\nX: y\n",
                                 "0\r\nX: y\r\r",
                                 "0\r\nX: y\rz",
                                 "0\r\nX: \x01",
                                 "0\r\nX: y\x7f",
                                 "0\r\nX: y\r\n ",
                                 "0\r\nX: y\r\n\n",
                                 "0\r\n\r\r",
                                 "0\r\n\rX",
                                 "0;\r",
                                 "0;x=\"\r",
                                 std::string("0\r\nX: \0", 7),
                                 std::string("1\0", 2),
                                 std::string("1;x=\"\0", 6),
                                 "1;x=" + std::string(40, 'y'),
                                 std::string(60, '0'),
                                 "0\r\nX: " + std::string(60, 'y')};
    for (const auto& bytes : table)
        for (const auto piece : pieces)
            BOOST_TEST_CONTEXT(bytes << " in pieces of " << piece)
            {
                BOOST_TEST((take(in_chunks(), bytes, piece).refused == errc::bad_request));
                BOOST_TEST(take(in_chunks(), bytes, piece).field == "body");
                // Up to there nothing was wrong, but for what is counted.
                if (bytes.size() < 40)
                    BOOST_TEST((take(in_chunks(), bytes.substr(0, bytes.size() - 1), piece).refused == errc{}));
            }
}

BOOST_AUTO_TEST_CASE(fields_that_frame_or_authorise_are_refused_as_trailers_by_name)
{
    for (const std::string name :
         {"Host", "content-length", "Transfer-Encoding", "Authorization", "If-Match", "X-Request-ID"})
    {
        const auto refused = take(in_chunks(), "0\r\nX: y\r\n" + name + ":", 1000);
        BOOST_TEST((refused.refused == errc::bad_request));
        BOOST_TEST(refused.field == name);
    }
}

BOOST_AUTO_TEST_CASE(a_body_over_its_limit_is_refused_before_it_is_received)
{
    const std::string hundred(100, 'x');
    BOOST_TEST(take(of_length(100), hundred, 7).complete);
    BOOST_TEST((take(of_length(101), "x", 1).refused == errc::payload_too_large));
    BOOST_TEST((take(of_length(std::numeric_limits<std::uint64_t>::max()), "x", 1).refused == errc::payload_too_large));
    BOOST_TEST((request_body(of_length(101), small()).take("").error() == errc::payload_too_large));
    BOOST_TEST(take(in_chunks(), "64\r\n" + hundred + "\r\n0\r\n\r\n", 7).complete);
    BOOST_TEST((take(in_chunks(), "65\r\n", 1).refused == errc::payload_too_large));
    BOOST_TEST((take(in_chunks(), "ffffffffffffffff\r\n", 1).refused == errc::payload_too_large));
    BOOST_TEST((take(in_chunks(), "63\r\n" + hundred.substr(1) + "\r\n2\r\n", 7).refused == errc::payload_too_large));
}

BOOST_AUTO_TEST_SUITE_END()
