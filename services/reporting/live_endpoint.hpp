// The endpoint live: views as they are counted.
#pragma once

#include "services/reporting/reporting_endpoints.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace marquee
{

inline constexpr std::size_t most_live_bytes = 512 * 1024; ///< of a reply, about

/// Answers with the views after a place, and waits for the first one until shortly before the
/// request's deadline. Views that are no longer in memory are read from the stream.
[[nodiscard]] endpoint_config live_endpoint(std::shared_ptr<reporting_views> views,
                                            std::function<boost::json::value()> data);

/// A view's time as text.
[[nodiscard]] std::string live_time(std::chrono::nanoseconds since_epoch);

} // namespace marquee
