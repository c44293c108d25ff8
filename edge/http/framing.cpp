#include "edge/http/framing.hpp"

#include "edge/http/authority.hpp"
#include "edge/http/characters.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>
#include <array>

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

/// These decide what a request is and who asks: no two servers may read their values differently.
constexpr std::array<std::string_view, 9> ascii_only = {
    "Host",          "Content-Length",  "Transfer-Encoding", "Connection",      "Expect",
    "Authorization", "Idempotency-Key", "Content-Type",      "Content-Encoding"};

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& names, std::string_view name) noexcept
{
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view each) { return equals_ignoring_case(name, each); });
}

bool is_token(std::string_view text) noexcept { return !text.empty() && token_chars.covers(text); }

/// `field` is the part at fault.
error bad(std::string detail, std::string_view field = "head")
{
    return fail(errc::bad_request, std::move(detail), std::string(field));
}

bool is_beyond_ascii(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }

/// RFC 9112 section 2.3: 1.2 and later are answered as 1.1 is.
result<void> read_version(std::string_view text, request_head& head)
{
    const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && digits.contains(text[5]) &&
                             text[6] == '.' && digits.contains(text[7]);
    if (!well_formed || text[5] == '0')
        return bad("The version is not HTTP/1.0 or HTTP/1.1.", "version");
    if (text[5] != '1')
        return fail(errc::version_not_supported, "This server speaks HTTP/1.1 and HTTP/1.0.", "version");
    head.version = text[7] == '0' ? 10 : 11;
    return {};
}

/// Splits a target in absolute form: what follows the authority becomes the target, and the
/// authority is the host (RFC 9112 section 3.2.2). Leaves any other target alone.
result<void> read_absolute_form(request_head& head)
{
    const auto colon = head.target.find("://");
    const auto scheme = std::string_view(head.target).substr(0, colon);
    if (colon == std::string::npos || !(equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https")))
        return {};
    const auto rest = std::string_view(head.target).substr(colon + 3);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = rest.substr(0, end);
    if (authority.empty() || authority.front() == ':' || !is_authority(authority))
        return bad("The target names no valid host.", "target");
    head.authority = authority;
    auto path = std::string(rest.substr(end));
    if (path.empty() && head.method == "OPTIONS")
        path = "*";
    else if (path.empty() || path.front() == '?')
        path.insert(0, 1, '/');
    head.target = std::move(path);
    return {};
}

result<void> read_request_line(std::string_view line, request_head& head, const head_limits& limits)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return bad("The request line is not a method, a target and a version.");
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);

    if (head.target.size() > limits.target_bytes)
        return fail(errc::uri_too_long, "The target is longer than " + std::to_string(limits.target_bytes) + " bytes.");
    if (!is_token(head.method))
        return bad("The method is not a token.", "method");
    for (const char c : head.target)
        if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#')
            return bad("The target contains a character that must be percent-encoded.", "target");
    if (auto read = read_version(version, head); read.has_error())
        return read;
    if (std::find(known_methods.begin(), known_methods.end(), head.method) == known_methods.end())
        return fail(errc::not_implemented, "The method is none that HTTP defines.", "method");
    if (auto read = read_absolute_form(head); read.has_error())
        return read;
    if (head.target != "*" && (head.target.empty() || head.target.front() != '/'))
        return bad("The target is neither a path nor an http URI.", "target");
    if (head.target == "*" && head.method != "OPTIONS")
        return bad("The target * is for OPTIONS only.", "target");
    return {};
}

result<void> read_field(std::string_view line, request_head& head)
{
    if (line.front() == ' ' || line.front() == '\t')
        return bad("A header field is folded over two lines.");
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name))
        return bad("A header field has no valid name.");
    const auto value = trim_blanks(line.substr(colon + 1));
    if (!field_value_chars.covers(value))
        return bad("The value of this header contains a control character.", name);
    if (std::any_of(value.begin(), value.end(), is_beyond_ascii) && is_one_of(ascii_only, name))
        return bad("The value of this header contains a byte that is not ASCII.", name);
    head.fields.add(name, value);
    return {};
}

