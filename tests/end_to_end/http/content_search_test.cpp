// A catalogue over HTTP: further members, search, and assets by their ids.
#include "tests/end_to_end/faults/recovery.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

namespace
{

using namespace marquee::test;

/// Two instances of metadata: one of them sees a change later than the other.
marquee_system::settings two_of_metadata()
{
    marquee_system::settings with;
    with.start.emplace_back("metadata-2");
    return with;
}
using shared = shared_system<two_of_metadata>;

const std::string alien =
    R"("title":"Alien³ – Été","genre":"Horror","summary":"","rating":8.50,"tags":["space","C++"])";

/// The ids of an answer, in order.
std::string ids_in(const http_answer& answer)
{
    std::string ids;
    const auto page = answer.json();
    for (const auto& each : page.at("assets").as_array())
        ids += (ids.empty() ? "" : " ") + std::string(each.at("id").as_string());
    return ids;
}

/// Asks until both instances have seen every change: an answer may be that of either.
void check_found(const std::string& query, const std::string& ids)
{
    const auto end = marquee::deadline::in(std::chrono::seconds(30));
    std::string found;
    for (int alike = 0; alike < 8 && !end.passed(); alike = found == ids ? alike + 1 : 0)
        found = ids_in(shared::system->call({"GET", "/content/assets?" + query}));
    BOOST_TEST(found == ids, query << " found " << found);
}

} // namespace

BOOST_AUTO_TEST_SUITE(content_search, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_catalogue_is_kept_whole_and_searched)
{
    const auto stored = shared::system->call_as_admin({"POST", "/content/asset/a%20b", {}, '{' + alien + '}'});
    BOOST_REQUIRE(stored.status == 200);
    const auto record = R"({"id":"a b",)" + alien + '}';
    BOOST_TEST(shared::system->call_until(200, {"GET", "/content/asset/a%20b"}).body == record);
    check_found("q=ALIEN3%20ete", "a b");
    check_found("q=alie&sort=title", "a b");
    check_found("tag=c%2B%2B&genre=horror", "a b");
    check_found("genre=HORROR&sort=title", "a b 123");
    check_found("genre=HORROR&sort=title&limit=1&after=alien3%20ete%2Fa%20b", "123");
    check_found("id=456&id=none&id=a%20b", "456 a b");
    const auto missing = shared::system->call({"GET", "/content/assets?id=none&id=123"});
    BOOST_TEST(boost::json::serialize(missing.json().at("missing")) == R"(["none"])");
    BOOST_TEST(missing.header("Cache-Control") == "no-cache");

    BOOST_REQUIRE(shared::system->call_as_admin({"DELETE", "/content/asset/a%20b"}).status == 200);
    check_found("q=alien", "");
    BOOST_TEST(shared::system->call({"GET", "/content/assets?q=alien"}).json().at("total") == 0);
    BOOST_TEST(shared::system->call({"POST", "/play/asset/123/user/still"}).status == 200);
}

BOOST_AUTO_TEST_CASE(a_post_of_what_stands_has_the_same_revision_and_tag)
{
    const http_call put{"POST", "/content/asset/same", {}, '{' + alien + '}'};
    const auto first = shared::system->call_as_admin(put);
    BOOST_REQUIRE(first.status == 200);
    check_found("q=alien3", "same");
    for (int i = 0; i < 8; ++i) // by both instances
    {
        const auto again = shared::system->call_as_admin(put);
        BOOST_REQUIRE(again.status == 200);
        BOOST_TEST(again.body == first.body);
        BOOST_TEST(again.header("ETag") == first.header("ETag"));
    }
    auto conditional = put;
    conditional.headers = {{"If-Match", "\"1-1\""}};
    BOOST_TEST(shared::system->call_as_admin(conditional).status == 412);
}

BOOST_AUTO_TEST_SUITE_END()
