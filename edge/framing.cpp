#include "edge/framing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace marquee
{

namespace
{

constexpr std::array<std::string_view, 9> known_methods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                           "CONNECT", "OPTIONS", "TRACE", "PATCH"};

constexpr std::array<std::string_view, 16> not_in_trailers = {
    "Host",         "Content-Length",   "Transfer-Encoding", "Trailer",     "TE",     "Connection",
    "Content-Type", "Content-Encoding", "Authorization",     "Cookie",      "Expect", "Cache-Control",
    "If-Match",     "If-None-Match",    "Idempotency-Key",   "X-Request-ID"};

bool is_token_char(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept { return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char); }

/// `field`: what is at fault, where it is less than the whole head.
error bad(std::string detail, std::string_view field = "head")
{
    return fail(errc::bad_request, std::move(detail), std::string(field));
}

/// A name or address with an optional port; commas, user info and paths have no place in it. Empty is allowed by RFC 9110.
bool is_authority(std::string_view host) noexcept
{
    return std::all_of(host.begin(), host.end(),
                       [](char c)
                       {
                           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                  std::string_view("-._~%!$&'()*+;=:[]").find(c) != std::string_view::npos;
                       });
}

result<void> read_request_line(std::string_view line, request_head& head, const head_limits& limits)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return bad("the request line is not a method, a target and a version");
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);

    if (head.target.size() > limits.target_bytes)
        return fail(errc::uri_too_long, "the target is longer than " + std::to_string(limits.target_bytes) + " bytes");
    if (std::find(known_methods.begin(), known_methods.end(), head.method) == known_methods.end())
        return bad("no such method", "method");
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
        return bad("the version is not HTTP/1.0 or HTTP/1.1", "version");
    head.version = version == "HTTP/1.1" ? 11 : 10;

    if (head.target != "*" && (head.target.empty() || head.target.front() != '/'))
        return bad("the target is not a path", "target");
    if (head.target == "*" && head.method != "OPTIONS")
        return bad("the target * is for OPTIONS only", "target");
    for (const char c : head.target)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#')
            return bad("the target holds a character that must be percent-encoded", "target");
    return {};
}

result<void> read_field(std::string_view line, request_head& head)
{
    if (line.front() == ' ' || line.front() == '\t')
        return bad("a header field is folded over two lines");
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name))
        return bad("a header field has no valid name");
    const auto value = trim_blanks(line.substr(colon + 1));
    for (const char c : value)
        if (const auto byte = static_cast<unsigned char>(c); (byte < 0x20 && c != '\t') || byte >= 0x7f)
            return bad("a header value holds a character outside printable ASCII", name);
    head.fields.add(name, value);
    return {};
}

result<void> check_host(const request_head& head)
{
    const auto hosts = head.fields.count("Host");
    if (hosts > 1 || (hosts == 0 && head.version == 11))
        return bad(hosts > 1 ? "more than one Host" : "no Host", "Host");
    if (hosts == 1 && !is_authority(*head.fields.get("Host")))
        return bad("the Host is no authority", "Host");
    return {};
}

result<void> read_body_framing(request_head& head)
{
    const auto encodings = head.fields.count("Transfer-Encoding");
    const auto lengths = head.fields.count("Content-Length");
    if (encodings > 0)
    {
        if (lengths > 0)
            return bad("both Transfer-Encoding and Content-Length", "Content-Length");
        if (head.version == 10)
            return bad("Transfer-Encoding on HTTP/1.0", "Transfer-Encoding");
        if (encodings > 1 || !equals_ignoring_case(*head.fields.get("Transfer-Encoding"), "chunked"))
            return bad("a Transfer-Encoding other than chunked", "Transfer-Encoding");
        head.chunked = true;
    }
    if (lengths > 0)
    {
        const auto text = *head.fields.get("Content-Length");
        std::uint64_t length = 0;
        const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), length);
        if (lengths > 1 || text.empty() || problem != std::errc() || stop != text.data() + text.size())
            return bad("the Content-Length is not one number", "Content-Length");
        head.content_length = length;
    }
    return {};
}

bool lists(const http_fields& fields, std::string_view name, std::string_view wanted)
{
    const auto all = fields.joined(name).value_or("");
    std::string_view rest = all;
    while (!rest.empty())
    {
        const auto item = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), item.size() + 1));
        if (equals_ignoring_case(trim_blanks(item), wanted))
            return true;
    }
    return false;
}

} // namespace

result<std::size_t> find_head(std::string_view received, std::size_t& from, const head_limits& limits)
{
    if (from == 0 && !received.empty() && !is_token_char(received.front()))
        return bad("this is not HTTP");
    const auto end = std::min(received.size(), limits.header_bytes);
    for (; from < end; ++from)
    {
        const char c = received[from];
        if (c == '\n' && (from == 0 || received[from - 1] != '\r'))
            return bad("a line ends without a carriage return");
        if (c != '\n' && from > 0 && received[from - 1] == '\r')
            return bad("a carriage return stands alone");
        if (c == '\0')
            return bad("a NUL in the head");
        if (c == '\n' && from >= 3 && received[from - 2] == '\n')
            return from + 1;
    }
    if (received.size() < limits.header_bytes)
        return 0U;
    if (received.substr(0, end).find('\n') == std::string_view::npos)
        return fail(errc::uri_too_long, "the request line does not end");
    return fail(errc::headers_too_large, "the head is longer than " + std::to_string(limits.header_bytes) + " bytes");
}

result<request_head> read_head(std::string_view head, const head_limits& limits)
{
    request_head parsed;
    std::string_view rest = head;
    for (bool first = true;; first = false)
    {
        const auto end = rest.find("\r\n");
        if (end == std::string_view::npos)
            return bad("the head is not complete");
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        if (line.empty() && !first)
            break;
        auto read = first ? read_request_line(line, parsed, limits) : read_field(line, parsed);
        if (read.has_error())
            return read.error();
        if (parsed.fields.size() > limits.field_count)
            return fail(errc::headers_too_large, "more than " + std::to_string(limits.field_count) + " header fields");
    }
    if (auto host = check_host(parsed); host.has_error())
        return host.error();
    if (auto body = read_body_framing(parsed); body.has_error())
        return body.error();
    parsed.keep_alive = !lists(parsed.fields, "Connection", "close") &&
                        (parsed.version == 11 || lists(parsed.fields, "Connection", "keep-alive"));
    parsed.expects_continue = parsed.version == 11 && lists(parsed.fields, "Expect", "100-continue");
    return parsed;
}

bool is_forbidden_trailer(std::string_view name) noexcept
{
    return std::any_of(not_in_trailers.begin(), not_in_trailers.end(),
                       [&](std::string_view forbidden) { return equals_ignoring_case(name, forbidden); });
}

} // namespace marquee
