#include "edge/response_text.hpp"

#include <boost/beast/http/status.hpp>

#include <array>
#include <ctime>
#include <string_view>

namespace marquee
{

namespace
{

/// The time as RFC 9110 writes it, made once a second.
const std::string& http_date()
{
    thread_local std::time_t made_for = 0;
    thread_local std::string text;
    const auto now = std::time(nullptr);
    if (now != made_for)
    {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        std::array<char, 40> buffer{};
        const auto size = std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer.data(), size);
        made_for = now;
    }
    return text;
}

} // namespace

answer_context context_of(const head_glance& seen)
{
    answer_context context;
    context.request_id = request_id_for(seen.fields);
    context.version = seen.version;
    context.head_only = seen.head_only;
    context.origin_read = seen.whole || seen.fields.get("Origin");
    context.origin = origin_of(seen.fields);
    return context;
}

std::string response_text(http_response answer, const answer_context& context, const cors_policy& cors)
{
    if (context.origin_read)
        cors.grant(context.origin, answer.fields);
    else
        cors.grant_unread(answer.fields);
    std::string text;
    text.reserve(512 + answer.body.size());
    text += context.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
    text += std::to_string(answer.status);
    text += ' ';
    text += boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(answer.status));
    text += "\r\n";
    const auto add = [&text](std::string_view name, std::string_view value) { (((text += name) += ": ") += value) += "\r\n"; };
    for (const auto& [name, value] : answer.fields)
        add(name, value);
    add("Date", http_date());
    add("X-Request-ID", context.request_id);
    if (context.keep_alive != (context.version == 11)) // what the version does not say by itself
        add("Connection", context.keep_alive ? "keep-alive" : "close");
    const bool has_body = answer.status != 304 && answer.status != 204;
    if (has_body)
        add("Content-Length", std::to_string(answer.body.size()));
    text += "\r\n";
    if (has_body && !context.head_only)
        text += answer.body;
    return text;
}

} // namespace marquee
