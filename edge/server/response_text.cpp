#include "edge/server/response_text.hpp"

#include <array>
#include <ctime>
#include <string_view>

namespace marquee
{

namespace
{

/// The present time as an IMF-fixdate (RFC 9110 section 5.6.7), formatted once a second.
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

std::string_view reason_phrase(int status) noexcept
{
    switch (status)
    {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 412:
        return "Precondition Failed";
    case 413:
        return "Payload Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 416:
        return "Range Not Satisfiable";
    case 422:
        return "Unprocessable Entity";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Unknown";
    }
}

answer_context context_of(const request_head& head)
{
    answer_context context;
    context.request_id = request_id_for(head.fields);
    context.version = head.version;
    context.keep_alive = head.keep_alive;
    context.head_only = head.method == "HEAD";
    context.origin = origin_of(head.fields);
    return context;
}

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
    constexpr std::size_t usual_head_bytes = 512;
    text.reserve(usual_head_bytes + answer.body.size());
    text += context.version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
    text += std::to_string(answer.status);
    text += ' ';
    text += reason_phrase(answer.status);
    text += "\r\n";
    const auto add = [&text](std::string_view name, std::string_view value)
    { (((text += name) += ": ") += value) += "\r\n"; };
    for (const auto& [name, value] : answer.fields)
        add(name, value);
    add("Date", http_date());
    add("X-Request-ID", context.request_id);
    if (context.keep_alive != (context.version == 11)) // not the version's default
        add("Connection", context.keep_alive ? "keep-alive" : "close");
    const bool has_body = answer.status != 304 && answer.status != 204;
    const auto streamed = answer.stream ? answer.stream->size() : std::nullopt;
    if (streamed)
        add("Content-Length", std::to_string(*streamed));
    else if (answer.stream && context.version == 11)
        add("Transfer-Encoding", "chunked");
    else if (has_body && !answer.stream)
        add("Content-Length", std::to_string(answer.body.size()));
    text += "\r\n";
    if (has_body && !context.head_only)
        text += answer.body;
    return text;
}

} // namespace marquee
