#include "tests/end_to_end/http/malformed_rows.hpp"

#include <initializer_list>

namespace marquee::test
{

namespace
{

using rows = std::vector<malformed_row>;
using texts = std::initializer_list<const char*>;

const std::string host = "Host: a\r\n";
const std::string get = "GET /content/asset/123 HTTP/1.1\r\n";
const std::string end = " HTTP/1.1\r\nHost: a\r\n\r\n";

void take(rows& all, const std::string& name, const std::string& bytes, int status)
{
    all.push_back({name, bytes, {status, 200}});
}

/// Opaque bytes, as browsers put them into cookies and content delivery networks into the names of
/// cities.
void field_values(rows& all)
{
    for (const std::string name : {"Cookie", "Referer", "User-Agent", "X-City", "CF-IPCity", "Forwarded",
                                   "X-Request-ID", "Origin", "X-Forwarded-For", "Accept-Language"})
        for (const auto* value : texts{"\x80", "n=\xc3\xa9", "\xff", "Z\xfcrich", "\xe2\x80\xa8", "a\xa0"})
            take(all, name + ": " + value, get + host + name + ": " + value + "\r\n\r\n", 200);
    take(all, "a tag beyond ASCII", get + host + "If-None-Match: \"\xc3\xa9\"\r\n\r\n", 200);
}

void hosts(rows& all)
{
    for (const auto* value : texts{"",
                                   "a",
                                   "a:",
                                   "a:80",
                                   ":80",
                                   "A.b-c_d~e.",
                                   "%41",
                                   "%C3%A9",
                                   "!$&'()*+;=",
                                   "127.0.0.1",
                                   "1.2.3.4:99",
                                   "[::]",
                                   "[::1]",
                                   "[::1]:",
                                   "[::1]:80",
                                   "[2001:db8::1]:443",
                                   "[1:2:3:4:5:6:7:8]",
                                   "[::ffff:192.0.2.1]",
                                   "[v1.a:b]",
                                   "999.999.999.999"})
        take(all, std::string("Host ") + value, get + "Host: " + value + "\r\n\r\n", 200);
}

void targets_and_versions(rows& all)
{
    for (const auto* target :
         texts{"http://b/content/asset/123", "https://b:443/content/asset/123", "HTTP://b/content/asset/123",
               "hTTpS://[::1]/content/asset/123", "http://b:/content/asset/123"})
        take(all, target, std::string("GET ") + target + end, 200);
    for (const auto* target : texts{"http://b/nowhere", "http://b/nowhere?x", "http://b//content/asset/123"})
        take(all, target, std::string("GET ") + target + end, 404);
    take(all, "OPTIONS http://b", "OPTIONS http://b" + end, 204);
    take(all, "OPTIONS http://b/content/asset/123", "OPTIONS http://b/content/asset/123" + end, 204);
    take(all, "OPTIONS *", "OPTIONS *" + end, 204);
    take(all, "absolute form on HTTP/1.0", "GET http://b/content/asset/123 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         200);
    for (const auto* version : texts{"HTTP/1.2", "HTTP/1.9"})
        take(all, version, std::string("GET /content/asset/123 ") + version + "\r\nHost: a\r\n\r\n", 200);
}

void chunks(rows& all)
{
    const std::string post = "POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto* body : texts{"0\r\n\r\n", "00\r\n\r\n", "0;x\r\n\r\n", "1;x=y\r\na\r\n0\r\n\r\n",
                                  "1;x=\"\\\"\xc3\xa9\"\r\na\r\n0\r\n\r\n", "1 ;\tx = y ;z\r\na\r\n0\r\n\r\n",
                                  "000000000000000000001\r\na\r\n0\r\n\r\n", "0\r\nX: y\r\n\r\n",
                                  "0\r\nX: \xc3\xa9\r\nY:\r\n\r\n", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"})
        take(all, std::string("chunks ") + body, post + body, 404);
}

} // namespace

std::vector<malformed_row> well_formed_rows()
{
    rows all;
    field_values(all);
    hosts(all);
    targets_and_versions(all);
    chunks(all);
    return all;
}

} // namespace marquee::test
