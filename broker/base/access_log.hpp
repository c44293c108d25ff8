// Which requests get a line in the log.
#pragma once

#include "broker/base/log_line.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace marquee
{

/// Settings of a program that answers requests.
struct access_log_settings
{
    double share = 0;                     ///< of requests that get a line: 0 none, 1 all
    std::chrono::milliseconds slow{1000}; ///< what takes as long always gets one, and so does a failure
};

/// Reads `off`, `on`, or a share such as 0.01. Fails with bad_request.
[[nodiscard]] result<double> parse_access_log(std::string_view text);

/// Puts them in force. Thread-safe.
void set_access_log(const access_log_settings& settings);

/// Whether requests get lines that neither failed nor were slow. Thread-safe.
[[nodiscard]] bool logs_requests() noexcept;

/// Begins the line of a request that ends now: nothing where it gets none. The caller adds its
/// fields and writes it. `failed`: it was answered with a status of 500 or above.
///
/// A failure is `request failed`, and what took too long `slow request`, both warnings, 100 of
/// each in ten seconds unless all requests get lines. Other lines are `request`, at level info;
/// the share is taken by the request's id, so that all programs choose the same requests.
/// Thread-safe. Costs two comparisons where there is no line.
[[nodiscard]] std::optional<log_line> access_line(bool failed, std::chrono::nanoseconds took,
                                                  std::string_view request_id);

} // namespace marquee
