#include "edge/http/media_types.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(media_types)

BOOST_AUTO_TEST_CASE(csv_is_sent_where_it_is_preferred_to_json)
{
    const std::pair<const char*, bool> rows[] = {
        {"text/csv", true},
        {"TEXT/CSV", true},
        {"text/csv; header=present", true},
        {"text/csv;charset=utf-8;q=0.1", true},
        {"text/csv, */*", true},
        {"text/*", true},
        {"text/*, */*;q=0.9", true},
        {"application/json;q=0.4, text/csv;q=0.5", true},
        {"text/csv;q=1.000, application/json;q=0.999", true},
        {" text/csv ;\tq=0.5 , image/png", true},
        {"", false},
        {"*/*", false},
        {"application/json", false},
        {"text/csv, application/json", false},
        {"text/csv;q=0.5, application/json", false},
        {"text/csv;q=0.5, */*", false},
        {"text/csv;q=0", false},
        {"text/csv;q=0, text/*", false},
        {"text/csv;q=2", false},
        {"text/csv;q=0.1234", false},
        {"text/csv;q=x", false},
        {"text/csv;q=", false},
        {"text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", false},
        {"image/png", false},
        {"text/csvx", false},
        {"text", false},
        {";q=1", false},
    };
    for (const auto& [accept, csv] : rows)
        BOOST_TEST(prefers(accept, "text/csv", "application/json") == csv, accept);
    BOOST_TEST(!prefers(std::nullopt, "text/csv", "application/json"));
}

BOOST_AUTO_TEST_SUITE_END()
