#include "edge/routes.hpp"

#include "edge/handlers.hpp"

#include <algorithm>
#include <optional>

namespace marquee
{

namespace
{

constexpr route table[] = {
    {"POST", "/play/asset/{asset}/user/{user}", handlers::play},

    {"GET", "/content/asset/{asset}", handlers::get_metadata},
    {"POST", "/content/asset/{asset}", handlers::put_metadata, true, true},
    {"DELETE", "/content/asset/{asset}", handlers::delete_metadata, true},
    {"GET", "/content/assets", handlers::list_metadata, false, false, false, "after limit"},

    {"GET", "/url/asset/{asset}", handlers::get_url, true},
    {"POST", "/url/asset/{asset}", handlers::put_url, true, true},
    {"DELETE", "/url/asset/{asset}", handlers::delete_url, true},
    {"GET", "/url/assets", handlers::list_urls, true, false, false, "after limit"},

    {"GET", "/events/asset/{asset}", handlers::asset_views},
    {"GET", "/events/user/{user}", handlers::user_views},
    {"GET", "/events/top", handlers::top_assets, false, false, false, "limit"},
    {"POST", "/events/asset/{asset}/user/{user}", handlers::record_view},

    {"GET", "/healthz", handlers::alive, false, false, true},
    {"GET", "/readyz", handlers::ready, false, false, true},
    {"GET", "/metrics", handlers::metrics, false, false, true},
    {"GET", "/services", handlers::services, false, false, true},
    {"GET", "/openapi.json", handlers::openapi, false, false, true},
    {"GET", "/problems/{code}", handlers::problem, false, false, true},
};

std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& segments)
{
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < segments.size(); ++i)
    {
        if (pattern.empty())
            return std::nullopt;
        pattern.remove_prefix(1); // the slash
        const auto wanted = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(wanted.size());
        if (wanted.starts_with('{'))
        {
            ids.reserve(2); // at most
            ids.push_back(segments[i]);
        }
        else if (wanted != segments[i])
            return std::nullopt;
    }
    if (!pattern.empty())
        return std::nullopt;
    return ids;
}

} // namespace

bool takes_parameter(const route& each, std::string_view name) noexcept
{
    for (auto rest = each.parameters; !rest.empty();)
    {
        const auto one = rest.substr(0, rest.find(' '));
        if (one == name)
            return true;
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
    return false;
}

std::span<const route> all_routes() noexcept { return table; }

std::string allowed_methods(const std::vector<std::string>& segments)
{
    std::string allow;
    for (const auto& candidate : table)
        if (match(candidate.pattern, segments))
            allow += std::string(candidate.method == "GET" ? "GET, HEAD" : candidate.method) + ", ";
    return allow.empty() ? allow : allow + "OPTIONS";
}

boost::system::result<route_match, request_failure> find_route(std::string_view method, const std::vector<std::string>& segments)
{
    const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
    for (const auto& candidate : table)
    {
        auto ids = match(candidate.pattern, segments);
        if (ids && candidate.method == wanted)
            return route_match{&candidate, std::move(*ids)};
    }
    const auto allow = allowed_methods(segments);
    if (allow.empty())
        return request_failure(fail(errc::route_not_found));
    request_failure refused(fail(errc::method_not_allowed));
    refused.fields.add("Allow", allow);
    return refused;
}

} // namespace marquee
