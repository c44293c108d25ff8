// Tags as ETags, conditional requests and lists by page, through the real processes.
#include "tests/end_to_end/kit.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace
{

using namespace marquee::test;

marquee_system::settings plain() { return {}; }
using shared = shared_system<plain>;

http_answer send(const std::string& method, const std::string& target, const http_headers& headers = {},
                 const std::string& body = {})
{
    return shared::system->call_as_admin({method, target, headers, body});
}

/// One of the two catalogues of the same shape.
struct catalogue
{
    std::string path; ///< of one asset, without its id
    std::string list;
    std::string body;
};

const catalogue catalogues[] = {{"/content/asset/", "/content/assets", metadata_body},
                                {"/url/asset/", "/url/assets", url_body}};

/// Stores `id` with a body of its own, for a POST of what stands already is no change. Returns its
/// ETag.
std::string store(const catalogue& in, const std::string& id)
{
    static int count = 0;
    const auto body = in.body.substr(0, in.body.size() - 2) + ' ' + std::to_string(++count) + "\"}";
    const auto answer = send("POST", in.path + id, {}, body);
    BOOST_REQUIRE(answer.status == 200);
    return answer.header("ETag");
}

/// The revision of a tag, as a tag.
std::string number_of(const std::string& tag) { return tag.substr(0, tag.find('-')) + '"'; }

std::vector<std::string> ids_of(const http_answer& page)
{
    std::vector<std::string> ids;
    const auto document = page.json();
    for (const auto& each : document.at("assets").as_array())
        ids.emplace_back(each.at("id").as_string());
    return ids;
}

struct conditional_change
{
    const char* method;
    const char* header;
    const char* value; ///< {now} and {old} are replaced by the asset's tags, {number} by a bare revision
    bool exists;
    int status;
};
const conditional_change conditional_changes[] = {
    {"POST", "If-Match", "{now}", true, 200},
    {"POST", "If-Match", "{old}", true, 412},
    {"POST", "If-Match", "*", true, 200},
    {"POST", "If-Match", "{old}, {now}", true, 200},
    {"POST", "If-Match", "W/{now}", true, 412},
    {"POST", "If-Match", "\"none\"", true, 412},
    {"POST", "If-Match", "{number}", true, 412},
    {"POST", "If-Match", ", {now} ,", true, 200},
    {"POST", "If-None-Match", "{number}", true, 200},
    {"DELETE", "If-Match", "{number}", true, 412},
    {"POST", "If-Match", "{now}", false, 412},
    {"POST", "If-Match", "*", false, 412},
    {"POST", "If-None-Match", "*", true, 412},
    {"POST", "If-None-Match", "*", false, 200},
    {"POST", "If-None-Match", "{now}", true, 412},
    {"POST", "If-None-Match", "{old}", true, 200},
    {"POST", "If-Match", "rubbish", true, 400},
    {"DELETE", "If-Match", "{now}", true, 200},
    {"DELETE", "If-Match", "{old}", true, 412},
    {"DELETE", "If-Match", "*", true, 200},
    {"DELETE", "If-Match", "{now}", false, 412},
    {"DELETE", "If-Match", "*", false, 412},
    {"DELETE", "If-None-Match", "*", true, 412},
    {"DELETE", "If-None-Match", "{old}", true, 200},
    {"DELETE", "If-None-Match", "rubbish", true, 400},
};

} // namespace

BOOST_AUTO_TEST_SUITE(conditions, *boost::unit_test::fixture<shared>())

BOOST_AUTO_TEST_CASE(a_get_is_304_where_the_client_has_the_revision_and_412_where_it_wants_another)
{
    for (const auto& in : catalogues)
    {
        const auto old = store(in, "seen");
        const auto tag = store(in, "seen");
        BOOST_TEST(old != tag);
        const std::tuple<const char*, std::string, int> table[] = {
            {"If-None-Match", tag, 304},
            {"If-None-Match", "W/" + tag, 304},
            {"If-None-Match", old + ", " + tag, 304},
            {"If-None-Match", "*", 304},
            {"If-None-Match", old, 200},
            {"If-Match", tag, 200},
            {"If-Match", old + ", " + tag, 200},
            {"If-Match", "*", 200},
            {"If-Match", old, 412},
            {"If-Match", "W/" + tag, 412},
            {"If-None-Match", "7", 400},
            {"If-Match", "\"7", 400},
            {"If-None-Match", number_of(tag), 200}, // of the old form
            {"If-Match", number_of(tag), 412},
            {"If-None-Match", ", " + tag, 304},
            {"If-None-Match", tag + ",", 304},
            {"If-Match", ",," + tag + " ,", 200},
        };
        for (const auto& [header, value, status] : table)
            BOOST_TEST_CONTEXT(in.path << ' ' << header << ": " << value)
            {
                const auto answer = send("GET", in.path + "seen", {{header, value}});
                BOOST_TEST(answer.status == status);
                if (status == 412)
                    check_problem(answer, 412, "revision_mismatch");
                if (status <= 304)
                    BOOST_TEST(answer.header("ETag") == tag);
                BOOST_TEST(answer.body.empty() == (status == 304));
            }
        BOOST_TEST(send("GET", in.path + "seen").status == 200);
    }
}

