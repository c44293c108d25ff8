// Handlers for operators and developers: metrics, services, the OpenAPI document and error codes.
#include "edge/http/problems.hpp"
#include "edge/routes/handlers.hpp"
#include "edge/routes/openapi.hpp"
#include "schemas/rfc3339.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <utility>

namespace marquee::handlers
{

namespace
{

/// For responses that change only with a new version of the program.
constexpr std::string_view cache_for_an_hour = "max-age=3600";

constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

/// The circuits of all threads, as a member of services_reply.
std::string circuits_member(const metrics_board& board)
{
    boost::json::array list;
    for (const auto& each : board.circuits())
        list.push_back({{"service", name_of(each.service)},
                        {"state", each.open > 0 ? "open" : "closed"},
                        {"open_threads", each.open},
                        {"threads", each.threads},
                        {"since", rfc3339(each.since)}});
    return R"("circuits":)" + boost::json::serialize(list);
}

} // namespace

handler_result metrics(edge_context& edge, routed_call call)
{
    const auto until = deadline::in(std::chrono::milliseconds(500)).sooner(call.until);
    http_response found;
    found.body = co_await edge.metrics.board->text(until);
    found.fields.add("Content-Type", prometheus_text);
    co_return found;
}

handler_result fleet_metrics(edge_context& edge, routed_call)
{
    if (!edge.services.link_up())
        co_return fail(errc::disconnected, "The broker is away.");
    auto asking = edge.fleet.scrape.page(edge.services.direct, edge.fleet.view);
    auto page = co_await std::move(asking);
    if (page.has_error())
        co_return page.error();
    http_response found;
    found.body = std::move(*page);
    found.fields.add("Content-Type", prometheus_text);
    co_return found;
}

handler_result services(edge_context& edge, routed_call)
{
    if (!edge.services.link_up())
        co_return fail(errc::disconnected, "The broker is away.");
    auto found = co_await edge.fleet.view.services();
    if (found.has_error())
        co_return found.error();
    if (edge.metrics.board && found->ends_with('}'))
    {
        found->pop_back();
        (found->append(",") += circuits_member(*edge.metrics.board)) += '}';
    }
    co_return json_response(std::move(*found));
}

handler_result openapi(edge_context&, routed_call)
{
    auto found = json_response(std::string(openapi_text()));
    found.fields.add("Cache-Control", cache_for_an_hour);
    co_return found;
}

handler_result problem(edge_context&, routed_call call)
{
    const auto code = find_problem(call.parameters.at(0));
    if (!code)
        co_return fail(errc::route_not_found, "No problem has this code.");
    http_response page;
    page.body = problem_page(*code);
    page.fields.add("Content-Type", "text/plain; charset=utf-8");
    page.fields.add("Cache-Control", cache_for_an_hour);
    co_return page;
}

} // namespace marquee::handlers
