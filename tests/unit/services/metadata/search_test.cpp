// metadata.search, as a client sees it.
#include "services/catalogue/memory_store.hpp"
#include "services/metadata/metadata.hpp"
#include "services/metadata/search.hpp"
#include "tests/unit/services/kit.hpp"

#include <boost/json/serialize.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

struct search_fixture
{
    memory_store store{metadata_seeds(), make_metadata_index()};
    std::vector<endpoint_config> endpoints = metadata_endpoints(store);

    search_fixture()
    {
        put("1", R"({"title":"L'Été meurtrier","genre":"Thriller","summary":"s","tags":["FR","Années 80"]})");
        put("2", R"({"title":"Alien","genre":"horror","summary":"In space","tags":["space"],"year":1979})");
        put("3", R"({"title":"Aliens","genre":"action","summary":"s","tags":["space","C++"]})");
        put("4", R"({"title":"Alien","genre":"none","summary":"another","tags":"space"})");
    }

    void put(const std::string& id, const std::string& record)
    {
        BOOST_REQUIRE(code_of(ask(endpoints, "put", "metadata.put." + id, record)) == "ok");
    }
    service_result search(std::string request)
    {
        return ask(endpoints, "search", "metadata.search", std::move(request));
    }

    /// The ids in their order.
    std::string found(const std::string& request)
    {
        const auto answer = search(request);
        BOOST_REQUIRE_MESSAGE(code_of(answer) == "ok", request);
        BOOST_REQUIRE(decode<search_page>(answer->data).has_value());
        std::string ids;
        const auto page = json(answer->data);
        for (const auto& each : page.at("assets").as_array())
            ids += (ids.empty() ? "" : " ") + std::string(each.at("id").as_string());
        return ids;
    }
};

struct search_row
{
    const char* request;
    const char* ids;
};

const search_row rows[] = {
    {"", "1 123 2 3 4 456"},
    {"{}", "1 123 2 3 4 456"},
    {R"({"q":""})", "1 123 2 3 4 456"},
    {R"({"q":" !? "})", "1 123 2 3 4 456"}, // no word, and so no condition
    {R"({"genre":"","tag":""})", "1 123 2 3 4 456"},
    {R"({"sort":"title"})", "2 4 3 123 1 456"},
    {R"({"sort":"id"})", "1 123 2 3 4 456"},
    {R"({"q":"ete"})", "1"},
    {R"({"q":"ÉTÉ"})", "1"},
    {R"({"q":"lété"})", "1"},
    {R"({"q":"l'été"})", "1"},
    {R"({"q":"meurtrier ete"})", "1"},
    {R"({"q":"ete meur"})", "1"},
    {R"({"q":"meur ete"})", ""}, // only the last word is a prefix
    {R"({"q":"alien"})", "2 3 4"},
    {R"({"q":"alien "})", "2 3 4"},
    {R"({"q":"alien alien"})", "2 4"},
    {R"({"q":"space"})", ""}, // neither summaries nor tags
    {R"({"tag":"space"})", "2 3"},
    {R"({"tag":"SPACE"})", "2 3"},
    {R"({"tag":"annees 80"})", "1"},
    {R"({"tag":"annees"})", ""},
    {R"({"tag":"c++"})", "3"},
    {R"({"tag":"c"})", ""},
    {R"({"genre":"thriller"})", "1"},
    {R"({"genre":"Horror"})", "123 2"},
    {R"({"q":"a","genre":"horror","tag":"space"})", "2"},
    {R"({"q":null,"genre":null,"tag":null,"sort":null,"after":null,"limit":null})", "1 123 2 3 4 456"},
    {R"({"after":"2"})", "3 4 456"},
    {R"({"sort":"title","after":"alien/2"})", "4 3 123 1 456"},
    {R"({"sort":"title","after":"alien/nobody"})", "3 123 1 456"},
    {R"({"sort":"title","after":"/x","limit":2})", "2 4"},
    {R"({"q":"\u202e\u0301\u200d alien"})", "2 3 4"},
};

struct bad_row
{
    std::string request;
    const char* field;
};

std::string words(std::size_t count)
{
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += "w" + std::to_string(i) + ' ';
    return R"({"q":")" + all + "\"}";
}

const bad_row bad_rows[] = {
    {"x", ""},
    {"[]", ""},
    {R"({"q":1})", "q"},
    {R"({"q":")" + std::string(513, 'x') + "\"}", "q"},
    {words(65), "q"},
    {R"({"q":"\ud800"})", ""},
    {R"({"genre":")" + std::string(1025, 'x') + "\"}", "genre"},
    {R"({"tag":["a"]})", "tag"},
    {R"({"sort":"views"})", "sort"},
    {R"({"limit":0})", "limit"},
    {R"({"after":""})", "after"},
    {R"({"sort":"title","after":"2"})", "after"},
    {R"({"sort":"title","after":"key/"})", "after"},
    {R"({"sort":"title","after":")" + std::string(257, 'k') + "/2\"}", "after"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(searching, search_fixture)

