#include "edge/http/status.hpp"
#include "edge/server/response_text.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace marquee;

BOOST_AUTO_TEST_SUITE(response_text_)

BOOST_AUTO_TEST_CASE(each_status_that_the_edge_sends_has_a_reason_phrase)
{
    for (const int status : {200, 204, 304, 500})
        BOOST_TEST(reason_phrase(status) != "Unknown", status);
    for (int number = 1; number <= static_cast<int>(last_errc); ++number)
    {
        const auto status = status_of(static_cast<errc>(number));
        BOOST_TEST(reason_phrase(status) != "Unknown", status);
    }
    BOOST_TEST(reason_phrase(413) == "Payload Too Large");
    BOOST_TEST(reason_phrase(599) == "Unknown");
}

BOOST_AUTO_TEST_CASE(the_answer_to_a_preflight_has_one_vary_list)
{
    cors_policy cors;
    BOOST_TEST(cors.add("https://shop.example").has_value());
    http_fields request;
    request.add("Origin", "https://shop.example");
    http_response answer;
    answer.status = 204;
    cors.grant_preflight(request, "GET, HEAD, OPTIONS", answer.fields);
    answer_context context;
    context.origin = origin_of(request);
    const auto text = response_text(answer, context, cors);
    BOOST_TEST(text.find("\r\nVary: Access-Control-Request-Method, Access-Control-Request-Headers, Origin\r\n") !=
               std::string::npos);
    BOOST_TEST(text.find("Vary:") == text.rfind("Vary:"));
}

BOOST_AUTO_TEST_SUITE_END()
