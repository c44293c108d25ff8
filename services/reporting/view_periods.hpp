// Which steps a request for views by time means.
#pragma once

#include "schemas/error.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/view_messages.hpp"
#include "services/reporting/projection/steps.hpp"

#include <optional>
#include <string>

namespace marquee
{

inline constexpr std::int64_t most_points = 1000;

/// The steps of a series. `now` decides the running step. Fails with bad_request and the member
/// that is wrong: no time of the years 1970 to 9998, `from` later than `to`, or more than
/// most_points.
[[nodiscard]] result<step_range> steps_of_series(const series_request& wanted, time_in_ms now);

/// The steps of a window; none for all views. Fails as steps_of_series(): an unknown window, or
/// `at` without a window that has an end.
[[nodiscard]] result<std::optional<step_range>> steps_of_window(const top_request& wanted, time_in_ms now);

/// The start of a step, as text.
[[nodiscard]] std::string start_of(step_kind kind, std::int64_t step);

} // namespace marquee
