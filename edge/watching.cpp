// What an operator reads: numbers, the fleet, and what there is to ask for.
#include "edge/handlers.hpp"
#include "edge/openapi.hpp"

namespace marquee::handlers
{

answer metrics(edge_context& edge, routed_call call)
{
    const auto until = deadline::in(std::chrono::milliseconds(500)).sooner(call.until);
    http_response found;
    found.body = co_await edge.board->text(until);
    found.fields.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    found.fields.add("Cache-Control", "no-store");
    co_return found;
}

answer services(edge_context& edge, routed_call)
{
    if (!edge.link_up())
        co_return fail(errc::disconnected, "the broker is away");
    auto fleet = co_await edge.fleet.services();
    if (fleet.has_error())
        co_return fleet.error();
    auto found = json_response(std::move(*fleet));
    found.fields.add("Cache-Control", "no-store");
    co_return found;
}

answer openapi(edge_context&, routed_call) { co_return json_response(std::string(openapi_text())); }

} // namespace marquee::handlers
