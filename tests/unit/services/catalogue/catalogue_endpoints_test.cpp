#include "services/cdnurl/cdnurl.hpp"
#include "tests/unit/services/catalogue/metadata_fixture.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

using namespace marquee;
using namespace marquee::test;

namespace
{

const char* const record = R"({"title":"T","genre":"G","summary":"S"})";

struct bad_request_rule
{
    const char* what;
    const char* endpoint;
    const char* token;
    std::string body;
    std::optional<std::string> revision;
    const char* code;
    const char* field;
};

std::ostream& operator<<(std::ostream& out, const bad_request_rule& r) { return out << r.endpoint << ": " << r.what; }

const std::vector<bad_request_rule> bad_requests = {
    {"a token in lower-case hex", "get", "a=2eb", "", {}, "bad_id", "asset"},
    {"a token that is not canonical", "get", "=41", "", {}, "bad_id", "asset"},
    {"a token with a control character", "get", "=00", "", {}, "bad_id", "asset"},
    {"a token cut short", "put", "a=2", record, {}, "bad_id", "asset"},
    {"an overlong UTF-8 form", "delete", "=C0=AF", "", {}, "bad_id", "asset"},
    {"an empty body", "put", "789", "", {}, "bad_request", ""},
    {"text", "put", "789", "hello", {}, "bad_request", ""},
    {"an array", "put", "789", "[]", {}, "bad_request", ""},
    {"no genre", "put", "789", R"({"title":"T","summary":"S"})", {}, "bad_request", "genre"},
    {"a number as title", "put", "789", R"({"title":1,"genre":"G","summary":"S"})", {}, "bad_request", "title"},
    {"a title over 1 KiB",
     "put",
     "789",
     R"({"title":")" + std::string(1025, 'x') + R"(","genre":"G","summary":"S"})",
     {},
     "bad_request",
     "title"},
    {"a revision that is a word", "put", "789", record, "latest", "bad_request", "Marquee-Revision"},
    {"a negative revision", "put", "789", record, "-1", "bad_request", "Marquee-Revision"},
    {"an empty revision", "delete", "123", "", "", "bad_request", "Marquee-Revision"},
    {"a revision with a space", "delete", "123", "", "1 ", "bad_request", "Marquee-Revision"},
    {"a revision that is too large", "delete", "123", "", "18446744073709551616", "bad_request", "Marquee-Revision"},
    {"a control character in a text",
     "put",
     "789",
     R"({"title":"T","genre":"G","summary":"\u001b"})",
     {},
     "bad_request",
     "summary"},
    {"a member given twice",
     "put",
     "789",
     R"({"title":"T","genre":"G","summary":"S","year":1,"year":2})",
     {},
     "bad_request",
     "year"},
    {"an id that no browser can send", "put", "=2E", record, {}, "bad_id", "asset"},
    {"another one", "put", "=2E=2E", record, {}, "bad_id", "asset"},
};

/// Headers of a put or delete that the service does not know, though they look like its own.
const std::pair<const char*, const char*> unknown_headers[] = {
    {"marquee-revision", "marquee-revision"},
    {"MARQUEE-REVISION", "MARQUEE-REVISION"},
    {"Marquee-revision", "Marquee-revision"},
    {"Marquee-Revison", "Marquee-Revison"},
    {"Marquee-Revision ", "Marquee-Revision "},
    {" Marquee-Revision", " Marquee-Revision"},
    {"Marquee-Revisions", "Marquee-Revisions"},
    {"marquee-tag", "marquee-tag"},
    {"Marquee-TAG", "Marquee-TAG"},
    {"marquee-timeout", "marquee-timeout"},
    {"Marquee-Request-ID", "Marquee-Request-ID"},
    {"Marquee-After", "Marquee-After"}, // reporting's
    {"Marquee-", "Marquee-"},
    {"Marquee-Tag\xff", "Marquee-Tag?"}, // a reply is UTF-8
};

struct bad_list_rule
{
    const char* body;
    const char* field;
};

std::ostream& operator<<(std::ostream& out, const bad_list_rule& r) { return out << r.body; }

const std::vector<bad_list_rule> bad_lists = {
    {"x", ""},
    {R"({"limit":0})", "limit"},
    {R"({"limit":1001})", "limit"},
    {R"({"limit":"10"})", "limit"},
    {R"({"after":7})", "after"},
    {R"({"after":""})", "after"},
    {R"({"after":"a\u0000b"})", "after"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(metadata_endpoints, metadata_fixture)

BOOST_AUTO_TEST_CASE(the_seed_assets_answer_with_their_revision)
{
    const auto it = call("get", "123");
    BOOST_REQUIRE(code_of(it) == "ok");
    BOOST_TEST(it->data == R"({"id":"123","title":"It","genre":"horror","summary":"A very scary movie"})");
    BOOST_TEST(it->headers.get("Marquee-Revision") == "1");
    const auto terminator = call("get", "456");
    BOOST_REQUIRE(code_of(terminator) == "ok");
    BOOST_TEST(terminator->data ==
               R"({"id":"456","title":"Terminator","genre":"action","summary":"Summary for terminator"})");
    BOOST_TEST(terminator->headers.get("Marquee-Revision") == "2");
}

BOOST_AUTO_TEST_CASE(an_unknown_asset_is_not_found_and_named)
{
    for (const auto* name : {"get", "delete"})
    {
        const auto answer = call(name, "no=20such");
        BOOST_TEST(code_of(answer) == "asset_not_found");
        BOOST_TEST(answer.error().id == "no such");
    }
}

BOOST_AUTO_TEST_CASE(what_was_put_is_got_under_its_own_id_whatever_the_body_says)
{
    const auto put =
        call("put", "10=2E5240=2F7791", R"({"id":"other","title":"Ä \"q\"","genre":"","summary":"\n","x":1})");
    BOOST_REQUIRE(code_of(put) == "ok");
    BOOST_TEST(json(put->data) == json(R"({"status":"ok","revision":3})"));
    const auto got = call("get", "10=2E5240=2F7791");
    BOOST_REQUIRE(code_of(got) == "ok");
    BOOST_TEST(json(got->data) == json(R"({"id":"10.5240/7791","title":"Ä \"q\"","genre":"","summary":"\n","x":1})"));
    BOOST_TEST(got->headers.get("Marquee-Revision") == "3");
}

BOOST_AUTO_TEST_CASE(further_members_come_back_as_they_were_put_in_every_reply)
{
    const std::string further = R"("year":1979,"rating":8.50,"cast":["A \u00e9","B"],"tags":["space"])";
    const auto record = R"({"id":"9","title":"T","genre":"G","summary":"S",)" + further + '}';
    BOOST_REQUIRE(code_of(call("put", "9",
                               R"({"year":1979, "title":"T","genre":"G","rating":8.50,)"
                               R"("cast":[ "A \u00e9", "B" ],"summary":"S","tags":["space"]})")) == "ok");
    BOOST_TEST(call("get", "9")->data == record);
    BOOST_TEST(list(R"({"after":"456"})")->data == R"({"assets":[)" + record + "]}");
    BOOST_TEST(ask(endpoints, "gets", "metadata.gets", "9")->data == "3 " + record + '\n');
}

BOOST_AUTO_TEST_CASE(a_put_of_what_stands_is_no_new_revision)
{
    const auto put = [this](std::string body, header_list headers = {})
    { return call("put", "123", std::move(body), std::move(headers)); };
    const std::string same = R"({"summary":"A very scary movie", "genre":"horror","title":"It"})";
    const auto again = put(same);
    BOOST_REQUIRE(code_of(again) == "ok");
    BOOST_TEST(again->data == R"({"status":"ok","revision":1})");
    BOOST_TEST(again->headers.get("Marquee-Tag") == call("get", "123")->headers.get("Marquee-Tag"));
    BOOST_TEST(code_of(put(same, header("Marquee-Revision", "1"))) == "ok");
    BOOST_TEST(code_of(put(same, header("Marquee-Revision", "2"))) == "revision_mismatch");
    BOOST_TEST(code_of(put(same, header("Marquee-Revision", "0"))) == "revision_mismatch");
    BOOST_TEST(put(record)->data == R"({"status":"ok","revision":3})");
    BOOST_TEST(put(same)->data == R"({"status":"ok","revision":4})");
    BOOST_REQUIRE(code_of(call("delete", "123")) == "ok");
    BOOST_TEST(put(same)->data == R"({"status":"ok","revision":6})");
}

BOOST_AUTO_TEST_CASE(a_deleted_asset_is_gone_and_can_be_made_again_as_absent)
{
    const auto gone = call("delete", "123");
    BOOST_REQUIRE(code_of(gone) == "ok");
    BOOST_TEST(gone->data == R"({"status":"ok"})");
    BOOST_TEST(code_of(call("get", "123")) == "asset_not_found");
    BOOST_TEST(code_of(call("delete", "123")) == "asset_not_found");
    BOOST_TEST(code_of(call("put", "123", record, header("Marquee-Revision", "3"))) == "revision_mismatch");
    BOOST_TEST(code_of(call("put", "123", record, header("Marquee-Revision", "0"))) == "ok");
}

BOOST_AUTO_TEST_CASE(a_lost_compare_and_set_changes_nothing_and_names_the_asset)
{
    BOOST_REQUIRE(code_of(call("put", "123", record, header("Marquee-Revision", "1"))) == "ok");
    const auto put = call("put", "123", R"({"title":"lost","genre":"","summary":""})", header("Marquee-Revision", "1"));
    BOOST_TEST(code_of(put) == "revision_mismatch");
    BOOST_TEST(put.error().id == "123");
    BOOST_TEST(code_of(call("delete", "123", "", header("Marquee-Revision", "1"))) == "revision_mismatch");
    BOOST_TEST(json(call("get", "123")->data).at("title") == "T");
    BOOST_TEST(code_of(call("delete", "123", "", header("Marquee-Revision", "3"))) == "ok");
}

BOOST_DATA_TEST_CASE(a_bad_request_is_refused_and_the_field_named, boost::unit_test::data::make(bad_requests), r)
{
    const auto answer =
        call(r.endpoint, r.token, r.body, r.revision ? header("Marquee-Revision", *r.revision) : header_list());
    BOOST_TEST(code_of(answer) == r.code);
    BOOST_TEST(answer.error().what.field == r.field);
    BOOST_TEST(store.get(asset("789")) == nullptr);
    BOOST_TEST(store.get(asset("123")) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_header_of_ours_that_is_not_known_is_refused_by_name_and_nothing_is_changed)
{
    for (const auto& [name, field] : unknown_headers)
        for (const auto* endpoint : {"put", "delete"})
            BOOST_TEST_CONTEXT(endpoint << " with " << name)
            {
                auto headers = header("Marquee-Revision", "1");
                headers.set(name, "1");
                const auto answer = call(endpoint, "123", record, headers);
                BOOST_TEST(code_of(answer) == "bad_request");
                BOOST_TEST(answer.error().what.field == field);
                BOOST_TEST(answer.error().id == "123");
                BOOST_TEST(code_of(call("get", "123", "", header(name, "1"))) == "ok"); // on reads it is ignored
                BOOST_TEST(code_of(ask(endpoints, "list", "metadata.list", "", header(name, "1"))) == "ok");
            }
    BOOST_TEST(call("get", "123")->headers.get("Marquee-Revision") == "1");
}

BOOST_AUTO_TEST_CASE(headers_of_others_and_all_of_our_own_are_taken)
{
    auto headers = header("Marquee-Revision", "1");
    headers.set("Marquee-Tag", call("get", "123")->headers.get("Marquee-Tag"));
    for (const auto* name :
         {"Marquee-Timeout", "Marquee-Request-Id", "traceparent", "Nats-Msg-Id", "X-Marquee-Revision", "Marquee"})
        headers.set(name, "1");
    BOOST_TEST(code_of(call("put", "123", record, headers)) == "ok");
}

BOOST_AUTO_TEST_CASE(get_put_and_delete_carry_the_tag)
{
    const auto put = call("put", "789", record);
    BOOST_REQUIRE(code_of(put) == "ok");
    const auto tag = std::string(put->headers.get("Marquee-Tag"));
    BOOST_REQUIRE(parse_record_tag(tag).has_value());
    BOOST_TEST(parse_record_tag(tag)->revision == 3u);
    BOOST_TEST(call("get", "789")->headers.get("Marquee-Tag") == tag);
    const auto gone = call("delete", "789", "", header("Marquee-Tag", tag));
    BOOST_REQUIRE(code_of(gone) == "ok");
    BOOST_TEST(parse_record_tag(gone->headers.get("Marquee-Tag")).value().revision == 4u);
}

BOOST_AUTO_TEST_CASE(a_tag_is_the_condition_of_a_put_and_of_a_delete)
{
    using written = std::function<std::string(const std::string& now)>;
    const std::pair<written, const char*> table[] = {
        {[](auto& now) { return now + "0"; }, "revision_mismatch"}, // the same revision, stored at another time
        {[](auto& now) { return '9' + now; }, "revision_mismatch"},
        {[](auto&) { return "1"; }, "revision_mismatch"}, // of the old form
        {[](auto&) { return "\"1\""; }, "revision_mismatch"},
        {[](auto&) { return "0"; }, "revision_mismatch"},
        {[](auto&) { return "*"; }, "revision_mismatch"},
        {[](auto& now) { return "W/\"" + now + '"'; }, "revision_mismatch"},
        {[](auto& now) { return now; }, "ok"},
        {[](auto& now) { return '"' + now + '"'; }, "ok"}, // as it stands in an ETag
    };
    for (const auto& [tag, expected] : table)
        for (const auto* endpoint : {"put", "delete"})
        {
            metadata_fixture fresh;
            const auto text = tag(std::string(fresh.call("get", "123")->headers.get("Marquee-Tag")));
            BOOST_TEST_CONTEXT(endpoint << " at " << text)
            {
                BOOST_TEST(code_of(fresh.call("put", "789", record, header("Marquee-Tag", text))) ==
                           "revision_mismatch");
                BOOST_TEST(code_of(fresh.call(endpoint, "123", record, header("Marquee-Tag", text))) == expected);
            }
        }
}

BOOST_AUTO_TEST_CASE(a_record_whose_id_no_browser_can_send_is_served_and_can_be_deleted)
{
    for (const auto* id : {".", ".."})
    {
        store = memory_store({{asset(id), catalogue_value<metadata_catalogue>(asset(id), {"T", "G", "S"})}});
        BOOST_TEST(code_of(call("get", asset(id).token())) == "ok");
        BOOST_TEST(json(list()->data).at("assets").at(0).at("id") == id);
        BOOST_TEST(code_of(call("delete", asset(id).token())) == "ok");
        BOOST_TEST(code_of(call("get", asset(id).token())) == "asset_not_found");
    }
}

BOOST_AUTO_TEST_CASE(a_list_without_a_body_has_everything)
{
    const auto all = list();
    BOOST_REQUIRE(code_of(all) == "ok");
    BOOST_TEST(json(all->data) ==
               json(R"({"assets":[{"id":"123","title":"It","genre":"horror","summary":"A very scary movie"},
                                  {"id":"456","title":"Terminator","genre":"action","summary":"Summary for terminator"}]})"));
}

BOOST_AUTO_TEST_CASE(a_list_goes_on_where_next_says)
{
    const auto first = list(R"({"limit":1})");
    BOOST_REQUIRE(code_of(first) == "ok");
    BOOST_TEST(json(first->data).at("next") == "123");
    const auto second = list(R"({"limit":1,"after":"123"})");
    BOOST_REQUIRE(code_of(second) == "ok");
    BOOST_TEST(json(second->data).at("assets").at(0).at("id") == "456");
    BOOST_TEST(!json(second->data).as_object().contains("next"));
}

BOOST_DATA_TEST_CASE(a_bad_list_request_is_refused_and_the_field_named, boost::unit_test::data::make(bad_lists), r)
{
    const auto answer = list(r.body);
    BOOST_TEST(code_of(answer) == "bad_request");
    BOOST_TEST(answer.error().what.field == r.field);
}

BOOST_AUTO_TEST_CASE(a_page_of_the_largest_records_stays_under_512_kib_and_the_pages_have_them_all)
{
    const std::string text(16 * 1024, '\n'); // six bytes each once escaped
    for (int i = 0; i < 20; ++i)
    {
        const asset_metadata large{"t", "g", text};
        BOOST_REQUIRE(code_of(call("put", std::to_string(1000 + i), encode(large))) == "ok");
    }
    std::size_t found = 0;
    std::string request = R"({"limit":1000})";
    for (bool more = true; more;)
    {
        const auto page = list(request);
        BOOST_REQUIRE(code_of(page) == "ok");
        BOOST_TEST(page->data.size() <= 512u * 1024u);
        const auto body = json(page->data).as_object();
        found += body.at("assets").as_array().size();
        more = body.contains("next");
        if (more)
            request = R"({"limit":1000,"after":)" + boost::json::serialize(body.at("next")) + "}";
    }
    BOOST_TEST(found == 22u);
}

BOOST_AUTO_TEST_CASE(a_list_has_100_assets_unless_asked_otherwise)
{
    for (int i = 0; i < 150; ++i)
        BOOST_REQUIRE(code_of(call("put", std::to_string(1000 + i), record)) == "ok");
    BOOST_TEST(json(list()->data).at("assets").as_array().size() == 100u);
    BOOST_TEST(json(list(R"({"limit":1000})")->data).at("assets").as_array().size() == 152u);
}

BOOST_AUTO_TEST_CASE(the_endpoints_have_the_names_and_subjects_of_the_contract)
{
    const std::vector<std::pair<std::string, std::string>> expected = {{"get", "metadata.get.*"},
                                                                       {"put", "metadata.put.*"},
                                                                       {"delete", "metadata.delete.*"},
                                                                       {"list", "metadata.list"},
                                                                       {"gets", "metadata.gets"}};
    BOOST_REQUIRE(endpoints.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
    {
        BOOST_TEST(endpoints[i].name == expected[i].first);
        BOOST_TEST(endpoints[i].subject == expected[i].second);
        BOOST_TEST(!endpoints[i].metadata.at("description").empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cdnurl_endpoints)

BOOST_AUTO_TEST_CASE(the_seed_assets_have_their_urls)
{
    memory_store store(cdnurl_seeds());
    const auto endpoints = catalogue_endpoints<cdnurl_catalogue>(store);
    const auto first = ask(endpoints, "get", "cdnurl.get.123");
    BOOST_REQUIRE(code_of(first) == "ok");
    BOOST_TEST(json(first->data) == json(R"({"id":"123","url":"path/to/asset123.mp4"})"));
    const auto second = ask(endpoints, "get", "cdnurl.get.456");
    BOOST_REQUIRE(code_of(second) == "ok");
    BOOST_TEST(json(second->data) == json(R"({"id":"456","url":"path/to/asset456.mp4"})"));
    BOOST_TEST(second->headers.get("Marquee-Revision") == "2");
}

BOOST_AUTO_TEST_CASE(a_url_is_put_listed_and_deleted)
{
    memory_store store;
    const auto endpoints = catalogue_endpoints<cdnurl_catalogue>(store);
    BOOST_TEST(code_of(ask(endpoints, "put", "cdnurl.put.a=2Fb", R"({"url":"u"})")) == "ok");
    const auto listed = ask(endpoints, "list", "cdnurl.list");
    BOOST_REQUIRE(code_of(listed) == "ok");
    BOOST_TEST(json(listed->data) == json(R"({"assets":[{"id":"a/b","url":"u"}]})"));
    BOOST_TEST(code_of(ask(endpoints, "delete", "cdnurl.delete.a=2Fb")) == "ok");
    BOOST_TEST(json(ask(endpoints, "list", "cdnurl.list")->data) == json(R"({"assets":[]})"));
}

BOOST_AUTO_TEST_CASE(an_empty_url_and_one_over_4_kib_are_refused)
{
    memory_store store;
    const auto endpoints = catalogue_endpoints<cdnurl_catalogue>(store);
    for (const auto size : {0u, 4097u})
    {
        const asset_url bad{std::string(size, 'u')};
        const auto answer = ask(endpoints, "put", "cdnurl.put.1", encode(bad));
        BOOST_TEST(code_of(answer) == "bad_request");
        BOOST_TEST(answer.error().what.field == "url");
    }
    const asset_url longest{std::string(4096, 'u')};
    BOOST_TEST(code_of(ask(endpoints, "put", "cdnurl.put.1", encode(longest))) == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
