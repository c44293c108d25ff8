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
    auto answer = json_response(encode(reply));
    answer.fields.add("Cache-Control", "no-store");
    return answer;
}

result<void> check_edge(const edge_context& edge)
{
    if (edge.stopping)
        return fail(errc::stopping, "the edge is stopping");
    if (!edge.link_up())
        return fail(errc::disconnected, "the broker is away");
    return {};
}

const char* in_words(bool there) { return there ? "ok" : "away"; }

} // namespace

answer alive(edge_context&, routed_call) { co_return health("ok"); }

/// Whether this edge should be given plays. Without reporting they are answered, if without counts, and another edge would do no better: to be
/// taken out of a balancer for that would turn a degraded answer into none.
answer ready(edge_context& edge, routed_call)
{
    if (auto fit = check_edge(edge); fit.has_error())
        co_return fit.error();
    const auto there = co_await edge.fleet.who_is_there();
    if (auto fit = check_edge(edge); fit.has_error()) // that took a while
        co_return fit.error();
    if (!there.metadata || !there.cdnurl)
        co_return fail(errc::no_responders, std::string("no answer from ") + (there.metadata ? "" : "metadata") +
                                                (there.metadata || there.cdnurl ? "" : " and ") + (there.cdnurl ? "" : "cdnurl"));
    health_checks checks;
    checks.metadata = in_words(there.metadata);
    checks.cdnurl = in_words(there.cdnurl);
    checks.reporting = in_words(there.reporting);
    co_return health(there.reporting ? "ready" : "degraded", std::move(checks));
}

} // namespace marquee::handlers
