#include "schemas/error.hpp"

#include <array>
#include <charconv>
#include <stdexcept>

namespace marquee
{

namespace
{

struct row
{
    errc code;
    std::string_view name;
    std::string_view title;
    int service_code;
    std::string_view service_text = {}; ///< empty: the title
};

constexpr row rows[] = {
    {errc::bad_id, "bad_id", "Bad id", 400},
    {errc::bad_request, "bad_request", "Bad request", 400},
    {errc::unauthorized, "unauthorized", "Credentials missing or wrong", 401},
    {errc::forbidden, "forbidden", "Not allowed", 403},
    {errc::route_not_found, "route_not_found", "No such route", 404},
    {errc::method_not_allowed, "method_not_allowed", "Method not allowed", 405},
    {errc::request_timeout, "request_timeout", "The request took too long to arrive", 408},
    {errc::payload_too_large, "payload_too_large", "Body too large", 413},
    {errc::uri_too_long, "uri_too_long", "Request target too long", 414},
    {errc::headers_too_large, "headers_too_large", "Header section too large", 431},
    {errc::unsupported_media, "unsupported_media", "Unsupported media type or encoding", 415},
    {errc::not_implemented, "not_implemented", "Method not implemented", 501},
    {errc::version_not_supported, "version_not_supported", "HTTP version not supported", 505},
    {errc::rate_limited, "rate_limited", "Too many requests", 429},
    {errc::asset_not_found, "asset_not_found", "Asset not found", 404},
    {errc::user_not_found, "user_not_found", "User not found", 404},
    {errc::not_playable, "not_playable", "Asset not playable", 404},
    {errc::revision_mismatch, "revision_mismatch", "Revision mismatch", 409},
    {errc::key_reused, "key_reused", "Idempotency key used before", 422, "key_reused"},
    {errc::malformed_reply, "malformed_reply", "A service's reply made no sense", 502},
    {errc::service_failed, "service_failed", "A service failed", 500},
    {errc::no_responders, "no_responders", "No service instance is available", 503},
    {errc::disconnected, "disconnected", "The message broker is unreachable", 503},
    {errc::overloaded, "overloaded", "Too much work under way", 503, "overloaded"},
    {errc::stopping, "stopping", "The process is stopping", 503, "Stopping"},
    {errc::unavailable, "unavailable", "Temporarily unavailable", 503, "unavailable"},
    {errc::timeout, "timeout", "Deadline exceeded", 504},
    {errc::outcome_unknown, "outcome_unknown", "Outcome unknown", 504, "outcome_unknown"},
};

/// The position of a code in `rows`. Without a default the compiler names a code that has no row.
constexpr const row* find(errc code) noexcept
{
    for (const auto& r : rows)
        if (r.code == code)
            return &r;
    return nullptr;
}

static_assert(std::size(rows) == static_cast<std::size_t>(errc::outcome_unknown), "every code needs a row");

} // namespace

std::string_view name_of(errc code) noexcept
{
    const auto* r = find(code);
    return r != nullptr ? r->name : "unknown";
}

std::string_view title_of(errc code) noexcept
{
    const auto* r = find(code);
    return r != nullptr ? r->title : "Unknown";
}

std::string_view service_text_of(errc code) noexcept
{
    const auto* r = find(code);
    return r == nullptr ? "Unknown" : r->service_text.empty() ? r->title : r->service_text;
}

int service_code_of(errc code) noexcept
{
    const auto* r = find(code);
    return r != nullptr ? r->service_code : 500;
}

errc errc_from_service(std::string_view text, std::string_view number) noexcept
{
    for (const auto& r : rows)
        if (r.service_text.empty() ? r.title == text : r.service_text == text)
            return r.code;
    int code = 0;
    const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), code);
    if (ec != std::errc() || end != number.data() + number.size())
        return errc::malformed_reply;
    switch (code)
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
        return code >= 500 && code <= 599 ? errc::service_failed : errc::malformed_reply;
    }
}

void throw_exception_from_error(const error& e, const boost::source_location& where)
{
    throw std::logic_error(std::string(name_of(e.code)) + ": " + e.detail + " (" + where.file_name() + ":" +
                           std::to_string(where.line()) + ")");
}

} // namespace marquee