/// HTTP/1.1 needs exactly one Host, also where the target is in absolute form; the target's
/// authority then replaces it.
result<void> check_host(request_head& head)
{
    const auto hosts = head.fields.count("Host");
    if (hosts > 1 || (hosts == 0 && head.version == 11))
        return bad(hosts > 1 ? "The request has more than one Host." : "The request has no Host.", "Host");
    if (hosts == 1 && !is_authority(*head.fields.get("Host")))
        return bad("The Host is not a name or an address, with or without a port.", "Host");
    if (hosts == 1 && !head.authority.empty())
        head.fields.set("Host", head.authority);
    return {};
}

result<void> read_body_framing(request_head& head)
{
    const auto encodings = head.fields.count("Transfer-Encoding");
    const auto lengths = head.fields.count("Content-Length");
    if (encodings > 0)
    {
        if (lengths > 0)
            return bad("The request has both Transfer-Encoding and Content-Length.", "Content-Length");
        if (head.version == 10)
            return bad("HTTP/1.0 has no Transfer-Encoding.", "Transfer-Encoding");
        if (encodings > 1 || !equals_ignoring_case(*head.fields.get("Transfer-Encoding"), "chunked"))
            return bad("The Transfer-Encoding is not chunked.", "Transfer-Encoding");
        head.chunked = true;
    }
    if (lengths > 0)
    {
        head.content_length = parse_number<std::uint64_t>(*head.fields.get("Content-Length"));
        if (lengths > 1 || !head.content_length)
            return bad("The Content-Length is not one number.", "Content-Length");
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

/// Keeps a field that decides how a refusal is written.
void glance_at_field(std::string_view line, http_fields& fields)
{
    const auto name = line.substr(0, line.find(':'));
    if (name.size() == line.size() ||
        !(equals_ignoring_case(name, "Origin") || equals_ignoring_case(name, "X-Request-ID")))
        return;
    const auto value = trim_blanks(line.substr(name.size() + 1));
    if (field_value_chars.covers(value))
        fields.add(name, value);
}

} // namespace

result<std::size_t> find_head(std::string_view received, std::size_t& from, const head_limits& limits)
{
    if (from == 0 && !received.empty() && !token_chars.contains(received.front()))
        return bad("This is not HTTP.");
    const auto end = std::min(received.size(), limits.header_bytes);
    for (; from < end; ++from)
    {
        const char c = received[from];
        if (c == '\n' && (from == 0 || received[from - 1] != '\r'))
            return bad("A line ends without a carriage return.");
        if (c != '\n' && from > 0 && received[from - 1] == '\r')
            return bad("A carriage return is not followed by a line feed.");
        if (c == '\0')
            return bad("The head contains a NUL.");
        if (c == '\n' && from >= 3 && received[from - 2] == '\n')
            return from + 1;
    }
    if (received.size() < limits.header_bytes)
        return 0U;
    if (received.substr(0, end).find('\n') == std::string_view::npos)
        return fail(errc::uri_too_long, "The request line does not end.");
    return fail(errc::headers_too_large, "The head is longer than " + std::to_string(limits.header_bytes) + " bytes.");
}

result<request_head> read_head(std::string_view head, const head_limits& limits)
{
    request_head parsed;
    std::string_view rest = head;
    for (bool first = true;; first = false)
    {
        const auto end = rest.find("\r\n");
        if (end == std::string_view::npos)
            return bad("The head is not complete.");
        const auto line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        if (line.empty() && !first)
            break;
        auto read = first ? read_request_line(line, parsed, limits) : read_field(line, parsed);
        if (read.has_error())
            return read.error();
        if (parsed.fields.size() > limits.field_count)
            return fail(errc::headers_too_large,
                        "The request has more than " + std::to_string(limits.field_count) + " header fields.");
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

head_glance glance_at(std::string_view received)
{
    head_glance seen;
    const auto method =
        received.substr(0, static_cast<std::size_t>(std::find_if_not(received.begin(), received.end(),
                                                                     [](char c) { return token_chars.contains(c); }) -
                                                    received.begin()));
    seen.head_only = method == "HEAD";
    for (bool first = true;; first = false)
    {
        const auto end = received.find("\r\n");
        if (end == std::string_view::npos)
            return seen;
        const auto line = received.substr(0, end);
        received.remove_prefix(end + 2);
        seen.whole = line.empty();
        if (seen.whole)
            return seen;
        if (first)
            seen.version = line.ends_with(" HTTP/1.0") ? 10 : 11;
        else
            glance_at_field(line, seen.fields);
    }
}

bool is_forbidden_trailer(std::string_view name) noexcept { return is_one_of(not_in_trailers, name); }

} // namespace marquee
