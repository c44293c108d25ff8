#include "edge/http/cors.hpp"

#include "edge/http/characters.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::string_view exposed =
    "Allow, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID";
constexpr std::string_view accepted =
    "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "X-Request-ID, X-Requested-With, baggage, traceparent, tracestate";
constexpr std::string_view seconds_to_remember = "7200"; // the most that browsers honour

constexpr char_set scheme_chars = lower_case | digits | char_set("+-.");
constexpr char_set app_host_chars = letters | digits | char_set("-._~");
constexpr char_set web_host_chars = lower_case | digits | char_set("-._~");
constexpr char_set ipv6_chars = digits | char_set("abcdef:.");

bool is_scheme(std::string_view text)
{
    return !text.empty() && scheme_chars.covers(text) && lower_case.contains(text.front());
}

/// A port as browsers send it: without leading zeros, and never the scheme's default.
bool is_port(std::string_view text, std::string_view scheme)
{
    return !text.starts_with('0') && parse_number<std::uint16_t>(text) && !(scheme == "http" && text == "80") &&
           !(scheme == "https" && text == "443");
}

/// A name or an address, in lower case for http and https, as browsers send them. An app's own
/// scheme may have names in any case.
bool is_host(std::string_view text, bool of_the_web)
{
    if (text.starts_with('['))
        return text.size() > 2 && text.ends_with(']') && ipv6_chars.covers(text.substr(1, text.size() - 2));
    return !text.empty() && (of_the_web ? web_host_chars : app_host_chars).covers(text);
}

} // namespace

result<void> cors_policy::add(std::string_view origin)
{
    if (origin == "*")
    {
        any_ = true;
        return {};
    }
    if (origin == "null") // what browsers send for any sandboxed page or local file
        return fail(errc::bad_request, "null is no origin that can be trusted");
    const auto colon = origin.find("://");
    const auto scheme = origin.substr(0, colon);
    auto host = colon == std::string_view::npos ? std::string_view() : origin.substr(colon + 3);
    auto port = host.rfind(':');
    if (port != std::string_view::npos && host.find(']', port) != std::string_view::npos) // within an IPv6 address
        port = std::string_view::npos;
    const bool port_is_right = port == std::string_view::npos || is_port(host.substr(port + 1), scheme);
    host = host.substr(0, port);
    const bool of_the_web = scheme == "http" || scheme == "https";
    // As browsers send it: in lower case, without a path, not even a slash.
    if (!is_scheme(scheme) || !is_host(host, of_the_web) || !port_is_right)
        return fail(errc::bad_request,
                    "an origin is * or SCHEME://HOST[:PORT] as browsers send it: in lower case, without the port that "
                    "is the scheme's own, without a path or a slash at its end");
    origins_.emplace_back(origin);
    return {};
}

result<void> cors_policy::add_header(std::string_view name)
{
    if (name.empty() || !token_chars.covers(name) || name == "*")
        return fail(errc::bad_request, "the name of a header field is letters, digits and hyphens");
    (more_headers_ += ", ") += name;
    return {};
}

bool cors_policy::allows(std::string_view origin) const noexcept
{
    return any_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

void cors_policy::grant(const std::optional<std::string>& origin, http_fields& answer) const
{
    if (!enabled())
        return;
    if (any_)
    {
        answer.add("Access-Control-Allow-Origin", "*");
    }
    else
    {
        answer.append("Vary", "Origin"); // also where nothing is granted: a cache must not serve it to others
        if (!origin || !allows(*origin))
            return;
        answer.add("Access-Control-Allow-Origin", *origin);
        answer.add("Access-Control-Allow-Credentials", "true");
    }
    answer.add("Access-Control-Expose-Headers", exposed);
}

void cors_policy::grant_unread(http_fields& answer) const
{
    grant(origins_.size() == 1 ? std::optional(origins_.front()) : std::nullopt, answer);
}

void cors_policy::grant_preflight(const http_fields& request, std::string_view methods, http_fields& answer) const
{
    if (!enabled())
        return;
    answer.append("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    const auto origin = origin_of(request);
    if (!origin || !allows(*origin))
        return;
    answer.add("Access-Control-Allow-Methods", methods);
    answer.add("Access-Control-Allow-Headers", std::string(accepted) + more_headers_);
    answer.add("Access-Control-Max-Age", seconds_to_remember);
}

std::optional<std::string> origin_of(const http_fields& request)
{
    if (request.count("Origin") != 1)
        return std::nullopt;
    const auto origin = *request.get("Origin");
    if (std::any_of(origin.begin(), origin.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
        return std::nullopt;
    return std::string(origin);
}

bool is_preflight(const http_request& request)
{
    return request.method == "OPTIONS" && origin_of(request.fields) &&
           request.fields.get("Access-Control-Request-Method");
}

} // namespace marquee
