#include "edge/routes/handlers.hpp"
#include "schemas/messages.hpp"

namespace marquee::handlers
{

namespace
{

http_response health(std::string status, std::optional<health_checks> checks = {},
                     const std::vector<std::string>& old_instances = {})
{
    health_reply reply;
    reply.status = std::move(status);
    reply.checks = std::move(checks);
    if (!old_instances.empty())
        reply.old_instances = old_instances;
    return json_response(encode(reply));
}

result<void> check_edge(const edge_context& edge)
{
    if (edge.admitted.stopping)
        return fail(errc::stopping, "The edge is stopping.");
    if (!edge.services.link_up())
        return fail(errc::disconnected, "The broker is away.");
    return {};
}

} // namespace

handler_result alive(edge_context&, routed_call) { co_return health("ok"); }

/// Whether a load balancer should send plays to this edge. Without reporting or the stream it is
/// still ready: plays are answered without counts, and another edge could do no better.
handler_result ready(edge_context& edge, routed_call)
{
    if (auto fit = check_edge(edge); fit.has_error())
        co_return fit.error();
    const auto found = co_await edge.fleet.readiness.check(edge.services.direct, edge.fleet.view);
    if (auto fit = check_edge(edge); fit.has_error()) // may have changed during the check
        co_return fit.error();
    const bool metadata = found.metadata != part_state::away;
    const bool cdnurl = found.cdnurl != part_state::away;
    if (!metadata || !cdnurl)
        co_return fail(errc::no_responders, std::string("There is no answer from ") + (metadata ? "" : "metadata") +
                                                (metadata || cdnurl ? "" : " and ") + (cdnurl ? "" : "cdnurl") + '.');
    health_checks checks;
    checks.metadata = name_of(found.metadata);
    checks.cdnurl = name_of(found.cdnurl);
    checks.events = name_of(found.events);
    checks.reporting = name_of(found.reporting);
    const bool whole = found.metadata == part_state::ok && found.cdnurl == part_state::ok &&
                       found.events == part_state::ok && found.reporting == part_state::ok;
    const std::vector<std::string> none;
    const auto& old_ones = edge.batches != nullptr ? edge.batches->gate().old_instances() : none;
    co_return health(whole ? "ready" : "degraded", std::move(checks), old_ones);
}

} // namespace marquee::handlers
