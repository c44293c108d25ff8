// What a public conformance test of HTTP/1.1 servers (h1spec, 33 checks) asks, one row each, of
// this edge's own paths.
#include "tests/end_to_end/kit.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;

namespace
{

marquee_system::settings as_shipped() { return {}; }
using shared = shared_system<as_shipped>;

struct whole
{
    const char* name;
    std::string bytes;
    int status; ///< of the first answer
};

const std::string get = "GET /healthz HTTP/1.1\r\n";
const std::string host = "Host: localhost\r\n";

const whole table[] = {
    {"no version", "GET /healthz \r\n\r\n", 400},
    {"Expect: 100-continue", get + host + "Expect: 100-continue\r\n\r\n", 200},
    {"a GET", get + host + "\r\n", 200},
    {"a GET with a tab, odd case and an empty field", get + "hoSt:\tlocalhost\r\nempty:\r\n\r\n", 200},
    {"brackets in a field name", get + host + "X-Invalid[]: x\r\n\r\n", 400},
    {"no Host", get + "Content-Length: 5\r\n\r\n", 400},
    {"two Hosts", get + host + "Host: other\r\n\r\n", 400},
    {"a length far below zero", get + host + "Content-Length: -123456789123456789123456789\r\n\r\n", 400},
    {"a length below zero", get + host + "Content-Length: -1234\r\n\r\n", 400},
    {"a length of letters", get + host + "Content-Length: abc\r\n\r\n", 400},
    {"a field without a value", get + host + "X-Empty: \r\n\r\n", 200},
    {"a control character in a value", get + host + "X-Bell: a\x07\r\n\r\n", 400},
    {"a version that there is not", "GET /healthz HTTP/9.9\r\n" + host + "\r\n", 505},
    {"something before the method", "Extra line" + get + host + "\r\n", 400},
    {"a lone CR", get + host + "\rSome: x\r\n\r\n", 400},
    {"a POST with a body", "POST /events/asset/1/user/1 HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", 200},
    {"a POST in chunks",
     "POST /events/asset/1/user/1 HTTP/1.1\r\n" + host +
         "Transfer-Encoding: chunked\r\n\r\nc\r\nHello world!\r\n0\r\n\r\n",
     200},
    {"both framings in odd case",
     get + host + "content-LengtH: 5\r\nTransFer-Encoding: chunked\r\n\r\nc\r\nHello world!\r\n0\r\n\r\n", 400},
    {"both framings", get + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
};

/// Where the request above is cut: in the method, the target, the version, around line ends, in a
/// field, before the last byte.
const std::string in_pieces = get + host + "\r\n";
const std::pair<const char*, std::size_t> cuts[] = {
    {"method", 1},
    {"before the target", 4},
    {"in the target", 9},
    {"after the target", 13},
    {"version", 17},
    {"request line", get.size() - 2},
    {"the CR of the request line", get.size() - 1},
    {"the request line's end", get.size()},
    {"field name", get.size() + 3},
    {"colon", get.size() + 5},
    {"before the value", get.size() + 6},
    {"value", get.size() + host.size() - 2},
    {"the CR of the field", get.size() + host.size() - 1},
    {"the field's end", get.size() + host.size()},
    {"the last CR", get.size() + host.size() + 1},
};

} // namespace

BOOST_AUTO_TEST_SUITE(conformance, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_request_in_two_pieces_is_read_wherever_it_is_split)
{
    for (const auto& [name, size] : cuts)
        BOOST_TEST_CONTEXT(name)
        {
            raw_connection link(shared::system->port());
            link.send(in_pieces.substr(0, size));
            BOOST_TEST(shared::system->call({"GET", "/healthz"}).status == 200); // time enough for a hasty answer
            (void)link.wait_for("HTTP", std::chrono::milliseconds(0));
            BOOST_TEST(link.received() == "");
            link.send(in_pieces.substr(size));
            BOOST_TEST(link.wait_for("200 OK"));
            BOOST_TEST(link.received().starts_with("HTTP/1.1 200 OK\r\n"));
        }
}

BOOST_AUTO_TEST_CASE(a_complete_request_gets_its_status)
{
    for (const auto& row : table)
        BOOST_TEST_CONTEXT(row.name)
        {
            raw_connection link(shared::system->port());
            link.send(row.bytes);
            BOOST_TEST(link.wait_for("\r\n\r\n"));
            BOOST_TEST(link.received().starts_with("HTTP/1.1 " + std::to_string(row.status)), link.received());
        }
    BOOST_TEST(std::size(table) + std::size(cuts) >= 33U);
}

BOOST_AUTO_TEST_SUITE_END()
