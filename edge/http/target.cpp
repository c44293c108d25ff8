#include "edge/http/target.hpp"

#include "edge/http/characters.hpp"
#include "schemas/ids.hpp"
#include "schemas/parse_number.hpp"
#include "schemas/percent.hpp"
#include "schemas/rfc3339.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

result<std::string> percent_decode(std::string_view text, bool plus_is_space)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (text[i] == '%')
        {
            const auto byte = percent_escape(text, i);
            if (!byte)
                return fail(errc::bad_request, "A % in the target is not followed by two hex digits.", "target");
            decoded += *byte;
            i += 2;
        }
        else
            decoded += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
    return decoded;
}

result<void> parse_query(std::string_view text, request_target& into)
{
    while (!text.empty())
    {
        const auto pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty())
            continue;
        const auto equals = pair.find('=');
        auto name = percent_decode(pair.substr(0, equals), true);
        auto value = percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
        if (name.has_error() || value.has_error())
            return name.has_error() ? name.error() : value.error();
        into.query.emplace_back(std::move(*name), std::move(*value));
    }
    return {};
}

} // namespace

result<request_target> parse_target(std::string_view target)
{
    if (target.empty() || target.front() != '/')
        return fail(errc::bad_request, "The target must start with a slash.", "target");

    request_target parsed;
    const auto question_mark = target.find('?');
    auto path = target.substr(1, question_mark == std::string_view::npos ? question_mark : question_mark - 1);
    parsed.segments.reserve(1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')));
    for (;;)
    {
        const auto slash = path.find('/');
        auto segment = percent_decode(path.substr(0, slash), false);
        if (segment.has_error())
            return segment.error();
        parsed.segments.push_back(std::move(*segment));
        if (slash == std::string_view::npos)
            break;
        path.remove_prefix(slash + 1);
    }
    if (question_mark != std::string_view::npos)
    {
        auto query = parse_query(target.substr(question_mark + 1), parsed);
        if (query.has_error())
            return query.error();
    }
    return parsed;
}

result<std::optional<std::string>> query_value(const request_target& target, std::string_view name)
{
    std::optional<std::string> found;
    for (const auto& [n, v] : target.query)
    {
        if (n != name)
            continue;
        if (found)
            return fail(errc::bad_request, "The parameter " + std::string(name) + " is given more than once.",
                        std::string(name));
        found = v;
    }
    return found;
}

result<std::optional<std::string>> query_id(const request_target& target, std::string_view name)
{
    auto value = query_value(target, name);
    if (value.has_error() || !*value || is_valid_id(**value))
        return value;
    return fail(errc::bad_request,
                "The parameter " + std::string(name) +
                    " must be an id: 1 to 128 bytes of UTF-8 without control characters.",
                std::string(name));
}

result<std::optional<std::string>> query_choice(const request_target& target, std::string_view name,
                                                std::span<const std::string_view> choices)
{
    auto value = query_value(target, name);
    if (value.has_error() || !*value || std::find(choices.begin(), choices.end(), **value) != choices.end())
        return value;
    std::string detail = "The parameter " + std::string(name) + " is one of ";
    for (const auto& each : choices)
        (detail += each) += &each == &choices.back() ? "." : ", ";
    return fail(errc::bad_request, std::move(detail), std::string(name));
}

result<std::optional<std::string>> query_time(const request_target& target, std::string_view name)
{
    auto value = query_value(target, name);
    if (value.has_error() || !*value || is_rfc3339_utc(**value))
        return value;
    return fail(errc::bad_request,
                "The parameter " + std::string(name) +
                    " must be an RFC 3339 time in UTC, such as 2026-01-31T09:00:00Z.",
                std::string(name));
}

result<std::optional<std::string>> query_token(const request_target& target, std::string_view name)
{
    constexpr std::size_t most = 512;
    auto value = query_value(target, name);
    if (value.has_error() || !*value)
        return value;
    const auto& text = **value;
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!text.empty() && text.size() <= most && printable)
        return value;
    return fail(errc::bad_request, "The parameter " + std::string(name) + " must be the next of a page.",
                std::string(name));
}

result<std::optional<std::uint64_t>> query_limit(const request_target& target)
{
    auto text = query_value(target, "limit");
    if (text.has_error())
        return text.error();
    if (!*text)
        return std::optional<std::uint64_t>();
    const auto limit = parse_number<std::uint64_t>(**text);
    if (!limit || *limit < 1 || *limit > 1000)
        return fail(errc::bad_request, "The parameter limit must be a number from 1 to 1000.", "limit");
    return limit;
}

std::string percent_encode(std::string_view text)
{
    constexpr char_set unreserved = letters | digits | char_set("-._~");
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text)
        if (unreserved.contains(c))
            encoded += c;
        else
            ((encoded += '%') += hex[static_cast<unsigned char>(c) >> 4U]) += hex[static_cast<unsigned char>(c) & 15U];
    return encoded;
}

} // namespace marquee
