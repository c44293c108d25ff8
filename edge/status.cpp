#include "edge/status.hpp"

#include "schemas/messages.hpp"

#include <stdexcept>

namespace marquee
{

int status_of(errc code) noexcept
{
    switch (code)
    {
    case errc::bad_id:
    case errc::bad_request:
        return 400;
    case errc::unauthorized:
        return 401;
    case errc::forbidden:
        return 403;
    case errc::route_not_found:
    case errc::asset_not_found:
    case errc::user_not_found:
    case errc::not_playable:
        return 404;
    case errc::method_not_allowed:
        return 405;
    case errc::request_timeout:
        return 408;
    case errc::revision_mismatch:
        return 412;
    case errc::payload_too_large:
        return 413;
    case errc::uri_too_long:
        return 414;
    case errc::unsupported_media:
        return 415;
    case errc::key_reused:
        return 422;
    case errc::rate_limited:
        return 429;
    case errc::headers_too_large:
        return 431;
    case errc::malformed_reply:
    case errc::service_failed:
        return 502;
    case errc::no_responders:
    case errc::disconnected:
    case errc::overloaded:
    case errc::stopping:
    case errc::unavailable:
        return 503;
    case errc::timeout:
    case errc::outcome_unknown:
        return 504;
    }
    return 500;
}

http_response problem_response(const request_failure& failure, std::string_view request_id)
{
    const auto& what = failure.what;
    problem document;
    document.title = title_of(what.code);
    document.status = status_of(what.code);
    document.code = name_of(what.code);
    if (!what.detail.empty())
        document.detail = what.detail;
    document.instance = request_id;
    document.id = failure.id;
    if (!what.field.empty())
        document.field = what.field;

    http_response answer;
    answer.status = document.status;
    answer.body = encode(document);
    answer.fields.add("Content-Type", "application/problem+json");
    answer.fields.add("Cache-Control", "no-store");
    for (const auto& [name, value] : failure.fields)
        answer.fields.add(name, value);
    if ((answer.status == 503 || answer.status == 429) && !failure.fields.get("Retry-After"))
        answer.fields.add("Retry-After", "1");
    if (answer.status == 401 && !answer.fields.get("WWW-Authenticate"))
        answer.fields.add("WWW-Authenticate", "Bearer realm=\"marquee\"");
    return answer;
}

void throw_exception_from_error(const request_failure& e, const boost::source_location& where)
{
    throw std::logic_error(std::string(name_of(e.what.code)) + ": " + e.what.detail + " (" + where.to_string() + ")");
}

} // namespace marquee
