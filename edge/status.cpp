#include "edge/status.hpp"

#include "edge/problems.hpp"
#include "schemas/messages.hpp"

#include <algorithm>
#include <stdexcept>

namespace marquee
{

namespace
{

/// A service's words are passed on, but no more of them than a page.
std::string in_bounds(std::string text)
{
    constexpr std::size_t most = 4095; // and a full stop
    if (text.size() <= most)
        return text;
    auto end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) // not in the middle of a character
        --end;
    text.resize(end);
    return text;
}

/// The name of a member, a parameter or a header field.
bool is_field_name(const std::string& text) noexcept
{
    constexpr std::size_t most = 8192;
    return !text.empty() && text.size() <= most &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

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
    case errc::not_implemented:
        return 501;
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
    case errc::version_not_supported:
        return 505;
    }
    return 500;
}

http_response problem_response(const request_failure& failure, std::string_view request_id)
{
    const auto& what = failure.what;
    problem document;
    document.type = problem_path(what.code);
    document.title = title_of(what.code);
    document.status = status_of(what.code);
    document.code = name_of(what.code);
    document.detail = what.detail.empty() ? problem_text_of(what.code).meaning : as_sentence(in_bounds(what.detail));
    document.instance = request_id;
    document.request_id = request_id;
    document.id = failure.id;
    if (is_field_name(what.field))
        document.field = what.field;
    else if (document.status == 400) // a service's, which does not say
        document.field = "request";

    http_response answer;
    answer.status = document.status;
    answer.overloaded = what.code == errc::overloaded;
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
