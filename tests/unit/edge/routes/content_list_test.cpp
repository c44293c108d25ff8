// GET /content/assets: search, and assets by their ids.
#include "tests/unit/edge/kit.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

std::string record(const std::string& id)
{
    return R"({"id":")" + id + R"(","title":"T","genre":"g","summary":"s","year":1979})";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(content_list, gateway_kit)

BOOST_AUTO_TEST_CASE(a_search_passes_its_parameters_and_the_reply_on)
{
    const auto page = R"({"assets":[)" + record("1") + R"(],"total":7,"next":"t/1"})";
    const std::pair<const char*, const char*> table[] = {
        {"q=ete", R"({"q":"ete"})"},
        {"q=%C3%89t%C3%A9+a&sort=title&limit=5&_=1", R"({"q":"Été a","sort":"title","limit":5})"},
        {"genre=&tag=C%2B%2B", R"({"genre":"","tag":"C++"})"},
        {"sort=title&after=ete%2F1", R"({"sort":"title","after":"ete/1"})"},
        {"sort=id&after=ete%2F1", R"({"sort":"id","after":"ete/1"})"},
        {"q=", R"({"q":""})"},
    };
    for (const auto& [query, payload] : table)
        BOOST_TEST_CONTEXT(query)
        {
            gateway_kit kit;
            kit.nats.script_json("metadata.search", page);
            const auto answer = kit.send("GET", std::string("/content/assets?") + query);
            BOOST_TEST(answer.status == 200);
            BOOST_TEST(answer.body == page);
            BOOST_TEST(answer.fields.get("Cache-Control").value_or("") == "no-cache");
            BOOST_TEST(kit.nats.seen.at(0).payload == payload);
        }
}

BOOST_AUTO_TEST_CASE(a_plain_list_stays_a_request_that_old_services_answer)
{
    nats.script_json("metadata.list", R"({"assets":[]})");
    BOOST_TEST(send("GET", "/content/assets?after=1&limit=2&_=3").status == 200);
    BOOST_TEST(nats.seen.at(0).subject == "metadata.list");
}

BOOST_AUTO_TEST_CASE(a_search_that_no_instance_knows_is_503)
{
    nats.script("metadata.search", fail(errc::no_responders));
    nats.script("metadata.search", fail(errc::no_responders));
    check_problem(send("GET", "/content/assets?q=a"), 503, "no_responders");
}

BOOST_AUTO_TEST_CASE(bad_parameters_are_400_and_named)
{
    const std::string long_q = "q=" + std::string(513, 'x');
    std::string many = "id=0";
    for (int i = 1; i <= 100; ++i)
        many += "&id=" + std::to_string(i);
    const std::pair<std::string, const char*> table[] = {
        {"q=%FF", "q"},
        {"q=%ED%A0%80", "q"},
        {long_q, "q"},
        {"sort=views", "sort"},
        {"sort=", "sort"},
        {"sort=title&after=1", "after"},
        {"sort=title&after=%FF", "after"},
        {"q=a&after=", "after"},
        {"q=a&limit=0", "limit"},
        {"tag=a&tag=b", "tag"},
        {"genre=" + std::string(1025, 'x'), "genre"},
        {"id=", "id"},
        {"id=1&id=%00", "id"},
        {"id=1&q=a", "q"},
        {"id=1&limit=1", "limit"},
        {"after=1&id=1", "after"},
        {many, "id"},
    };
    for (const auto& [query, field] : table)
        BOOST_TEST_CONTEXT(query)
        {
            const auto answer = send("GET", "/content/assets?" + query);
            check_problem(answer, 400, "bad_request");
            BOOST_TEST(member(answer, "field") == field);
        }
    BOOST_TEST(nats.seen.empty());
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_service_keeps_its_field)
{
    nats.script("metadata.search", fail(errc::bad_request, "too many words", "q"));
    const auto answer = send("GET", "/content/assets?q=a");
    check_problem(answer, 400, "bad_request");
    BOOST_TEST(member(answer, "field") == "q");
}

BOOST_AUTO_TEST_CASE(assets_by_their_ids_come_in_that_order_and_the_missing_are_named)
{
    nats.script_json("metadata.gets", "7 " + record("2") + "\n-\n9 " + record("1") + '\n');
    const auto answer = send("GET", "/content/assets?id=2&id=a%2Fb&id=1&id=2&_=5");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"assets":[)" + record("2") + ',' + record("1") + R"(],"missing":["a/b"]})");
    BOOST_TEST(answer.fields.get("Cache-Control").value_or("") == "no-cache");
    BOOST_TEST(nats.seen.at(0).payload == "2\na=2Fb\n1\n");
}

BOOST_AUTO_TEST_CASE(what_has_no_room_in_a_reply_is_asked_for_again)
{
    nats.script_json("metadata.gets", "!\n7 " + record("2") + "\n!\n");
    nats.script_json("metadata.gets", "8 " + record("1") + "\n-\n");
    const auto answer = send("GET", "/content/assets?id=1&id=2&id=3");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"assets":[)" + record("1") + ',' + record("2") + R"(],"missing":["3"]})");
    BOOST_TEST(nats.seen.at(1).payload == "1\n3\n");
}

BOOST_AUTO_TEST_CASE(replies_without_sense_are_502)
{
    for (const auto& reply : {std::string(), std::string("-\n-\n"), std::string("!\n"), std::string("400\n"),
                              "7 " + record("2") + '\n', std::string("7 {}\n")})
        BOOST_TEST_CONTEXT(reply)
        {
            gateway_kit kit;
            kit.nats.script_json("metadata.gets", reply);
            check_problem(kit.send("GET", "/content/assets?id=1"), 502, "malformed_reply");
        }
    for (const auto* reply : {"", "[]", R"({"assets":[]})", R"({"assets":[{"id":"1"}],"total":1})"})
        BOOST_TEST_CONTEXT(reply)
        {
            gateway_kit kit;
            kit.nats.script_json("metadata.search", reply);
            check_problem(kit.send("GET", "/content/assets?q=a"), 502, "malformed_reply");
        }
}

BOOST_AUTO_TEST_CASE(a_put_with_a_control_character_is_refused_before_it_is_sent)
{
    const auto answer = as_admin("POST", "/content/asset/1", {}, R"({"title":"\u001b","genre":"g","summary":"s"})");
    check_problem(answer, 400, "bad_request");
    BOOST_TEST(member(answer, "field") == "title");
    BOOST_TEST(nats.seen.empty());
    nats.script_json("metadata.put.1", R"({"status":"ok","revision":8})");
    BOOST_TEST(
        as_admin("POST", "/content/asset/1", {}, R"({"year":1.50,"title":"T","genre":"g","summary":"s"})").status ==
        200);
    BOOST_TEST(nats.seen.at(0).payload == R"({"title":"T","genre":"g","summary":"s","year":1.50})");
}

BOOST_AUTO_TEST_SUITE_END()
