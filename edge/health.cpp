#include "edge/handlers.hpp"
#include "schemas/messages.hpp"

namespace marquee::handlers
{

namespace
{

http_response health(std::string status, std::optional<health_checks> checks = {})
{
    health_reply reply;
    reply.status = std::move(status);
    reply.checks = std::move(checks);
    return json_response(encode(reply));
}

result<void> check_edge(const edge_context& edge)
{
    if (edge.stopping)
        return fail(errc::stopping, "The edge is stopping.");
    if (!edge.link_up())
        return fail(errc::disconnected, "The broker is away.");
    return {};
}

} // namespace

answer alive(edge_context&, routed_call) { co_return health("ok"); }

/// Whether this edge should be given plays. Without reporting or the stream they are answered, if without counts, and another edge would do no
/// better: to be taken out of a balancer for that would turn a degraded answer into none.
answer ready(edge_context& edge, routed_call)
{
    if (auto fit = check_edge(edge); fit.has_error())
        co_return fit.error();
    const auto found = co_await edge.readiness.look(edge.nats, edge.fleet);
    if (auto fit = check_edge(edge); fit.has_error()) // that took a while
        co_return fit.error();
    const bool metadata = found.metadata != fitness::away;
    const bool cdnurl = found.cdnurl != fitness::away;
    if (!metadata || !cdnurl)
        co_return fail(errc::no_responders, std::string("There is no answer from ") + (metadata ? "" : "metadata") +
                                                (metadata || cdnurl ? "" : " and ") + (cdnurl ? "" : "cdnurl") + '.');
    health_checks checks;
    checks.metadata = name_of(found.metadata);
    checks.cdnurl = name_of(found.cdnurl);
    checks.events = name_of(found.events);
    checks.reporting = name_of(found.reporting);
    const bool whole = found.metadata == fitness::ok && found.cdnurl == fitness::ok && found.events == fitness::ok &&
                       found.reporting == fitness::ok;
    co_return health(whole ? "ready" : "degraded", std::move(checks));
}

} // namespace marquee::handlers
