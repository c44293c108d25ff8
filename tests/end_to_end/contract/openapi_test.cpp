// GET /openapi.json of a real edge. That its answers are what the document says is checked by
// live_schema.
#include "tests/end_to_end/faults/recovery.hpp"
#include "tests/support/schema_check.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee::test;

BOOST_AUTO_TEST_SUITE(openapi_document)

BOOST_AUTO_TEST_CASE(it_is_served_whole_with_or_without_a_broker)
{
    marquee_system system;
    const auto text = document_text("openapi");
    const auto answer = system.call({"GET", "/openapi.json"});
    check_json(answer, 200, text);
    const auto head = system.call({"HEAD", "/openapi.json"});
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.body.empty());
    BOOST_TEST(head.header("Content-Length") == std::to_string(text.size()));
    check_problem(system.call({"POST", "/openapi.json"}), 405, "method_not_allowed");
    system.broker().kill();
    check_json(system.call({"GET", "/openapi.json"}), 200, text);
    system.broker().restart();
    check_that_plays_are_counted(system);
}

BOOST_AUTO_TEST_SUITE_END()
