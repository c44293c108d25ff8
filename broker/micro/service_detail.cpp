#include "broker/micro/service_detail.hpp"

#include "broker/telemetry/span.hpp"
#include "schemas/messages.hpp"

#include <algorithm>

namespace marquee::detail
{

namespace json = boost::json;

namespace
{

constexpr std::string_view identifier_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

/// Identifiers joined by dots, none of them empty; `strict`: a number among them has no leading
/// zero.
bool are_semver_identifiers(std::string_view text, bool strict) noexcept
{
    for (;;)
    {
        const auto one = text.substr(0, text.find('.'));
        if (one.empty() || one.find_first_not_of(identifier_characters) != std::string_view::npos)
            return false;
        const bool number = one.find_first_not_of("0123456789") == std::string_view::npos;
        if (strict && number && one.size() > 1 && one.front() == '0')
            return false;
        if (one.size() == text.size())
            return true;
        text.remove_prefix(one.size() + 1);
    }
}

} // namespace

bool is_service_name(std::string_view name) noexcept
{
    return !name.empty() &&
           name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
               std::string_view::npos;
}

bool is_semver(std::string_view version) noexcept
{
    const auto plus = version.find('+');
    if (plus != std::string_view::npos && !are_semver_identifiers(version.substr(plus + 1), false))
        return false;
    version = version.substr(0, plus);
    const auto dash = version.find('-');
    if (dash != std::string_view::npos && !are_semver_identifiers(version.substr(dash + 1), true))
        return false;
    version = version.substr(0, dash);
    return std::count(version.begin(), version.end(), '.') == 2 &&
           version.find_first_not_of("0123456789.") == std::string_view::npos && are_semver_identifiers(version, true);
}

json::object as_json(const std::map<std::string, std::string>& metadata)
{
    json::object out;
    for (const auto& [key, value] : metadata)
        out[key] = value;
    return out;
}

bool subject_matches(std::string_view pattern, std::string_view subject) noexcept
{
    while (!pattern.empty() && !subject.empty())
    {
        if (pattern == ">")
            return true;
        const auto wanted = pattern.substr(0, pattern.find('.'));
        const auto given = subject.substr(0, subject.find('.'));
        if (given.empty() || (wanted != "*" && wanted != given))
            return false;
        pattern.remove_prefix(std::min(pattern.size(), wanted.size() + 1));
        subject.remove_prefix(std::min(subject.size(), given.size() + 1));
    }
    return pattern.empty() && subject.empty();
}

service_reply error_reply_for(const service_error& why)
{
    const auto title = service_text_of(why.what.code);
    error_reply body;
    body.status = title;
    if (!why.id.empty())
        body.id = why.id;
    if (!why.what.detail.empty())
        body.detail = why.what.detail;
    if (!why.what.field.empty())
        body.field = why.what.field;
    header_list headers;
    headers.set(names::header_service_error, title);
    headers.set(names::header_service_error_code, std::to_string(service_code_of(why.what.code)));
    return {encode(body), std::move(headers)};
}

std::string_view reason_to_refuse(const endpoint_config& endpoint, const message& msg, bool inbox) noexcept
{
    if (!msg.reply.empty())
        return inbox ? "" : "its reply subject is no inbox";
    if (!endpoint.change)
        return "it has no reply subject";
    if (!subject_matches(endpoint.subject, msg.subject))
        return "it was stored under another subject";
    if (msg.headers_unreadable)
        return "its headers cannot be read";
    if (msg.headers.has("Nats-Stream")) // a republished message, or what a stream answers with
        return "it comes out of a stream";
    if (msg.headers.has("Status")) // a heartbeat, or that nobody responds
        return "it is a status of the broker";
    if (!endpoint.takes_payload && !msg.data.empty()) // an acknowledgement of JetStream, say
        return "it has a payload and no reply subject";
    return "";
}

} // namespace marquee::detail

void marquee::add_span_counts(boost::json::object& data)
{
    const auto* spans = process_sink();
    if (spans == nullptr)
        return;
    data["spans_exported"] = spans->exported();
    data["spans_dropped"] = spans->dropped();
}
