#include "edge/http/authority.hpp"
#include "edge/http/framing.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <tuple>
#include <vector>

using namespace marquee;

namespace
{

const std::string host = "Host: a\r\n";

std::string get_with(const std::string& fields) { return "GET / HTTP/1.1\r\n" + host + fields + "\r\n"; }

result<request_head> read(const std::string& head)
{
    const head_limits limits;
    std::size_t from = 0;
    auto size = find_head(head, from, limits);
    if (size.has_error())
        return size.error();
    BOOST_TEST(*size == head.size());
    return read_head(head, limits);
}

} // namespace

BOOST_AUTO_TEST_SUITE(framing)

BOOST_AUTO_TEST_CASE(an_ambiguous_head_is_refused)
{
    const std::string post = "POST / HTTP/1.1\r\n" + host;
    const std::pair<const char*, std::string> table[] = {
        {"no Host", "GET / HTTP/1.1\r\n\r\n"},
        {"two Hosts", get_with("Host: a\r\n")},
        {"two Hosts on 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        {"Host with user info", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
        {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
        {"chunked on 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n"},
        {"identity", post + "Transfer-Encoding: identity\r\n\r\n"},
        {"xchunked", post + "Transfer-Encoding: xchunked\r\n\r\n"},
        {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"chunked, chunked", post + "Transfer-Encoding: chunked, chunked\r\n\r\n"},
        {"empty Transfer-Encoding", post + "Transfer-Encoding:\r\n\r\n"},
        {"vertical tab before chunked", post + "Transfer-Encoding: \x0b"
                                               "chunked\r\n\r\n"},
        {"both framings", post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"both framings, other order", post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"},
        {"length list", post + "Content-Length: 5, 5\r\n\r\n"},
        {"two equal lengths", post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"},
        {"two lengths", post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"},
        {"signed length", post + "Content-Length: +5\r\n\r\n"},
        {"negative length", post + "Content-Length: -5\r\n\r\n"},
        {"hex length", post + "Content-Length: 0x5\r\n\r\n"},
        {"empty length", post + "Content-Length:\r\n\r\n"},
        {"blank within the length", post + "Content-Length: 5 5\r\n\r\n"},
        {"length over 64 bits", post + "Content-Length: 18446744073709551621\r\n\r\n"},
        {"folded field", get_with("X: a\r\n b\r\n")},
        {"folded first field", "GET / HTTP/1.1\r\n X: a\r\n" + host + "\r\n"},
        {"blank before the colon", get_with("X : a\r\n")},
        {"no colon", get_with("X\r\n")},
        {"empty name", get_with(": a\r\n")},
        {"name with a slash", get_with("X/Y: a\r\n")},
        {"high byte in a name", get_with("X\xc3: a\r\n")},
        {"control character in a value", get_with("X: a\x01\r\n")},
        {"DEL in a value", get_with("X: a\x7f\r\n")},
        {"NUL in a value", get_with(std::string("X: a\0b\r\n", 8))},
        {"bare CR in a value", get_with("X: a\rb\r\n")},
        {"bare LF at the end of a line", "GET / HTTP/1.1\n" + host + "\r\n"},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n"},
        {"absolute form without a host", "GET http:///a HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form with a port alone", "GET http://:80/a HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form with user info", "GET http://u@a/ HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form with a port that is no number", "GET http://a:b/ HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form with an open bracket", "GET http://[::1/ HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form of another scheme", "GET ftp://a/ HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form with one slash", "GET http:/a HTTP/1.1\r\n" + host + "\r\n"},
        {"absolute form, no Host", "GET http://a/ HTTP/1.1\r\n\r\n"},
        {"absolute form, two Hosts", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
        {"absolute form, Host with a path", "GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        {"authority form", "CONNECT a:80 HTTP/1.1\r\n" + host + "\r\n"},
        {"asterisk form for GET", "GET * HTTP/1.1\r\n" + host + "\r\n"},
        {"relative target", "GET a HTTP/1.1\r\n" + host + "\r\n"},
        {"fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n"},
        {"tab in the target", "GET /a\tb HTTP/1.1\r\n" + host + "\r\n"},
        {"blank in the target", "GET /a b HTTP/1.1\r\n" + host + "\r\n"},
        {"two blanks after the method", "GET  / HTTP/1.1\r\n" + host + "\r\n"},
        {"blank after the version", "GET / HTTP/1.1 \r\n" + host + "\r\n"},
        {"no version", "GET /\r\n\r\n"},
        {"method with a slash", "GET/ / HTTP/1.1\r\n" + host + "\r\n"},
        {"method beyond ASCII", "G\xc3T / HTTP/1.1\r\n" + host + "\r\n"},
        {"version 0.9", "GET / HTTP/0.9\r\n" + host + "\r\n"},
        {"version 1.10", "GET / HTTP/1.10\r\n" + host + "\r\n"},
        {"version 2", "GET / HTTP/2\r\n" + host + "\r\n"},
        {"lower-case version", "GET / http/1.1\r\n" + host + "\r\n"},
        {"blank line first", " GET / HTTP/1.1\r\n" + host + "\r\n"},
        {"TLS", std::string("\x16\x03\x01\x00\x05", 5)},
    };
    for (const auto& [name, head] : table)
        BOOST_TEST_CONTEXT(name)
        {
            auto parsed = read(head);
            BOOST_REQUIRE(parsed.has_error());
            BOOST_TEST((parsed.error() == errc::bad_request));
        }
}

BOOST_AUTO_TEST_CASE(a_refusal_names_what_is_at_fault)
{
    const std::string post = "POST / HTTP/1.1\r\n" + host;
    const std::pair<std::string, const char*> table[] = {
        {"GET / HTTP/1.1\r\n\r\n", "Host"},
        {"FOO / HTTP/1.1\r\n" + host + "\r\n", "method"},
        {"G(T / HTTP/1.1\r\n" + host + "\r\n", "method"},
        {"GET http://a:b/ HTTP/1.1\r\n" + host + "\r\n", "target"},
        {"GET / HTTP/1.x\r\n" + host + "\r\n", "version"},
        {"GET a HTTP/1.1\r\n" + host + "\r\n", "target"},
        {"GET /a\tb HTTP/1.1\r\n" + host + "\r\n", "target"},
        {"GET / HTTP/2.0\r\n" + host + "\r\n", "version"},
        {"GET /\r\n\r\n", "head"},
        {get_with("no colon\r\n"), "head"},
        {get_with("X: a\r\n b\r\n"), "head"},
        {get_with("X-Odd: \x01\r\n"), "X-Odd"},
        {post + "Content-Length: +5\r\n\r\n", "Content-Length"},
        {post + "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"},
    };
    for (const auto& [head, field] : table)
        BOOST_TEST_CONTEXT(head) { BOOST_TEST(read(head).error().field == field); }
}

BOOST_AUTO_TEST_CASE(an_ordinary_request_is_read)
{
    auto head = read("POST /play/asset/1/user/2?x=%20 HTTP/1.1\r\nHost: [::1]:8080\r\nX-Empty:\r\nAccept:\t*/* "
                     "\r\nContent-Length: 12\r\n\r\n");
    BOOST_REQUIRE(head.has_value());
    BOOST_TEST(head->method == "POST");
    BOOST_TEST(head->target == "/play/asset/1/user/2?x=%20");
    BOOST_TEST(head->version == 11);
    BOOST_TEST(head->fields.get("host").value() == "[::1]:8080");
    BOOST_TEST(head->fields.get("x-empty").value() == "");
    BOOST_TEST(head->fields.get("ACCEPT").value() == "*/*");
    BOOST_TEST(head->content_length.value() == 12U);
    BOOST_TEST(!head->chunked);
    BOOST_TEST(head->keep_alive);
    BOOST_TEST(!head->expects_continue);
}

BOOST_AUTO_TEST_CASE(a_host_is_a_name_or_an_address_and_perhaps_a_port)
{
    for (const auto* good : {"",
                             "a",
                             "a.b",
                             "a.b.",
                             "A-1_~!$&'()*+;=",
                             "%41b",
                             "%c3%a9.example",
                             "a:",
                             "a:80",
                             "a:065535",
                             ":80",
                             "127.0.0.1",
                             "127.0.0.1:8080",
                             "999.1.1.1",
                             "[::]",
                             "[::1]",
                             "[::1]:",
                             "[::1]:80",
                             "[1:2:3:4:5:6:7:8]",
                             "[1:2:3:4:5:6:7::]",
                             "[::2:3:4:5:6:7:8]",
                             "[1::8]",
                             "[2001:DB8::abcd]:443",
                             "[::ffff:192.0.2.1]",
                             "[1:2:3:4:5:6:192.0.2.1]",
                             "[::192.0.2.1]",
                             "[v1.a]",
                             "[vF0.x:y:z]:80",
                             "[V1.!]"})
        BOOST_TEST_CONTEXT(good) { BOOST_TEST(is_authority(good)); }
    for (const auto* bad : {"a:b",
                            "a:80:80",
                            "a::",
                            "a: 80",
                            "a:-1",
                            "a:+1",
                            "a:0x50",
                            "[::1",
                            "::1",
                            "::1]",
                            "[]",
                            "[",
                            "]",
                            "[::1]80",
                            "[::1]a",
                            "[::1]:a",
                            "[::1]:80:80",
                            "[[::1]]",
                            "a[::1]",
                            "[a]",
                            "[a.b]",
                            "[127.0.0.1]",
                            "[:::]",
                            "[::1::]",
                            "[:1]",
                            "[1:]",
                            "[1:2:3]",
                            "[1:2:3:4:5:6:7]",
                            "[1:2:3:4:5:6:7:8:9]",
                            "[1:2:3:4::5:6:7:8]",
                            "[1::2::3]",
                            "[12345::]",
                            "[g::]",
                            "[::1%25eth0]",
                            "[::1%eth0]",
                            "[::256.0.0.1]",
                            "[::1.2.3]",
                            "[::1.2.3.4.5]",
                            "[::01.2.3.4]",
                            "[::1.2.3.4:5]",
                            "[1:2:3:4:5:6:7:1.2.3.4]",
                            "[::1:2:3:4:5:6:1.2.3.4]",
                            "[v.a]",
                            "[v1]",
                            "[v1.]",
                            "[vg.a]",
                            "[1.a]",
                            "[v1.a/b]",
                            "[v1.%41]",
                            "%zz",
                            "%",
                            "%4",
                            "%4g",
                            "a%",
                            "a b",
                            "a,b",
                            "a/b",
                            "a?b",
                            "a#b",
                            "u@a",
                            "u:p@a",
                            "a\\b",
                            "<a>",
                            "\"a\"",
                            "a|b",
                            "a^b",
                            "a`b",
                            "{a}",
                            "a\tb",
                            "\xc3\xa9"})
        BOOST_TEST_CONTEXT(bad)
        {
            BOOST_TEST(!is_authority(bad));
            BOOST_TEST((read(std::string("GET / HTTP/1.1\r\nHost: ") + bad + "\r\n\r\n").error() == errc::bad_request));
        }
}

BOOST_AUTO_TEST_CASE(a_target_in_absolute_form_is_a_path_for_its_own_host)
{
    const std::tuple<std::string, const char*, const char*> table[] = {
        {"GET http://b/x/y?z", "/x/y?z", "b"}, {"GET https://b:443/x", "/x", "b:443"},
        {"POST HTTP://b/", "/", "b"},          {"GET hTTps://[::1]:80", "/", "[::1]:80"},
        {"GET http://b?x=/y", "/?x=/y", "b"},  {"GET http://b//x", "//x", "b"},
        {"OPTIONS http://b", "*", "b"},        {"OPTIONS http://b/", "/", "b"},
        {"OPTIONS http://b?x", "/?x", "b"},    {"GET http://b/http://c/", "/http://c/", "b"},
        {"GET /http://c/", "/http://c/", "a"}, {"OPTIONS *", "*", "a"},
    };
    for (const auto& [start, target, whose] : table)
        BOOST_TEST_CONTEXT(start)
        {
            const auto head = read(start + " HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n");
            BOOST_REQUIRE(head.has_value());
            BOOST_TEST(head->target == target);
            BOOST_TEST(head->fields.get("Host").value_or("") == whose);
            BOOST_TEST(head->fields.count("Host") == 1U);
        }
    BOOST_TEST(read("GET http://b/x HTTP/1.0\r\n\r\n").value().target == "/x");
}

BOOST_AUTO_TEST_CASE(unknown_methods_and_versions_have_their_own_errors)
{
    for (const auto* method : {"FOO", "get", "Get", "PROPFIND", "QUERY", "PRI", "M-SEARCH", "0", "GETS"})
        BOOST_TEST((read(std::string(method) + " / HTTP/1.1\r\n" + host + "\r\n").error() == errc::not_implemented),
                   method);
    for (const auto* version : {"HTTP/2.0", "HTTP/3.0", "HTTP/2.1", "HTTP/9.9"})
        BOOST_TEST(
            (read(std::string("GET / ") + version + "\r\n" + host + "\r\n").error() == errc::version_not_supported),
            version);
    BOOST_TEST((read("PRI * HTTP/2.0\r\n\r\n").error() == errc::version_not_supported));
    BOOST_TEST((read("FOO / HTTP/1.x\r\n" + host + "\r\n").error() == errc::bad_request));
    for (const auto* version : {"HTTP/1.2", "HTTP/1.9"})
    {
        const auto head = read(std::string("GET / ") + version + "\r\n" + host + "\r\n");
        BOOST_REQUIRE(head.has_value());
        BOOST_TEST(head->version == 11);
        BOOST_TEST(head->keep_alive);
        BOOST_TEST(
            (read(std::string("GET / ") + version + "\r\n\r\n").error() == errc::bad_request)); // as 1.1: no Host
    }
}

BOOST_AUTO_TEST_CASE(field_values_are_opaque_bytes_except_in_fields_that_decide_something)
{
    for (const std::string value : {"\xc3\xa9", "\xff", "\x80", "a\xa0", "\xe2\x80\xa8", "caf\xe9; x=\xfe"})
    {
        for (const std::string name : {"Cookie", "Referer", "X-City", "User-Agent", "If-Match", "If-None-Match",
                                       "X-Request-ID", "Origin", "X-Forwarded-For", "Accept-Language", "Forwarded"})
            BOOST_TEST_CONTEXT(name << ": " << value)
            {
                const auto head = read(get_with(name + ": " + value + "\r\n"));
                BOOST_REQUIRE(head.has_value());
                BOOST_TEST(head->fields.get(name).value() == value);
            }
        for (const std::string name : {"Content-Length", "Transfer-Encoding", "Connection", "Expect", "Authorization",
                                       "Idempotency-Key", "Content-Type", "content-encoding", "AUTHORIZATION"})
            BOOST_TEST_CONTEXT(name << ": " << value)
            {
                const auto head = read(get_with(name + ": " + value + "\r\n"));
                BOOST_REQUIRE(head.has_error());
                BOOST_TEST((head.error() == errc::bad_request));
                BOOST_TEST(head.error().field == name);
            }
        const auto wrong_host = read("GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n");
        BOOST_TEST(wrong_host.error().field == "Host");
    }
}

BOOST_AUTO_TEST_CASE(a_refused_head_tells_how_to_answer_it_as_far_as_it_was_received)
{
    const auto seen =
        glance_at("HEAD /x HTTP/1.0\r\norigin: https://a.example\r\nX-Request-ID: abc\r\n\r\nOrigin: b\r\n");
    BOOST_TEST(seen.head_only);
    BOOST_TEST(seen.whole);
    BOOST_TEST(seen.version == 10);
    BOOST_TEST(seen.fields.get("Origin").value_or("") == "https://a.example");
    BOOST_TEST(seen.fields.get("X-Request-ID").value_or("") == "abc");
    BOOST_TEST(seen.fields.size() == 2U);
    for (const auto* part : {"", "H", "HEA", "GET / HTTP/1.1\r\nOrigin: https://a", "HEADS / HTTP/1.1\r\n"})
        BOOST_TEST_CONTEXT(part)
        {
            const auto little = glance_at(part);
            BOOST_TEST(!little.head_only);
            BOOST_TEST(!little.whole);
            BOOST_TEST(little.version == 11);
            BOOST_TEST(little.fields.size() == 0U);
        }
    for (const auto* part : {"HEAD", "HEAD ", "HEAD /aaaa", "HEAD\t/ HTTP/1.1\r\n"})
        BOOST_TEST(glance_at(part).head_only, part);
    BOOST_TEST(glance_at("GET / HTTP/1.1\r\nOrigin: a\x01\r\nOrigin : b\r\nOrigin\r\n").fields.size() == 0U);
}

BOOST_AUTO_TEST_CASE(raw_unicode_in_a_target_is_left_to_the_id_check)
{
    BOOST_TEST(read("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n").has_value());
}

BOOST_AUTO_TEST_CASE(chunked_is_accepted_in_any_case)
{
    auto head = read("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n");
    BOOST_REQUIRE(head.has_value());
    BOOST_TEST(head->chunked);
}

BOOST_AUTO_TEST_CASE(keep_alive_is_what_version_and_connection_say)
{
    const std::tuple<const char*, std::string, bool> table[] = {
        {"1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"1.1 close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
        {"1.1 Close in a list", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
        {"1.1 close in a second field", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n",
         false},
        {"1.0", "GET / HTTP/1.0\r\n\r\n", false},
        {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"1.0 both", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
    };
    for (const auto& [name, head, keep_alive] : table)
        BOOST_TEST_CONTEXT(name) { BOOST_TEST(read(head).value().keep_alive == keep_alive); }
}

BOOST_AUTO_TEST_CASE(only_http_1_1_may_expect_continue)
{
    BOOST_TEST(read("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n").value().expects_continue);
    BOOST_TEST(!read("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").value().expects_continue);
}

BOOST_AUTO_TEST_CASE(limits_are_kept_to_the_byte)
{
    const head_limits limits;
    const auto with_target = [](std::size_t size)
    { return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
    BOOST_TEST(read(with_target(limits.target_bytes)).has_value());
    BOOST_TEST((read(with_target(limits.target_bytes + 1)).error() == errc::uri_too_long));

    const auto of_size = [](std::size_t size)
    {
        const std::string rest = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n";
        return "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(size - rest.size(), 'x') + "\r\n\r\n";
    };
    BOOST_TEST(read(of_size(limits.header_bytes)).has_value());
    BOOST_TEST((read(of_size(limits.header_bytes + 1)).error() == errc::headers_too_large));
    BOOST_TEST((read("GET /" + std::string(limits.header_bytes, 'a')).error() == errc::uri_too_long));

    std::string fields;
    for (std::size_t i = 1; i < limits.field_count; ++i)
        fields += "X: y\r\n";
    BOOST_TEST(read(get_with(fields)).has_value());
    BOOST_TEST((read(get_with(fields + "X: y\r\n")).error() == errc::headers_too_large));
}

BOOST_AUTO_TEST_CASE(two_ids_of_128_bytes_fully_encoded_fit_into_the_target)
{
    std::string id;
    for (int i = 0; i < 128; ++i)
        id += "%E4";
    BOOST_TEST(read("POST /play/asset/" + id + "/user/" + id + " HTTP/1.1\r\nHost: a\r\n\r\n").has_value());
}

BOOST_AUTO_TEST_CASE(a_head_is_found_however_it_is_split)
{
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string more = head + "GET /next";
    const head_limits limits;
    for (std::size_t cut = 0; cut <= more.size(); ++cut)
    {
        std::size_t from = 0;
        auto first = find_head(std::string_view(more).substr(0, cut), from, limits);
        BOOST_REQUIRE(first.has_value());
        BOOST_TEST(*first == (cut < head.size() ? 0 : head.size()));
        if (*first == 0)
            BOOST_TEST(find_head(more, from, limits).value() == head.size());
    }
}

BOOST_AUTO_TEST_CASE(fields_that_frame_or_authorise_must_not_be_trailers)
{
    for (const auto* name :
         {"Host", "content-length", "Transfer-Encoding", "authorization", "If-Match", "Idempotency-Key"})
        BOOST_TEST(is_forbidden_trailer(name));
    BOOST_TEST(!is_forbidden_trailer("Server-Timing"));
}

BOOST_AUTO_TEST_SUITE_END()
