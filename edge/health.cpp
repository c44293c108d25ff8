#include "edge/handlers.hpp"
#include "schemas/messages.hpp"

namespace marquee::handlers
{

namespace
{

http_response health(std::string status)
{
    health_reply reply;
    reply.status = std::move(status);
    auto answer = json_response(encode(reply));
    answer.fields.add("Cache-Control", "no-store");
    return answer;
}

} // namespace

answer alive(edge_context&, routed_call) { co_return health("ok"); }

answer ready(edge_context& edge, routed_call)
{
    if (edge.stopping)
        co_return fail(errc::stopping, "the edge is stopping");
    if (!edge.link_up())
        co_return fail(errc::disconnected, "the broker is away");
    co_return health("ready");
}

} // namespace marquee::handlers
