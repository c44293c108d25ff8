// The table of routes.
#pragma once

#include "edge/context.hpp"
#include "edge/status.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// Answers one call. The context outlives it. Runs on the io thread.
using route_handler = asio::awaitable<http_result> (*)(edge_context&, routed_call);

struct route
{
    std::string_view method;
    std::string_view pattern; ///< segments; `{…}` stands for any one segment, an empty one included
    route_handler handler;
    bool admin = false;               ///< needs the admin token
    bool json = false;                ///< takes a JSON body
    bool internal = false;            ///< about the edge and its fleet: answered however much is under way
    std::string_view parameters = {}; ///< of the query, with blanks between; others are refused where checks_parameters() is true
};

/// Whether it names a user, as its last parameter: then it is for that user alone where players have tokens.
[[nodiscard]] constexpr bool names_user(const route& each) noexcept { return each.pattern.ends_with("/user/{user}"); }

/// Whether only the parameters that it knows may be asked with.
[[nodiscard]] constexpr bool checks_parameters(const route& each) noexcept { return each.method == "GET" && !each.internal; }

/// Whether it knows this parameter.
[[nodiscard]] bool takes_parameter(const route& each, std::string_view name) noexcept;

/// Every route of the edge.
[[nodiscard]] std::span<const route> all_routes() noexcept;

/// The methods of a path, as Allow lists them; empty where there is no such path.
[[nodiscard]] std::string allowed_methods(const std::vector<std::string>& segments);

struct route_match
{
    const route* found;
    std::vector<std::string> ids; ///< what stood for the pattern's parameters
};

/// Finds the route. HEAD is answered as GET is. Fails with route_not_found, or with method_not_allowed and an Allow field where the path exists.
[[nodiscard]] boost::system::result<route_match, request_failure> find_route(std::string_view method,
                                                                             const std::vector<std::string>& segments);

} // namespace marquee
