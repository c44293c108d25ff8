// The endpoints that list counts, and those of views by time. Used by reporting_endpoints.cpp.
#pragma once

#include "broker/micro/service.hpp"
#include "services/reporting/reporting_endpoints.hpp"

#include <memory>
#include <optional>

namespace marquee
{

/// Each answers at once: an immediate_handler, but for the first argument. On the io thread.
[[nodiscard]] std::optional<service_result> answer_asset(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_user(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_top(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_series(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_asset_series(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_history(reporting_views& from, const service_request& request);
[[nodiscard]] std::optional<service_result> answer_assets(reporting_views& from, const service_request& request);

/// As answer_top(), which has nothing where the window is not added up: adds it up first, a step in
/// each turn of the loop, after those that came before it.
[[nodiscard]] asio::awaitable<service_result> sum_for_top(std::shared_ptr<reporting_views> from,
                                                          service_request request);

/// The database has failed: the program ends.
[[nodiscard]] service_error lookup_failed(reporting_views& views, const error& why);

} // namespace marquee
