#include "edge/cors.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

constexpr std::string_view exposed = "Allow, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-ID";
constexpr std::string_view accepted = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-ID";
constexpr std::string_view seconds_to_remember = "7200"; // the most that browsers honour

bool is_host_char(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || std::string_view("-._[]:").find(c) != std::string_view::npos;
}

} // namespace

result<void> cors_policy::add(std::string_view origin)
{
    if (origin == "*")
    {
        any_ = true;
        return {};
    }
    const auto scheme = origin.find("://");
    const auto name = origin.substr(0, scheme);
    const auto host = scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
    // As browsers send it: in lower case, without a path, not even a slash.
    if ((name != "http" && name != "https") || host.empty() || host.front() == ':' ||
        !std::all_of(host.begin(), host.end(), is_host_char))
        return fail(errc::bad_request, "an origin is * or http(s)://HOST[:PORT] in lower case, without a slash at its end");
    origins_.emplace_back(origin);
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
    answer.add("Access-Control-Allow-Headers", accepted);
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
