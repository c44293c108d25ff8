#include "tests/end_to_end/http/malformed_rows.hpp"

#include <initializer_list>
#include <string_view>

namespace marquee::test
{

namespace
{

using rows = std::vector<malformed_row>;
using texts = std::initializer_list<const char*>;

const std::string host = "Host: a\r\n";
const std::string line = "POST " + malformed_play + " HTTP/1.1\r\n";
const std::string chunked = line + host + "Transfer-Encoding: chunked\r\n\r\n";

std::string byte_name(unsigned byte)
{
    constexpr std::string_view hex = "0123456789abcdef";
    return {'0', 'x', hex[byte >> 4], hex[byte & 15]};
}

/// A request that has these fields besides a Host.
std::string with(const std::string& fields) { return line + host + fields + "\r\n"; }

void refuse(rows& all, const std::string& name, const std::string& bytes) { all.push_back({name, bytes, {400}}); }

/// Control characters and DEL.
std::vector<unsigned> controls()
{
    std::vector<unsigned> bytes{0x7f};
    for (unsigned byte = 0; byte < 0x20; ++byte)
        bytes.push_back(byte);
    return bytes;
}

/// Those, and bytes beyond ASCII.
std::vector<unsigned> never_text()
{
    auto bytes = controls();
    bytes.insert(bytes.end(), {0x80, 0xa0, 0xc3, 0xff});
    return bytes;
}

void request_lines(rows& all)
{
    for (const unsigned byte : never_text())
        refuse(all, "method with " + byte_name(byte),
               "PO" + std::string(1, char(byte)) + "ST " + malformed_play + " HTTP/1.1\r\n" + host + "\r\n");
    for (const char c : std::string_view(" \"(),/:;<=>?@[\\]{}"))
        refuse(all, std::string("method with ") + c,
               std::string("PO") + c + "ST " + malformed_play + " HTTP/1.1\r\n" + host + "\r\n");
    for (unsigned byte = 0; byte <= 0x20; ++byte)
        refuse(all, "target with " + byte_name(byte),
               "POST " + malformed_play + char(byte) + "x HTTP/1.1\r\n" + host + "\r\n");
    for (const char c : {'\x7f', '#'})
        refuse(all, "target with " + byte_name(static_cast<unsigned>(c)),
               "POST " + malformed_play + c + "x HTTP/1.1\r\n" + host + "\r\n");
    const std::string end = " HTTP/1.1\r\n" + host + "\r\n";
    for (const auto* method : texts{"GET/", "HTTP/1.1", "\xc2\xa0POST"})
        refuse(all, std::string("method ") + method, method + (" " + malformed_play) + end);
    for (const auto* method : texts{"post", "Post", "POSTS", "FOO", "PROPFIND", "QUERY", "PRI", "M-SEARCH", "0"})
        for (const auto& target : {malformed_play, std::string("*"), std::string("a")})
            all.push_back({std::string("method ") + method, method + (" " + target) + end, {501}});
    for (const auto* version : texts{"HTTP/2.0", "HTTP/2.1", "HTTP/3.0", "HTTP/9.9"})
        for (const std::string method : {"POST ", "PRI ", "FOO "})
            all.push_back({method + version, method + malformed_play + " " + version + "\r\n" + host + "\r\n", {505}});
    for (const auto* version : texts{"HTTP/0.9",   "HTTP/0.0",   "HTTP/1.10",   "HTTP/2",
                                     "HTTP/3",     "HTTP/2.x",   "HTTP/20.0",   "HTTP/2.00",
                                     "HTTP/1",     "HTTP/1.",    "HTTP/.1",     "HTTP/11",
                                     "HTTP/01.1",  "HTTP/1.01",  "HTTP/1,1",    "HTTP/-1.1",
                                     "HTTP/1.1.1", "http/1.1",   "Http/1.1",    "HTTP 1.1",
                                     "HTTP//1.1",  "HTTP/ 1.1",  "HTTP\\1.1",   "HTTP1.1",
                                     "HTP/1.1",    "HTTPS/1.1",  "ICY/1.1",     "RTSP/1.0",
                                     "SIP/2.0",    "HTTP/1.1\t", "HTTP/1.1 ",   " HTTP/1.1 HTTP/1.1",
                                     "HTTP/1.1x",  "HTTP/1.1;",  "HTTP/1.\xb9", "HTTP/A.B",
                                     "1.1",        "/"})
        refuse(all, std::string("version ") + version,
               "POST " + malformed_play + " " + version + "\r\n" + host + "\r\n");
    for (const auto* blank : texts{"", "  ", "\t", " \t", "\t ", "\x0b", "\x0c", "\xa0", "%20"})
    {
        refuse(all, std::string("after the method: ") + blank,
               std::string("POST") + blank + malformed_play + " HTTP/1.1\r\n" + host + "\r\n");
        refuse(all, std::string("before the version: ") + blank,
               "POST " + malformed_play + blank + "HTTP/1.1\r\n" + host + "\r\n");
    }
    for (const auto* start :
         texts{" ", "\t", "\n", "\r", "\r\n\r\n", "\r\n ", "\x0b", "\xef\xbb\xbf", "\"", ":", ",", "X: y\r\n"})
        refuse(all, std::string("before the request line: ") + start, start + line + host + "\r\n");
}

void targets(rows& all)
{
    const std::string end = " HTTP/1.1\r\n" + host + "\r\n";
    for (const auto* target : texts{"http:///play/asset/123/user/malformed",
                                    "http://",
                                    "http://?x",
                                    "http://:80/",
                                    "http://u@a/play/asset/123/user/malformed",
                                    "http://u:p@a/",
                                    "http://a:b/",
                                    "http://a:80:80/",
                                    "http://[::1/",
                                    "http://[a]/",
                                    "http://%zz/",
                                    "http://a,b/",
                                    "http://a\\b/",
                                    "http://a#b",
                                    "http://\xc3\xa9/",
                                    "http:a",
                                    "http",
                                    "httpx://a/",
                                    " http://a/",
                                    "ws://a/",
                                    "ftp://a/",
                                    "a:80",
                                    "a",
                                    "play/asset/123/user/malformed",
                                    "*",
                                    "**",
                                    "*/",
                                    "./play/asset/123/user/malformed",
                                    "\\play",
                                    "?x",
                                    "%2Fplay",
                                    "@a/",
                                    "http:/play",
                                    "",
                                    ":80",
                                    "[::1]:80",
                                    "javascript:x"})
        refuse(all, std::string("target ") + target, std::string("POST ") + target + end);
    for (const auto* request : texts{"CONNECT a:80", "CONNECT a", "OPTIONS **", "OPTIONS a", "OPTIONS http://a:b",
                                     "GET *", "HEAD *", "TRACE *", "DELETE *"})
        refuse(all, request, request + end);
    for (const auto* id : texts{"%", "%1", "%zz", "%0g", "%-1", "%%", "%u0041", "%+1", "%C0%AF", "%FF", "%ED%A0%80",
                                "%F4%90%80%80", "%00", "%0d%0aX", "%7F", "%1F", "", "\xff", "\xc0\xaf"})
        all.push_back({std::string("id ") + id,
                       std::string("POST /play/asset/123/user/") + id + end,
                       {400, 200}}); // well framed: the connection stays
}

void field_names(rows& all)
{
    auto bytes = never_text();
    for (const char c : std::string_view(" \"(),/;<=>?@[\\]{}"))
        bytes.push_back(static_cast<unsigned>(c));
    for (const unsigned byte : bytes)
    {
        refuse(all, "field name with " + byte_name(byte), with("X" + std::string(1, char(byte)) + "Y: z\r\n"));
        refuse(all, "field name that ends with " + byte_name(byte), with("X" + std::string(1, char(byte)) + ": z\r\n"));
    }
    for (const std::string name : {"Host", "Content-Length", "Transfer-Encoding", "X", "Authorization"})
        for (const char blank : {' ', '\t', '\x0b', '\x0c'})
        {
            refuse(all, name + " with " + byte_name(static_cast<unsigned>(blank)) + " before the colon",
                   with(name + blank + ": 1\r\n"));
            refuse(all, name + " with " + byte_name(static_cast<unsigned>(blank)) + " before it",
                   with(blank + name + ": 1\r\n"));
        }
    for (const auto* field : texts{"X", ":", ": y", "X y", "X=y", "\xef\xbb\xbfX: y", " ", "X;: y", "(X): y",
                                   "\"X\": y", "[X]: y", "X/Y: z"})
        refuse(all, std::string("field ") + field, with(field + std::string("\r\n")));
}

void field_values(rows& all)
{
    for (const unsigned byte : controls())
    {
        if (byte == '\t')
            continue;
        const std::string c(1, char(byte));
        refuse(all, "field value with " + byte_name(byte), with("X: y" + c + "z\r\n"));
        refuse(all, "field value that ends with " + byte_name(byte), with("X: y" + c + "\r\n"));
        if (byte != '\r' && byte != '\n')
            refuse(all, "field value that begins with " + byte_name(byte), with("X: " + c + "y\r\n"));
    }
    // In fields that decide what the request is or who asks; in others these bytes are opaque.
    for (const std::string name :
         {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Authorization", "Idempotency-Key",
          "Content-Type", "Content-Encoding", "EXPECT", "content-type"})
        for (const auto* value : texts{"\x80", "\xc3\xa9", "1\xff",
                                       "\xa0"
                                       "5",
                                       "\xe2\x80\xa8"})
            refuse(all, name + ": " + value, (name == "Host" ? line : line + host) + name + ": " + value + "\r\n\r\n");
    for (const std::string blank : {" ", "\t", "  ", " \t"})
        for (const std::string name : {"X", "Content-Length", "Transfer-Encoding", "Host"})
            refuse(all, name + " folded with " + byte_name(static_cast<unsigned>(blank[0])),
                   with(name + ":\r\n" + blank + "5\r\n"));
    const std::pair<const char*, const char*> ends[] = {
        {"LF", "\n"}, {"CR", "\r"}, {"LF CR", "\n\r"}, {"CR CR LF", "\r\r\n"}};
    for (const auto& [name, end] : ends)
    {
        refuse(all, std::string("request line that ends with ") + name,
               line.substr(0, line.size() - 2) + end + host + "\r\n");
        refuse(all, std::string("field that ends with ") + name, line + "Host: a" + end + "\r\n");
        refuse(all, std::string("field before another that ends with ") + name,
               with(std::string("X: y") + end + "Content-Length: 5\r\n"));
        refuse(all, std::string("head that ends with ") + name, line + host + "X: y\r\n" + end + "\r\n\r\n");
    }
}

void hosts(rows& all)
{
    refuse(all, "no Host", line + "\r\n");
    refuse(all, "no Host but others", line + "X-Forwarded-Host: a\r\nX: y\r\n\r\n");
    for (const auto* second : texts{"Host: a", "Host: b", "HOST: a", "host:", "hOST:\tb"})
        refuse(all, std::string("two: ") + second, with(second + std::string("\r\n")));
    refuse(all, "two on HTTP/1.0", "POST " + malformed_play + " HTTP/1.0\r\n" + host + host + "\r\n");
    for (const char c : std::string_view("/?#@\\<>\"^`{|}, \t"))
        refuse(all, "Host with " + byte_name(static_cast<unsigned>(c)), line + "Host: a" + c + "b\r\n\r\n");
    for (const auto* value : texts{"a:b",
                                   "a:80:80",
                                   "a::",
                                   "a:-1",
                                   "a:+80",
                                   "a:0x50",
                                   "::1",
                                   "[::1",
                                   "::1]",
                                   "[]",
                                   "[",
                                   "]",
                                   "[::1]80",
                                   "[::1]a",
                                   "[::1]:a",
                                   "[[::1]]",
                                   "a[::1]",
                                   "[a]",
                                   "[1.2.3.4]",
                                   "[:::]",
                                   "[1:2:3]",
                                   "[::g]",
                                   "[1::2::3]",
                                   "[1:2:3:4:5:6:7:8:9]",
                                   "[12345::]",
                                   "[::256.1.1.1]",
                                   "[::1.2.3]",
                                   "[::01.2.3.4]",
                                   "[fe80::1%25eth0]",
                                   "[fe80::1%eth0]",
                                   "[v1]",
                                   "[v.a]",
                                   "[v1.]",
                                   "[vg.a]",
                                   "[v1.a/b]",
                                   "%",
                                   "%zz",
                                   "%4",
                                   "a%4g"})
        refuse(all, std::string("Host ") + value, line + "Host: " + value + "\r\n\r\n");
    refuse(all, "absolute form, but no Host", "POST http://a" + malformed_play + " HTTP/1.1\r\n\r\n");
    refuse(all, "absolute form, but two Hosts",
           "POST http://a" + malformed_play + " HTTP/1.1\r\n" + host + host + "\r\n");
    refuse(all, "absolute form, and a Host that is none",
           "POST http://a" + malformed_play + " HTTP/1.1\r\nHost: a:b\r\n\r\n");
    for (const auto* value : texts{"http://a", "a, b", "a b", "a/b", "u@a", "u:p@a:80", "a:80/x", "a?b", "<a>", "a#b"})
        refuse(all, std::string("Host ") + value, line + "Host: " + value + "\r\n\r\n");
}

void content_lengths(rows& all)
{
    for (const auto* value : texts{"",
                                   "+5",
                                   "-5",
                                   "-0",
                                   "+0",
                                   "5,5",
                                   "5, 5",
                                   "5,6",
                                   "0, 5",
                                   "5 5",
                                   "0 5",
                                   "0x5",
                                   "0b1",
                                   "5.0",
                                   "5.",
                                   ".5",
                                   "5e0",
                                   "1e1",
                                   "5;",
                                   "5; x",
                                   "\"5\"",
                                   "'5'",
                                   "a5",
                                   "5a",
                                   "five",
                                   "NaN",
                                   "inf",
                                   "1_0",
                                   "1'0",
                                   "(5)",
                                   "5-",
                                   "5+",
                                   "--5",
                                   "$5",
                                   "5%",
                                   "#5",
                                   "18446744073709551616",
                                   "18446744073709551621",
                                   "99999999999999999999",
                                   "340282366920938463463374607431768211461",
                                   ",",
                                   ",5",
                                   "5,"})
        refuse(all, std::string("Content-Length ") + value,
               with(std::string("Content-Length: ") + value + "\r\n") + "{\"a\":");
    for (const auto* pair : texts{"Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6",
                                  "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\ncontent-length: 5",
                                  "CONTENT-LENGTH: 5\r\nX: y\r\nContent-Length: 0",
                                  "Content-Length:\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length:"})
        refuse(all, pair, with(pair + std::string("\r\n")) + "12345");
    for (const auto* huge :
         texts{"65537", "9999999", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615"})
        all.push_back({std::string("length ") + huge, with(std::string("Content-Length: ") + huge + "\r\n"), {413}});
}

void transfer_encodings(rows& all)
{
    for (const auto* value : texts{"",
                                   "xchunked",
                                   "chunkedx",
                                   "x-chunked",
                                   "chunked,",
                                   ",chunked",
                                   ", chunked",
                                   "chunked, chunked",
                                   "gzip",
                                   "gzip, chunked",
                                   "chunked, gzip",
                                   "identity",
                                   "identity, chunked",
                                   "chunked, identity",
                                   "chunked;q=1",
                                   "chunked; x=y",
                                   "\"chunked\"",
                                   "'chunked'",
                                   "chunk ed",
                                   "chunked chunked",
                                   "cow",
                                   "cow, chunked",
                                   "compress",
                                   "deflate",
                                   "trailers",
                                   "none",
                                   "0",
                                   "1",
                                   "true",
                                   "chunke",
                                   "hunked",
                                   "chunked/1",
                                   "[chunked]",
                                   "(chunked)",
                                   "chunked,x",
                                   "chunked\x0b",
                                   "\x0b"
                                   "chunked",
                                   "chunked\x0c",
                                   "\x0c"
                                   "chunked",
                                   "chunked\x7f",
                                   "chunked\x80",
                                   "\xa0"
                                   "chunked",
                                   "%63hunked"})
        refuse(all, std::string("Transfer-Encoding ") + value,
               with(std::string("Transfer-Encoding: ") + value + "\r\n") + "0\r\n\r\n");
    for (const auto* fields : texts{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
                                    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
                                    "Transfer-Encoding: chunked\r\ntransfer-encoding: x",
                                    "Transfer-Encoding: x\r\nTRANSFER-ENCODING: chunked",
                                    "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
                                    "Content-Length: 5\r\nTransfer-Encoding: chunked",
                                    "Transfer-Encoding: chunked\r\nContent-Length: 5",
                                    "Content-Length: 0\r\nTransfer-Encoding: chunked",
                                    "Transfer-Encoding: chunked\r\nContent-Length: 0",
                                    "Content-Length: 5\r\nTransfer-Encoding: identity",
                                    "Content-Length: 5\r\nTransfer-Encoding: x",
                                    "Content-Length: 5\r\nTransfer-Encoding:",
                                    "Content-Length: x\r\nTransfer-Encoding: chunked",
                                    "X: y\nTransfer-Encoding: chunked",
                                    "X: y\rTransfer-Encoding: chunked",
                                    "X: y\n\rTransfer-Encoding: chunked",
                                    "Transfer-Encoding\n: chunked",
                                    "Transfer-Encoding\r\n: chunked",
                                    "Transfer-Encoding:\r\n chunked",
                                    "Transfer-Encoding:\n chunked"})
        refuse(all, fields, with(fields + std::string("\r\n")) + "0\r\n\r\n");
    for (const auto* fields : texts{"Transfer-Encoding: chunked", "Transfer-Encoding: identity",
                                    "Content-Length: 5\r\nTransfer-Encoding: chunked"})
        refuse(all, std::string("HTTP/1.0, ") + fields,
               "POST " + malformed_play + " HTTP/1.0\r\n" + host + fields + "\r\n\r\n0\r\n\r\n");
    // Fields that a careless server takes for Transfer-Encoding: to us they are nothing, and what
    // follows is no request.
    for (const auto* name : texts{"Transfer_Encoding", "Transfer-Encodings", "X-Transfer-Encoding", "TransferEncoding",
                                  "Transfer.Encoding", "Transfer-Encoding-"})
        all.push_back({name, "GET /nowhere HTTP/1.1\r\n" + host + name + ": chunked\r\n\r\n0\r\n\r\n", {404, 400}});
}

void chunks(rows& all)
{
    for (const auto* size : texts{"",
                                  "x",
                                  "g",
                                  "-1",
                                  "+1",
                                  " 1",
                                  "\t1",
                                  "0x1",
                                  "1.0",
                                  "1,",
                                  "1_0",
                                  "1 1",
                                  "\"1\"",
                                  "#1",
                                  "10000000000000000",
                                  "fffffffffffffffff",
                                  "1\x0b",
                                  "\x0b"
                                  "1",
                                  "1\x7f",
                                  "1\x80",
                                  "\xef\xbc\x91"})
        refuse(all, std::string("chunk size ") + size, chunked + size + "\r\na\r\n0\r\n\r\n");
    for (unsigned byte = 0; byte < 0x20; ++byte)
        if (byte != '\t' && byte != '\r')
            refuse(all, "chunk size with " + byte_name(byte), chunked + "1" + char(byte) + "\r\na\r\n0\r\n\r\n");
    for (const auto* extension : texts{";", ";=", ";=y", ";x=", ";x=y z", ";x;", ";;", "; ;x", ";x=\"\x01\"", ";\x01",
                                       ";x=\x80", ";x=\ny", ";x\ny", ";x=\"\n\"", ";x=y\r", ";@", ";x=y,z", ";x=[y]"})
        refuse(all, std::string("chunk extension ") + extension, chunked + "1" + extension + "\r\na\r\n0\r\n\r\n");
    for (const auto* body :
         texts{"1\na\n0\n\n", "1\r\na\n0\r\n\r\n", "1\na\r\n0\r\n\r\n", "1\r\na0\r\n\r\n", "1\r\nab\r\n0\r\n\r\n",
               "2\r\na\r\n0\r\n\r\n", "1\r\na\r0\r\n\r\n", "1\r\na\r\r\n0\r\n\r\n", "1\r\n\r\na\r\n0\r\n\r\n",
               "1\r\na\r\n\r\n0\r\n\r\n", "1\r\na\r\n0\n\r\n", "1\r\na\r\n0\r\n\n", "1\r\na\r\n0\r\r\n",
               "1\r\na\r\n0\n\n", "0\r\nX\r\n\r\n", "1\r\na\r\n-0\r\n\r\n"})
        refuse(all, std::string("chunks ") + body, chunked + body);
    // A server that waited for the rest of a malformed request would wait for ever.
    for (const auto* body :
         texts{"1;x=\"y\r\n", "1;x=\"y\n", "1;x=\"\\\r\n", "1;x=\"y\"z", "0;x=\"y\r\n", "1\n", "1\r\na\n", "0\n",
               "0\r\n\n", "0\r\nX: y\n", "0\r\nX: y\r\n\n", "1;x=y\n", "1 \r\n", "1;x \r\n"})
        refuse(all, std::string("waiting behind ") + body, chunked + body);
    all.push_back({"endless extension", chunked + "1;x=" + std::string(5000, 'y') + "\r\na\r\n0\r\n\r\n", {400}});
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += "1;xxx=yyy\r\na\r\n";
    all.push_back({"many extensions", chunked + many + "0\r\n\r\n", {400}});
    for (const auto* size : texts{"10001", "ffffff", "7fffffff", "ffffffff", "7fffffffffffffff"})
        all.push_back({std::string("chunk of ") + size, chunked + size + "\r\n", {413}});
}

void trailers(rows& all)
{
    for (const std::string name :
         {"Host", "Content-Length", "Transfer-Encoding", "Trailer", "TE", "Connection", "Content-Type",
          "Content-Encoding", "Authorization", "Cookie", "Expect", "Cache-Control", "If-Match", "If-None-Match",
          "Idempotency-Key", "X-Request-ID", "transfer-encoding", "CONTENT-LENGTH"})
        refuse(all, "trailer " + name, chunked + "1\r\na\r\n0\r\n" + name + ": 1\r\n\r\n");
    for (const auto* trailer : texts{"X", ": y", "X : y", "X\t: y", " X: y", "X/Y: z", "X: y\nZ: z", "X: y\n",
                                     "X\x01: y", "X: \x01", "X\x80: y", "(X): y", "X: y\x7f", "X: y\rz"})
        refuse(all, std::string("trailer ") + trailer, chunked + "1\r\na\r\n0\r\n" + trailer + "\r\n\r\n");
    refuse(all, "trailer with NUL", chunked + "1\r\na\r\n0\r\nX: y" + std::string(1, '\0') + "\r\n\r\n");
    refuse(all, "endless trailer", chunked + "1\r\na\r\n0\r\nX: " + std::string(40000, 'y') + "\r\n\r\n");
}

void other_protocols(rows& all)
{
    const std::pair<const char*, std::string> hellos[] = {
        {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        {"SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
        {"HTTP/0.9", "GET /nowhere\r\n"},
        {"HTTP/0.9 with an empty line", "GET /nowhere\r\n\r\n"},
        {"SOCKS 4", std::string("\x04\x01\x00\x50\x7f\x00\x00\x01\x00", 9)},
        {"SOCKS 5", std::string("\x05\x01\x00", 3)},
        {"PROXY", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
        {"PROXY 2", std::string("\r\n\r\n\0\r\nQUIT\n", 12)},
        {"SMTP", "EHLO a\r\n\r\n"},
        {"NATS", "CONNECT {}\r\nPUB events 6\r\n123:42\r\n\r\n"},
        {"JSON", "{\"id\":\"1\"}\r\n\r\n"},
        {"Redis", "*1\r\n$4\r\nPING\r\n"},
        {"a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {"zeros", std::string(64, '\0')},
        {"ones", std::string(64, '\xff')},
    };
    for (const auto& [name, bytes] : hellos)
        refuse(all, name, bytes);
    all.push_back({"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {505}});
}

void sizes(rows& all)
{
    all.push_back({"long target", "GET /" + std::string(4096, 'a') + " HTTP/1.1\r\n" + host + "\r\n", {414}});
    all.push_back({"long query", "GET /?" + std::string(4096, 'a') + " HTTP/1.1\r\n" + host + "\r\n", {414}});
    all.push_back({"endless target", "GET /" + std::string(20000, 'a'), {414}});
    all.push_back({"endless method", std::string(20000, 'A'), {414}});
    all.push_back({"long field", with("X: " + std::string(16384, 'a') + "\r\n"), {431}});
    all.push_back({"long field name", with(std::string(16384, 'a') + ": x\r\n"), {431}});
    all.push_back({"endless field", line + host + "X: " + std::string(20000, 'a'), {431}});
    std::string fields;
    for (int i = 0; i < 64; ++i)
        fields += "X: y\r\n";
    all.push_back({"many fields", with(fields), {431}});
}

/// Requests that end too early: the client has closed, and there is no answer.
void halves(rows& all)
{
    const std::string whole = with("Content-Length: 5\r\n") + "{\"a\":";
    for (std::size_t size = 1; size < whole.size(); size += 4)
        all.push_back({"the first " + std::to_string(size) + " bytes", whole.substr(0, size), {}, true});
    const std::string in_chunks = chunked + "1;x=y\r\na\r\n0\r\nX: y\r\n\r\n";
    for (std::size_t size = chunked.size(); size < in_chunks.size(); ++size)
        all.push_back({"chunked, the first " + std::to_string(size) + " bytes", in_chunks.substr(0, size), {}, true});
}

} // namespace

std::vector<malformed_row> malformed_rows()
{
    rows all;
    request_lines(all);
    targets(all);
    field_names(all);
    field_values(all);
    hosts(all);
    content_lengths(all);
    transfer_encodings(all);
    chunks(all);
    trailers(all);
    other_protocols(all);
    sizes(all);
    halves(all);
    return all;
}

} // namespace marquee::test
