#include "edge/routes/context.hpp"

#include "edge/routes/routes.hpp"

namespace marquee
{

edge_context::edge_context(requester& direct, requester& bundled)
    : metrics{std::make_shared<worker_metrics>(route_labels()), std::make_shared<metrics_board>(route_labels())},
      services(direct, bundled, *metrics.worker)
{
}

} // namespace marquee
