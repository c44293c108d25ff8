#include "schemas/error.hpp"

#include "schemas/parse_number.hpp"

#include <array>
#include <cstddef>
#include <stdexcept>

namespace marquee
{

namespace
{

using retry = error_traits::retry;
using origin = error_traits::origin;

/// The row of a code, in the order of error_traits: name, title, HTTP status, NATS code, NATS text,
/// retry, health effect, origin. There is no default, so that the compiler names a missing code.
constexpr error_traits row_of(errc code) noexcept
{
    switch (code)
    {
    case errc::bad_id:
        return {"bad_id", "Bad id", 400, 400, "Bad id", retry::no, health_effect::answer, origin::service};
    case errc::bad_request:
        return {"bad_request",         "Bad request",  400, 400, "Bad request", retry::no,
                health_effect::answer, origin::service};
    case errc::unauthorized:
        return {"unauthorized", "Credentials missing or wrong", 401,         401, "Credentials missing or wrong",
                retry::no,      health_effect::answer,          origin::edge};
    case errc::forbidden:
        return {"forbidden", "Not allowed", 403, 403, "Not allowed", retry::no, health_effect::answer, origin::edge};
    case errc::route_not_found:
        return {"route_not_found", "No such route",       404,         404, "No such route",
                retry::no,         health_effect::answer, origin::edge};
    case errc::method_not_allowed:
        return {"method_not_allowed",  "Method not allowed", 405, 405, "Method not allowed", retry::no,
                health_effect::answer, origin::edge};
    case errc::request_timeout:
        return {"request_timeout",
                "The request took too long to arrive",
                408,
                408,
                "The request took too long to arrive",
                retry::no,
                health_effect::answer,
                origin::edge};
    case errc::payload_too_large:
        return {"payload_too_large", "Body too large",      413,         413, "Body too large",
                retry::no,           health_effect::answer, origin::edge};
    case errc::uri_too_long:
        return {"uri_too_long", "Request target too long", 414,         414, "Request target too long",
                retry::no,      health_effect::answer,     origin::edge};
    case errc::headers_too_large:
        return {"headers_too_large", "Header section too large", 431,         431, "Header section too large",
                retry::no,           health_effect::answer,      origin::edge};
    case errc::unsupported_media:
        return {"unsupported_media",
                "Unsupported media type or encoding",
                415,
                415,
                "Unsupported media type or encoding",
                retry::no,
                health_effect::answer,
                origin::edge};
    case errc::not_implemented:
        return {"not_implemented", "Method not implemented", 501,         501, "Method not implemented",
                retry::no,         health_effect::answer,    origin::edge};
    case errc::version_not_supported:
        return {"version_not_supported",
                "HTTP version not supported",
                505,
                505,
                "HTTP version not supported",
                retry::no,
                health_effect::answer,
                origin::edge};
    case errc::range_not_satisfiable:
        return {"range_not_satisfiable",
                "Range not satisfiable",
                416,
                416,
                "Range not satisfiable",
                retry::no,
                health_effect::answer,
                origin::edge};
    case errc::rate_limited:
        return {"rate_limited",        "Too many requests", 429, 429, "Too many requests", retry::later,
                health_effect::answer, origin::service};
    case errc::asset_not_found:
        return {"asset_not_found",     "Asset not found", 404, 404, "Asset not found", retry::no,
                health_effect::answer, origin::service};
    case errc::user_not_found:
        return {"user_not_found",      "User not found", 404, 404, "User not found", retry::no,
                health_effect::answer, origin::service};
    case errc::not_playable:
        return {"not_playable",        "Asset not playable", 404, 404, "Asset not playable", retry::no,
                health_effect::answer, origin::service};
    case errc::revision_mismatch:
        return {"revision_mismatch",   "Revision mismatch", 412, 409, "Revision mismatch", retry::no,
                health_effect::answer, origin::service};
    case errc::key_reused:
        return {"key_reused",   "Idempotency key used before", 422, 422, "key_reused", retry::no, health_effect::answer,
                origin::service};
    case errc::malformed_reply:
        return {"malformed_reply",
                "A service's reply made no sense",
                502,
                502,
                "A service's reply made no sense",
                retry::no,
                health_effect::answer,
                origin::service};
    case errc::service_failed:
        return {"service_failed",       "A service failed", 502, 500, "A service failed", retry::no,
                health_effect::failure, origin::service};
    case errc::no_responders:
        return {"no_responders",
                "No service instance is available",
                503,
                503,
                "No service instance is available",
                retry::later,
                health_effect::unknown,
                origin::service};
    case errc::disconnected:
        return {"disconnected",
                "The message broker is unreachable",
                503,
                503,
                "The message broker is unreachable",
                retry::later,
                health_effect::unknown,
                origin::service};
    case errc::overloaded:
        return {"overloaded",   "Too much work under way", 503, 503, "overloaded", retry::later, health_effect::unknown,
                origin::service};
    case errc::stopping:
        return {"stopping",     "The process is stopping", 503, 503, "Stopping", retry::later, health_effect::unknown,
                origin::service};
    case errc::unavailable:
        return {
            "unavailable",  "Temporarily unavailable", 503, 503, "unavailable", retry::later, health_effect::failure,
            origin::service};
    case errc::timeout:
        return {"timeout",      "Deadline exceeded", 504, 504, "Deadline exceeded", retry::no, health_effect::failure,
                origin::service};
    case errc::outcome_unknown:
        return {"outcome_unknown",      "Outcome unknown", 504, 504, "outcome_unknown", retry::no,
                health_effect::failure, origin::service};
    }
    return {"unknown", "Unknown", 500, 500, "Unknown", retry::no, health_effect::unknown, origin::edge};
}

constexpr auto rows = []
{
    std::array<error_traits, static_cast<std::size_t>(last_errc) + 1> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = row_of(static_cast<errc>(i));
    return all;
}();

} // namespace

const error_traits& traits_of(errc code) noexcept
{
    const auto at = static_cast<std::size_t>(code);
    return rows[at < rows.size() ? at : 0];
}

errc errc_from_service(std::string_view text, std::string_view number) noexcept
{
    for (std::size_t i = 1; i < rows.size(); ++i)
        if (rows[i].service_text == text)
            return static_cast<errc>(i);
    const auto code = parse_number<unsigned>(number);
    if (!code)
        return errc::malformed_reply;
    switch (*code)
    {
    case 400:
        return errc::bad_request;
    case 404:
        return errc::asset_not_found;
    case 409:
        return errc::revision_mismatch;
    case 413:
        return errc::payload_too_large;
    case 422:
        return errc::key_reused;
    case 503:
        return errc::unavailable;
    case 504:
        return errc::timeout;
    default:
        return *code >= 500 && *code <= 599 ? errc::service_failed : errc::malformed_reply;
    }
}

void throw_exception_from_error(const error& e, const boost::source_location& where)
{
    throw std::logic_error(std::string(name_of(e.code)) + ": " + e.detail + " (" + where.file_name() + ":" +
                           std::to_string(where.line()) + ")");
}

} // namespace marquee
