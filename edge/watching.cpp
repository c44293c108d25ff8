// What an operator reads: numbers, the fleet, and what there is to ask for.
#include "edge/handlers.hpp"
#include "edge/openapi.hpp"
#include "edge/problems.hpp"

namespace marquee::handlers
{

namespace
{

/// Of what changes with the program only.
constexpr std::string_view as_the_program = "max-age=3600";

} // namespace

answer metrics(edge_context& edge, routed_call call)
{
    const auto until = deadline::in(std::chrono::milliseconds(500)).sooner(call.until);
    http_response found;
    found.body = co_await edge.board->text(until);
    found.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    co_return found;
}

answer services(edge_context& edge, routed_call)
{
    if (!edge.link_up())
        co_return fail(errc::disconnected, "The broker is away.");
    auto fleet = co_await edge.fleet.services();
    if (fleet.has_error())
        co_return fleet.error();
    co_return json_response(std::move(*fleet));
}

answer openapi(edge_context&, routed_call)
{
    auto found = json_response(std::string(openapi_text()));
    found.fields.add("Cache-Control", as_the_program);
    co_return found;
}

answer problem(edge_context&, routed_call call)
{
    const auto code = find_problem(call.ids.at(0));
    if (!code)
        co_return fail(errc::route_not_found, "No problem has this code.");
    http_response page;
    page.body = problem_page(*code);
    page.fields.add("Content-Type", "text/plain; charset=utf-8");
    page.fields.add("Cache-Control", as_the_program);
    co_return page;
}

} // namespace marquee::handlers
