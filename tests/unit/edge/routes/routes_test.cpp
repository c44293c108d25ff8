#include "edge/http/target.hpp"
#include "edge/routes/routes.hpp"

#include <boost/test/unit_test.hpp>

using namespace marquee;

namespace
{

boost::system::result<route_match, request_failure> find(std::string_view method, std::string_view target)
{
    return find_route(method, parse_target(target).value().segments);
}

std::string encoded(std::string_view text)
{
    static const char* digits = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char c : text)
        out += std::string("%") + digits[c >> 4] + digits[c & 15];
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(every_row_of_the_contract_has_its_route)
{
    const std::tuple<const char*, const char*, bool> table[] = {
        {"POST", "/play/asset/1/user/2", false},
        {"GET", "/content/asset/1", false},
        {"POST", "/content/asset/1", true},
        {"DELETE", "/content/asset/1", true},
        {"GET", "/content/assets", false},
        {"GET", "/url/asset/1", true},
        {"POST", "/url/asset/1", true},
        {"DELETE", "/url/asset/1", true},
        {"GET", "/url/assets", true},
        {"GET", "/events/asset/1", false},
        {"GET", "/events/user/1", false},
        {"GET", "/events/top", false},
        {"GET", "/events/series", false},
        {"GET", "/events/assets", false},
        {"GET", "/events/asset/1/series", false},
        {"GET", "/events/user/1/history", false},
        {"DELETE", "/events/user/1", true},
        {"GET", "/events/live", false},
        {"POST", "/events/asset/1/user/2", false},
        {"GET", "/", false},
        {"GET", "/page/main.js", false},
        {"GET", "/media/path/to/video.mp4", false},
        {"GET", "/healthz", false},
        {"GET", "/readyz", false},
        {"GET", "/metrics", false},
        {"GET", "/services", false},
        {"GET", "/openapi.json", false},
        {"GET", "/problems/bad_id", false},
    };
    BOOST_TEST(std::size(table) == all_routes().size());
    for (const auto& [method, target, admin] : table)
        BOOST_TEST_CONTEXT(method << ' ' << target)
        {
            auto found = find(method, target);
            BOOST_REQUIRE(found.has_value());
            BOOST_TEST(found->found->method == method);
            BOOST_TEST(found->found->is.admin == admin);
        }
}

BOOST_AUTO_TEST_CASE(head_uses_the_route_of_get)
{
    for (const auto& each : all_routes())
        if (each.method == "GET")
            BOOST_TEST(find_route("HEAD", parse_target(each.pattern).value().segments)->found == &each);
}

BOOST_AUTO_TEST_CASE(another_method_on_a_known_path_is_405_with_allow)
{
    const std::tuple<const char*, const char*, const char*> table[] = {
        {"GET", "/play/asset/1/user/2", "POST"},
        {"PUT", "/content/asset/1", "GET, HEAD, POST, DELETE"},
        {"PATCH", "/url/asset/1", "GET, HEAD, POST, DELETE"},
        {"POST", "/content/assets", "GET, HEAD"},
        {"DELETE", "/events/asset/1", "GET, HEAD"},
        {"HEAD", "/events/asset/1/user/2", "POST"},
        {"POST", "/healthz", "GET, HEAD"},
        {"PUT", "/readyz", "GET, HEAD"},
    };
    for (const auto& [method, target, allow] : table)
        BOOST_TEST_CONTEXT(method << ' ' << target)
        {
            auto found = find(method, target);
            BOOST_REQUIRE(found.has_error());
            BOOST_TEST((found.error().what.code == errc::method_not_allowed));
            BOOST_TEST(found.error().fields.get("Allow").value_or("") == allow + std::string(", OPTIONS"));
        }
}

BOOST_AUTO_TEST_CASE(other_paths_are_404_for_every_method)
{
    for (const auto* target :
         {"//", "/play", "/play/asset/1", "/play/asset/1/user", "/play/asset/1/user/2/", "/play/asset/1/user/2/3",
          "/healthz/", "//healthz", "/Healthz", "/content/asset", "/content//asset/1", "/metrics/", "/services/",
          "/problems", "/problems/bad_id/", "/content/./asset/1", "/content/x/../asset/1", "/play%2Fasset/1/user/2",
          "/content/asset/a/b"})
        for (const auto* method : {"GET", "POST", "PUT"})
            BOOST_TEST_CONTEXT(method << ' ' << target)
            {
                BOOST_TEST((find(method, target).error().what.code == errc::route_not_found));
            }
}

BOOST_AUTO_TEST_CASE(an_id_is_decoded_exactly_once_and_stays_one_segment)
{
    const std::pair<std::string, std::string> table[] = {
        {"10.5240%2F7791-8534-2C23-9030-8610-5", "10.5240/7791-8534-2C23-9030-8610-5"},
        {"me@example.org", "me@example.org"},
        {"a+b", "a+b"},
        {"a%20b", "a b"},
        {"%2541", "%41"},
        {"%252e%252e", "%2e%2e"},
        {"..", ".."},
        {"%2e%2E", ".."},
        {"*", "*"},
        {"%3E", ">"},
        {"a.b", "a.b"},
        {"%0d%0aPUB", "\r\nPUB"},
        {"%00", std::string(1, '\0')},
        {"%C0%AF", "\xc0\xaf"},
        {"=41", "=41"},
        {"%E6%98%A0%E7%94%BB", "映画"},
        {encoded(std::string(129, 'a')), std::string(129, 'a')},
        {"", ""},
    };
    for (const auto& [sent, id] : table)
        BOOST_TEST_CONTEXT(sent)
        {
            auto found = find("POST", "/play/asset/" + sent + "/user/" + sent + "?q=/x");
            BOOST_REQUIRE(found.has_value());
            BOOST_TEST(found->parameters.size() == 2U);
            BOOST_TEST(found->parameters[0] == id);
            BOOST_TEST(found->parameters[1] == id);
        }
}

BOOST_AUTO_TEST_CASE(a_percent_without_two_hex_digits_is_refused)
{
    for (const auto* target : {"/%", "/%4", "/%zz", "/a%2", "/a%%20", "/a?x=%", "/a?%g0=1", "", "a"})
        BOOST_TEST_CONTEXT(target) { BOOST_TEST((parse_target(target).error() == errc::bad_request)); }
}

BOOST_AUTO_TEST_CASE(query_parameters_are_decoded_as_forms_write_them)
{
    const auto target = parse_target("/a?after=a+b%2Bc%26d&limit=5&&flag&x=1&x=2").value();
    BOOST_TEST(query_value(target, "after").value().value() == "a b+c&d");
    BOOST_TEST(query_value(target, "flag").value().value() == "");
    BOOST_TEST(!query_value(target, "none").value());
    BOOST_TEST(query_value(target, "x").error().field == "x");
    BOOST_TEST(query_limit(target).value().value() == 5U);
}

BOOST_AUTO_TEST_CASE(a_limit_is_a_number_from_1_to_1000)
{
    for (const auto* limit : {"0", "1001", "-1", "+1", "x", "1x", "", "1.0", "99999999999999999999", "%201"})
        BOOST_TEST_CONTEXT(limit)
        {
            const auto target = parse_target(std::string("/a?limit=") + limit).value();
            BOOST_TEST(query_limit(target).error().field == "limit");
        }
    for (const auto* limit : {"1", "1000", "007"})
        BOOST_TEST(query_limit(parse_target(std::string("/a?limit=") + limit).value()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
