// What reporting adds to its STATS: how far it has counted, and why it does not serve.
#pragma once

#include "broker/jetstream/ordered_consumer.hpp"
#include "services/reporting/lag_meter.hpp"
#include "services/reporting/projection/counting_rule.hpp"
#include "services/reporting/projection/projection_progress.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace marquee
{

/// `data` of each endpoint. `alarm`: why it does not count or serve; where it is empty, a consumer
/// that is lost again and again is told instead.
[[nodiscard]] boost::json::object reporting_statistics(const projection_progress& p, const counting_rule& rule,
                                                       const lag_meter& meter, bool serving, const std::string& alarm,
                                                       const consumer_losses& losses);

} // namespace marquee
