// Malformed requests over real sockets: each has one answer, none is a play, and the next request
// works.
#include "tests/end_to_end/counted.hpp"
#include "tests/end_to_end/http/malformed_rows.hpp"
#include "tests/end_to_end/kit.hpp"
#include "tests/support/raw_http.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <stdexcept>

using namespace marquee::test;

namespace
{

marquee_system::settings as_shipped() { return {}; }
using shared = shared_system<as_shipped>;

/// What a smuggler hopes to get answered, too.
const std::string hidden = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::int64_t events_stored()
{
    const auto info = boost::json::parse(shared::client->request("$JS.API.STREAM.INFO.EVENTS").data);
    return info.at("state").at("last_seq").as_int64();
}

/// Those of all answers; the first has no content where it is for a HEAD.
std::vector<int> statuses(const std::string& received, bool head)
{
    std::vector<int> all;
    for (const auto& answer : answers_in(received, head ? std::vector<std::size_t>{0} : std::vector<std::size_t>{}))
    {
        all.push_back(answer.status);
        if (answer.status < 400)
            continue;
        BOOST_TEST(answer.header("Content-Type") == "application/problem+json");
        BOOST_TEST(((head && all.size() == 1) || !answer.text("field").empty() || answer.status != 400));
    }
    return all;
}

void check(const malformed_row& row)
{
    raw_connection link(shared::system->port());
    link.send(row.bytes + (row.open ? "" : hidden));
    if (row.open)
        link.shut_down();
    BOOST_TEST_REQUIRE(link.wait_for_end());
    const auto got = statuses(link.received(), row.bytes.starts_with("HEAD "));
    BOOST_TEST(got == row.answers, boost::test_tools::per_element());
    BOOST_TEST(shared::system->call({"GET", "/healthz"}).status == 200);
}

} // namespace

BOOST_AUTO_TEST_SUITE(malformed, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_malformed_request_is_refused_once_and_nothing_of_it_is_stored)
{
    const auto rows = malformed_rows();
    BOOST_TEST(rows.size() >= 300U);
    const auto before = events_stored();
    for (const auto& row : rows)
        BOOST_TEST_CONTEXT(row.name) { check(row); }
    BOOST_TEST(events_stored() == before);
    BOOST_TEST_MESSAGE(rows.size() << " malformed requests");
    BOOST_TEST(counted(*shared::system, {"POST", malformed_play}, "one").number("userviews") == 1);
    BOOST_TEST(events_stored() == before + 1);
}

BOOST_AUTO_TEST_CASE(unusual_valid_requests_are_answered_and_so_is_the_request_after_them)
{
    const auto before = events_stored();
    for (const auto& row : well_formed_rows())
        BOOST_TEST_CONTEXT(row.name) { check(row); }
    BOOST_TEST(events_stored() == before);
}

BOOST_AUTO_TEST_CASE(bytes_beyond_ascii_are_in_no_answer)
{
    for (const auto& row : well_formed_rows())
        BOOST_TEST_CONTEXT(row.name)
        {
            raw_connection link(shared::system->port());
            link.send(row.bytes + hidden);
            BOOST_TEST_REQUIRE(link.wait_for_end());
            for (const char c : link.received())
                BOOST_TEST_REQUIRE(static_cast<unsigned char>(c) < 0x80);
        }
    BOOST_TEST(shared::system->call({"GET", "/healthz"}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
