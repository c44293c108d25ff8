// The table of routes.
#pragma once

#include "edge/http/status.hpp"
#include "edge/routes/context.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Handles one call: returns a response or a failure, never throws. The context outlives it. Runs
/// on the io thread of the context.
using route_handler = asio::awaitable<http_result> (*)(edge_context&, routed_call);

/// What a route requires and accepts, besides its method and path.
struct route_traits
{
    bool admin = false;               ///< needs the admin token
    bool body = false;                ///< takes a JSON body
    bool user = false;                ///< last path parameter is a user: needs that user's token, counts for its rate
    bool internal = false;            ///< about the edge and its services: exempt from max_in_flight
    bool unlimited = false;           ///< its path is exempt from rate limits, whatever the method
    bool operators = false;           ///< for operators only: see route_set
    std::string_view parameters = {}; ///< allowed query parameters, separated by spaces; see checks_parameters()
    std::string_view repeatable = {}; ///< the one of them that may be given more than once
    bool files = false;  ///< of the page or the videos: see route_set; its parameter is all segments that follow
    bool stream = false; ///< the answer is a stream, made by the edge; with a user's token it may say more
};

/// Which routes a listener serves, besides those of players: a set of bits.
enum class route_set : unsigned char
{
    players_only = 0,
    operators = 1, ///< not those of --listen where operators have --admin-listen
    files = 2,     ///< the page and the videos; not with --no-web
    all = operators | files,
    without_operators = files,
};

[[nodiscard]] constexpr bool has(route_set all, route_set one) noexcept
{
    return (static_cast<unsigned>(all) & static_cast<unsigned>(one)) != 0;
}

/// `all` without `some`.
[[nodiscard]] constexpr route_set without(route_set all, route_set some) noexcept
{
    return static_cast<route_set>(static_cast<unsigned>(all) & ~static_cast<unsigned>(some));
}

/// A row of the table of routes.
struct route
{
    std::string_view method;
    std::string_view pattern; ///< segments; `{…}` matches exactly one, which may be empty
    route_handler handler;
    route_traits is = {};
};

/// Whether query parameters that the route does not accept are refused.
[[nodiscard]] constexpr bool checks_parameters(const route& each) noexcept
{
    return each.method == "GET" && !each.is.internal;
}

/// Whether the route accepts a query parameter of this name.
[[nodiscard]] bool takes_parameter(const route& each, std::string_view name) noexcept;

/// The routes of the edge. The table is constant: this function and those below are thread-safe.
[[nodiscard]] std::span<const route> all_routes() noexcept;

/// The labels of the routes for metrics, in the order of all_routes().
[[nodiscard]] std::span<const route_label> route_labels() noexcept;

/// The index of a route in all_routes(), to which it must belong.
[[nodiscard]] std::size_t index_of(const route& each) noexcept;

/// Whether a request target (path and query) is exempt from rate limits (route_traits::unlimited).
[[nodiscard]] bool is_unlimited(std::string_view target, route_set among = route_set::all) noexcept;

/// The methods of a path as the value of Allow (RFC 9110 section 10.2.1); empty if no route has it.
[[nodiscard]] std::string allowed_methods(const std::vector<std::string>& segments, route_set among = route_set::all);

/// The methods of all routes, in the same form.
[[nodiscard]] std::string all_methods(route_set among);

/// A route of all_routes(), and the path parameters of one request.
struct route_match
{
    const route* found;
    std::vector<std::string> parameters; ///< in the pattern's order, percent-decoded
};

/// Finds the route of a method and of decoded path segments. HEAD uses the route of GET. Fails with
/// route_not_found; with method_not_allowed and an Allow field if the path has other methods.
[[nodiscard]] boost::system::result<route_match, request_failure>
find_route(std::string_view method, const std::vector<std::string>& segments, route_set among = route_set::all);

} // namespace marquee