BOOST_AUTO_TEST_CASE(a_change_under_a_condition_happens_only_where_it_holds)
{
    for (const auto& in : catalogues)
        for (const auto& each : conditional_changes)
        {
            const auto path = in.path + "guarded";
            const auto old = store(in, "guarded");
            const auto now = store(in, "guarded");
            if (!each.exists)
                BOOST_REQUIRE(send("DELETE", path).status == 200);
            std::string value = each.value;
            for (const auto& [name, tag] :
                 {std::pair<std::string, std::string>{"{old}", old}, {"{now}", now}, {"{number}", number_of(now)}})
                if (const auto at = value.find(name); at != std::string::npos)
                    value.replace(at, name.size(), tag);
            BOOST_TEST_CONTEXT(path << ' ' << each.method << ' ' << each.header << ": " << each.value
                                    << (each.exists ? "" : ", absent"))
            {
                const bool put = each.method == std::string("POST");
                const auto answer = send(each.method, path, {{each.header, value}}, put ? in.body : "");
                BOOST_TEST(answer.status == each.status);
                if (each.status == 412)
                    check_problem(answer, 412, "revision_mismatch");
                const auto after = send("GET", path);
                if (each.status != 200)
                    BOOST_TEST(after.header("ETag") == (each.exists ? now : ""));
                else if (put)
                    BOOST_TEST(after.header("ETag") == answer.header("ETag"));
                else
                    check_problem(after, 404, "asset_not_found");
            }
        }
}

BOOST_AUTO_TEST_CASE(of_many_who_change_the_same_revision_one_wins)
{
    for (const auto& in : catalogues)
    {
        const auto tag = store(in, "raced");
        std::vector<http_call> calls;
        for (int i = 0; i < 16; ++i)
            calls.push_back(as_admin(*shared::system, {"POST", in.path + "raced", {}, in.body}, {{"If-Match", tag}}));
        int won = 0;
        for (const auto& answer : shared::client->call_all(shared::system->port(), calls))
        {
            won += answer.status == 200 ? 1 : 0;
            BOOST_TEST((answer.status == 200 || answer.status == 412));
        }
        BOOST_TEST(won == 1);
        BOOST_TEST(send("GET", in.path + "raced").status == 200);
    }
}

BOOST_AUTO_TEST_CASE(a_list_comes_in_byte_order_by_page_until_there_is_no_next)
{
    // In byte order: the seeded 123 and 456 come first.
    const std::vector<std::string> ids = {"list A", "list Z", "list a", "list a/b", "list a0", "list é", "list 天"};
    for (const auto& in : catalogues)
    {
        for (auto id = ids.rbegin(); id != ids.rend(); ++id)
            store(in, percent(*id));
        for (const std::size_t limit : {1U, 2U, 3U, 7U, 8U, 1000U})
        {
            std::vector<std::string> seen;
            std::string after = "list";
            for (int pages = 0; !after.empty() && pages < 10; ++pages)
            {
                const auto page = send("GET", in.list + "?limit=" + std::to_string(limit) + "&after=" + percent(after));
                BOOST_REQUIRE(page.status == 200);
                const auto found = ids_of(page);
                BOOST_TEST(found.size() <= limit);
                seen.insert(seen.end(), found.begin(), found.end());
                after = page.text("next");
                if (!after.empty())
                    BOOST_TEST(after == found.back());
            }
            seen.resize(std::min(seen.size(), ids.size())); // what other cases stored may follow
            BOOST_TEST(seen == ids, boost::test_tools::per_element());
        }
        // `after` need not exist, and its blanks may be written as +.
        BOOST_TEST(ids_of(send("GET", in.list + "?after=list+a&limit=1")).at(0) == "list a/b");
        BOOST_TEST(ids_of(send("GET", in.list + "?after=list%20b&limit=1")).at(0) == "list é");
        BOOST_TEST(ids_of(send("GET", in.list + "?limit=2")).at(0) == "123");
        const auto end = send("GET", in.list + "?after=%F4%8F%BF%BF");
        check_json(end, 200, R"({"assets":[]})");
    }
}

BOOST_AUTO_TEST_CASE(a_page_ends_at_100_entries_or_512_KiB_and_misses_nothing)
{
    for (const auto& in : catalogues)
    {
        std::vector<http_call> calls;
        for (int i = 0; i < 130; ++i)
            calls.push_back(
                as_admin(*shared::system, {"POST", in.path + "page" + std::to_string(1000 + i), {}, in.body}));
        for (const auto& answer : shared::client->call_all(shared::system->port(), calls))
            BOOST_TEST(answer.status == 200);
        const auto first = send("GET", in.list + "?after=page");
        BOOST_TEST(ids_of(first).size() == 100U);
        BOOST_TEST(first.text("next") == "page1099");
        BOOST_TEST(ids_of(send("GET", in.list + "?limit=30&after=page1099")).size() == 30U);
    }

    const auto body = R"({"title":"t","genre":"g","summary":")" + std::string(16384, 's') + "\"}";
    std::vector<http_call> calls;
    for (int i = 0; i < 40; ++i)
        calls.push_back(as_admin(*shared::system, {"POST", "/content/asset/q" + std::to_string(10 + i), {}, body}));
    for (const auto& answer : shared::client->call_all(shared::system->port(), calls))
        BOOST_TEST(answer.status == 200);
    const auto first = send("GET", "/content/assets?limit=40&after=q");
    BOOST_TEST(first.body.size() <= 512U * 1024U);
    BOOST_TEST(ids_of(first).size() > 25U);
    const auto rest = send("GET", "/content/assets?limit=40&after=" + first.text("next"));
    BOOST_TEST(ids_of(first).size() + ids_of(rest).size() >= 40U);
    BOOST_TEST(ids_of(rest).at(40 - ids_of(first).size() - 1) == "q49");
}

BOOST_AUTO_TEST_SUITE_END()
