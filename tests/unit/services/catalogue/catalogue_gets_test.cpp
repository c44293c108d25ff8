// `gets`: the records of many assets in one message.
#include "tests/unit/services/catalogue/metadata_fixture.hpp"

using namespace marquee;
using namespace marquee::test;

BOOST_FIXTURE_TEST_SUITE(catalogue_gets, metadata_fixture)

BOOST_AUTO_TEST_CASE(gets_answers_each_line_in_order)
{
    const auto reply = ask(endpoints, "gets", "metadata.gets", "456\nnone\n=41\n\n123\n123\n");
    BOOST_REQUIRE(code_of(reply) == "ok");
    const std::string it = R"(1 {"id":"123","title":"It","genre":"horror","summary":"A very scary movie"})";
    BOOST_TEST(reply->data ==
               R"(2 {"id":"456","title":"Terminator","genre":"action","summary":"Summary for terminator"})"
               "\n-\n400\n400\n" +
                   it + "\n" + it + "\n");
}

BOOST_AUTO_TEST_CASE(gets_refuses_an_empty_request_and_one_over_a_limit)
{
    std::string thousand;
    for (int i = 0; i < 1000; ++i)
        thousand += "1\n";
    BOOST_TEST(code_of(ask(endpoints, "gets", "metadata.gets", "")) == "bad_request");
    BOOST_TEST(code_of(ask(endpoints, "gets", "metadata.gets", "\n")) == "bad_request");
    BOOST_TEST(code_of(ask(endpoints, "gets", "metadata.gets", thousand)) == "ok");
    BOOST_TEST(code_of(ask(endpoints, "gets", "metadata.gets", thousand + "1")) == "bad_request");
    BOOST_TEST(code_of(ask(endpoints, "gets", "metadata.gets", std::string(65537, '1'))) == "bad_request");
}

BOOST_AUTO_TEST_CASE(gets_leaves_out_what_makes_the_reply_too_large)
{
    const std::string large = R"({"title":"T","genre":"G","summary":")" + std::string(16000, 's') + "\"}";
    BOOST_REQUIRE(code_of(ask(endpoints, "put", "metadata.put.large", large)) == "ok");
    std::string wanted;
    for (int i = 0; i < 40; ++i)
        wanted += "large\n";
    const auto reply = ask(endpoints, "gets", "metadata.gets", wanted + "none");
    BOOST_REQUIRE(code_of(reply) == "ok");
    BOOST_TEST(reply->data.size() <= 512 * 1024);
    BOOST_TEST(reply->data.size() > 512 * 1024 - 17000);
    BOOST_TEST(reply->data.ends_with("\n!\n!\n-\n"));
}

BOOST_AUTO_TEST_SUITE_END()
