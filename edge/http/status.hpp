// Failures as HTTP answers: problem documents (RFC 9457). Pure functions; thread-safe.
#pragma once

#include "edge/http/http.hpp"
#include "schemas/error.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The failure of a request, and the asset or user that it is about, if any.
struct request_failure
{
    error what;
    std::optional<std::string> id;
    http_fields fields; ///< more header fields for the answer, such as Allow

    request_failure() = default;
    request_failure(error e) : what(std::move(e)) {} // implicit: lets a handler return fail(…)
    request_failure(error e, std::string about) : what(std::move(e)), id(std::move(about)) {}
};

using http_result = boost::system::result<http_response, request_failure>;

/// Called by value() of a failed http_result, which is a bug: throws std::logic_error.
[[noreturn]] void throw_exception_from_error(const request_failure& e, const boost::source_location& where);

/// The HTTP status of a failure.
[[nodiscard]] inline int status_of(errc code) noexcept { return traits_of(code).http_status; }

/// The application/problem+json answer to a failure. It always has a detail, and a 400 has a field;
/// `request_id` is its `instance`. 429 and 503 have Retry-After and 401 has WWW-Authenticate: those
/// of `failure`, if it has them. It may not be cached.
[[nodiscard]] http_response problem_response(const request_failure& failure, std::string_view request_id);

} // namespace marquee