BOOST_AUTO_TEST_CASE(a_search_finds_words_tags_and_genres)
{
    for (const auto& row : rows)
        BOOST_TEST(found(row.request) == row.ids, row.request << " found " << found(row.request));
    BOOST_TEST(found(words(64)).empty());
}

BOOST_AUTO_TEST_CASE(a_reply_has_whole_records_the_total_and_where_it_goes_on)
{
    const auto answer = search(R"({"q":"alien","sort":"title","limit":1})");
    BOOST_REQUIRE(code_of(answer) == "ok");
    BOOST_TEST(
        answer->data ==
        R"({"assets":[{"id":"2","title":"Alien","genre":"horror","summary":"In space","tags":["space"],"year":1979}],)"
        R"("total":3,"next":"alien/2"})");
    const auto rest = search(R"({"q":"alien","sort":"title","limit":2,"after":"alien/2"})");
    BOOST_TEST(json(rest->data).at("total") == 3);
    BOOST_TEST(!json(rest->data).as_object().contains("next"));
}

BOOST_AUTO_TEST_CASE(a_bad_request_is_refused_and_the_member_named)
{
    for (const auto& row : bad_rows)
        BOOST_TEST_CONTEXT(row.request)
        {
            const auto answer = search(row.request);
            BOOST_TEST(code_of(answer) == "bad_request");
            BOOST_TEST(answer.error().what.field == row.field);
        }
}

BOOST_AUTO_TEST_CASE(what_is_put_and_deleted_is_found_and_found_no_more)
{
    put("5", R"({"title":"Alien 3","genre":"","summary":""})");
    BOOST_TEST(found(R"({"q":"alien 3"})") == "5");
    put("5", R"({"title":"Seven","genre":"","summary":""})");
    BOOST_TEST(found(R"({"q":"alien 3"})").empty());
    BOOST_TEST(found(R"({"q":"sev"})") == "5");
    BOOST_REQUIRE(code_of(ask(endpoints, "delete", "metadata.delete.5")) == "ok");
    BOOST_TEST(found(R"({"q":"sev"})").empty());
}

BOOST_AUTO_TEST_CASE(a_page_of_large_records_stays_under_512_kib_and_the_pages_have_them_all)
{
    for (int i = 0; i < 20; ++i)
        put("big" + std::to_string(i),
            R"({"title":"big","genre":"","summary":"","text":")" + std::string(32'000, 'x') + "\"}");
    std::size_t shown = 0;
    std::string after;
    do
    {
        const auto page = search(R"({"q":"big","sort":"title","limit":1000)" + after + "}");
        BOOST_REQUIRE(code_of(page) == "ok");
        BOOST_TEST(page->data.size() <= 512u * 1024u);
        const auto body = json(page->data).as_object();
        shown += body.at("assets").as_array().size();
        after = body.contains("next") ? ",\"after\":" + boost::json::serialize(body.at("next")) : "";
    } while (!after.empty());
    BOOST_TEST(shown == 20u);
}

BOOST_AUTO_TEST_SUITE_END()
