#include "edge/routes/routes.hpp"

#include "edge/routes/handlers.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

namespace marquee
{

namespace
{

constexpr route table[] = {
    {"POST", "/play/asset/{asset}/user/{user}", handlers::play, {.user = true}},

    {"GET", "/content/asset/{asset}", handlers::get_metadata},
    {"POST", "/content/asset/{asset}", handlers::put_metadata, {.admin = true, .body = true, .operators = true}},
    {"DELETE", "/content/asset/{asset}", handlers::delete_metadata, {.admin = true, .operators = true}},
    {"GET",
     "/content/assets",
     handlers::list_content,
     {.parameters = "q genre tag sort after limit id", .repeatable = "id"}},

    {"GET", "/url/asset/{asset}", handlers::get_url, {.admin = true}},
    {"POST", "/url/asset/{asset}", handlers::put_url, {.admin = true, .body = true, .operators = true}},
    {"DELETE", "/url/asset/{asset}", handlers::delete_url, {.admin = true, .operators = true}},
    {"GET", "/url/assets", handlers::list_urls, {.admin = true, .parameters = "after limit"}},

    {"GET", "/events/asset/{asset}", handlers::asset_views},
    {"GET", "/events/asset/{asset}/series", handlers::series, {.parameters = "step from to"}},
    {"GET", "/events/user/{user}", handlers::user_views, {.user = true}},
    {"GET", "/events/user/{user}/history", handlers::history, {.user = true, .parameters = "limit after"}},
    {"GET", "/events/top", handlers::top_assets, {.parameters = "window at limit content"}},
    {"GET", "/events/series", handlers::series, {.parameters = "step from to"}},
    {"GET", "/events/assets", handlers::list_views, {.parameters = "after limit"}},
    {"GET", "/events/live", handlers::live, {.parameters = "asset user", .stream = true}},
    {"POST", "/events/asset/{asset}/user/{user}", handlers::record_view, {.user = true}},
    {"DELETE", "/events/user/{user}", handlers::erase_user, {.admin = true, .operators = true}},

    {"GET", "/", handlers::page, {.internal = true, .unlimited = true, .files = true}},
    {"GET", "/page/{file}", handlers::page_file, {.internal = true, .unlimited = true, .files = true}},
    {"GET", "/media/{file}", handlers::media, {.internal = true, .unlimited = true, .files = true}},

    {"GET", "/healthz", handlers::alive, {.internal = true, .unlimited = true}},
    {"GET", "/readyz", handlers::ready, {.internal = true, .unlimited = true}},
    {"GET", "/metrics", handlers::metrics, {.internal = true, .unlimited = true, .operators = true}},
    {"GET", "/metrics/fleet", handlers::fleet_metrics, {.internal = true, .unlimited = true, .operators = true}},
    {"GET", "/services", handlers::services, {.internal = true, .operators = true}},
    {"GET", "/openapi.json", handlers::openapi, {.internal = true}},
    {"GET", "/problems/{code}", handlers::problem, {.internal = true}},
};

constexpr auto labels = []
{
    std::array<route_label, std::size(table)> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = {table[i].method, table[i].pattern, table[i].is.admin || table[i].is.user || table[i].is.stream};
    return all;
}();

bool serves(route_set among, const route& each) noexcept
{
    return (!each.is.operators || has(among, route_set::operators)) && (!each.is.files || has(among, route_set::files));
}

/// The parameters of a path that matches the route's pattern; nothing if it does not.
std::optional<std::vector<std::string>> match(const route& each, const std::vector<std::string>& segments)
{
    auto pattern = each.pattern;
    std::vector<std::string> parameters;
    for (std::size_t i = 0; i < segments.size(); ++i)
    {
        if (pattern.empty())
            return std::nullopt;
        pattern.remove_prefix(1); // the slash
        const auto wanted = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(wanted.size());
        if (each.is.files && wanted.starts_with('{'))
        {
            parameters.assign(segments.begin() + static_cast<std::ptrdiff_t>(i), segments.end());
            return parameters;
        }
        if (wanted.starts_with('{'))
        {
            parameters.reserve(2); // no pattern has more
            parameters.push_back(segments[i]);
        }
        else if (wanted != segments[i])
            return std::nullopt;
    }
    if (!pattern.empty())
        return std::nullopt;
    return parameters;
}

} // namespace

bool takes_parameter(const route& each, std::string_view name) noexcept
{
    for (auto rest = each.is.parameters; !rest.empty();)
    {
        const auto one = rest.substr(0, rest.find(' '));
        if (one == name)
            return true;
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    }
    return false;
}

std::span<const route> all_routes() noexcept { return table; }

std::span<const route_label> route_labels() noexcept { return labels; }

std::size_t index_of(const route& each) noexcept { return static_cast<std::size_t>(&each - std::begin(table)); }

bool is_unlimited(std::string_view target, route_set among) noexcept
{
    const auto path = target.substr(0, target.find('?'));
    return std::any_of(std::begin(table), std::end(table),
                       [path, among](const route& each)
                       {
                           const auto fixed = each.pattern.substr(0, each.pattern.find('{'));
                           return each.is.unlimited && serves(among, each) &&
                                  (fixed == each.pattern ? path == fixed : path.starts_with(fixed));
                       });
}

std::string allowed_methods(const std::vector<std::string>& segments, route_set among)
{
    std::string allow;
    for (const auto& candidate : table)
        if (serves(among, candidate) && match(candidate, segments))
            allow += std::string(candidate.method == "GET" ? "GET, HEAD" : candidate.method) + ", ";
    return allow.empty() ? allow : allow + "OPTIONS";
}

std::string all_methods(route_set among)
{
    std::string all;
    for (const std::string_view method : {"GET", "POST", "DELETE"})
        if (std::any_of(std::begin(table), std::end(table),
                        [&](const route& each) { return serves(among, each) && each.method == method; }))
            all += std::string(method == "GET" ? "GET, HEAD" : method) + ", ";
    return all + "OPTIONS";
}

boost::system::result<route_match, request_failure>
find_route(std::string_view method, const std::vector<std::string>& segments, route_set among)
{
    const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
    for (const auto& candidate : table)
    {
        if (!serves(among, candidate))
            continue;
        auto parameters = match(candidate, segments);
        if (parameters && candidate.method == wanted)
            return route_match{&candidate, std::move(*parameters)};
    }
    const auto allow = allowed_methods(segments, among);
    if (allow.empty())
        return request_failure(fail(errc::route_not_found));
    request_failure refused(fail(errc::method_not_allowed));
    refused.fields.add("Allow", allow);
    return refused;
}

} // namespace marquee
