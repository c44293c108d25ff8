#include "edge/cors.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::string_view exposed = "Allow, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID";
constexpr std::string_view accepted = "Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
                                      "X-Request-ID, X-Requested-With, baggage, traceparent, tracestate";
constexpr std::string_view seconds_to_remember = "7200"; // the most that browsers honour

bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool all_in(std::string_view text, bool (*is_one)(char))
{
    return !text.empty() && std::all_of(text.begin(), text.end(), is_one);
}

bool is_scheme(std::string_view text)
{
    return all_in(text, [](char c)
                  { return is_lower(c) || is_digit(c) || std::string_view("+-.").find(c) != std::string_view::npos; }) &&
           is_lower(text.front());
}

/// A port as browsers send it: without leading zeros, and none that is the scheme's own.
bool is_port(std::string_view text, std::string_view scheme)
{
    return all_in(text, is_digit) && text.size() <= 5 && text.front() != '0' && std::stoi(std::string(text)) <= 65535 &&
           !(scheme == "http" && text == "80") && !(scheme == "https" && text == "443");
}

/// A name or an address. Browsers write those of http and https in lower case; an app's scheme may have names of its own.
bool is_host(std::string_view text, bool of_the_web)
{
    if (text.starts_with('['))
        return text.size() > 2 && text.ends_with(']') &&
               all_in(text.substr(1, text.size() - 2),
                      [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.'; });
    return all_in(text,
                  [](char c) {
                      return is_lower(c) || is_upper(c) || is_digit(c) ||
                             std::string_view("-._~").find(c) != std::string_view::npos;
                  }) &&
           !(of_the_web && std::any_of(text.begin(), text.end(), is_upper));
}

bool is_field_name_char(char c)
{
    return is_lower(c) || is_upper(c) || is_digit(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

} // namespace

result<void> cors_policy::add(std::string_view origin)
{
    if (origin == "*")
    {
        any_ = true;
        return {};
    }
    if (origin == "null") // what any sandboxed page or local file may claim
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
    if (!all_in(name, is_field_name_char) || name == "*")
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
        answer.add("Vary", "Origin"); // caches must know even where this answer grants nothing
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
    answer.add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
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
    return request.method == "OPTIONS" && origin_of(request.fields) && request.fields.get("Access-Control-Request-Method");
}

} // namespace marquee
