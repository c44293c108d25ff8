#include "edge/http/status.hpp"

#include "edge/http/problems.hpp"
#include "schemas/messages.hpp"

#include <algorithm>
#include <stdexcept>

namespace marquee
{

namespace
{

/// Limits a detail, which may be a service's text, to a page.
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

http_response problem_response(const request_failure& failure, std::string_view request_id)
{
    const auto& what = failure.what;
    const auto& traits = traits_of(what.code);
    problem document;
    document.type = problem_path(what.code);
    document.title = traits.title;
    document.status = traits.http_status;
    document.code = traits.name;
    document.detail = what.detail.empty() ? problem_text_of(what.code).meaning : as_sentence(in_bounds(what.detail));
    document.instance = request_id;
    document.request_id = request_id;
    document.id = failure.id;
    if (is_field_name(what.field))
        document.field = what.field;
    else if (document.status == 400) // from a service, which names no field
        document.field = "request";

    http_response answer;
    answer.status = document.status;
    answer.overloaded = what.code == errc::overloaded;
    answer.body = encode(document);
    answer.fields.add("Content-Type", "application/problem+json");
    answer.fields.add("Cache-Control", "no-store");
    for (const auto& [name, value] : failure.fields)
        answer.fields.add(name, value);
    if (traits.when == error_traits::retry::later && !failure.fields.get("Retry-After"))
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
