// From failures to HTTP: the one place that picks a status, and the problem document (RFC 9457).
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// A failure to answer with, and the asset or user it is about, if any.
struct request_failure
{
    error what;
    std::optional<std::string> id;
    http_fields fields; ///< more header fields for the answer, such as Allow

    request_failure() = default;
    request_failure(error e) : what(std::move(e)) {} // NOLINT(google-explicit-constructor): lets a handler return fail(…)
    request_failure(error e, std::string about) : what(std::move(e)), id(std::move(about)) {}
};

using http_result = boost::system::result<http_response, request_failure>;

/// `value()` on a failed http_result is a bug: it throws std::logic_error.
[[noreturn]] void throw_exception_from_error(const request_failure& e, const boost::source_location& where);

/// The HTTP status of a failure.
[[nodiscard]] int status_of(errc code) noexcept;

/// The application/problem+json answer to a failure. `request_id` becomes `instance`; there is always a detail, and a field in a 400. 429 and 503 carry Retry-After, 401 carries
/// WWW-Authenticate, the failure's own where it has one; nothing of it may be cached.
[[nodiscard]] http_response problem_response(const request_failure& failure, std::string_view request_id);

} // namespace marquee
