#include "edge/http/target.hpp"

#include "edge/http/characters.hpp"
#include "schemas/parse_number.hpp"

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
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return fail(errc::bad_request, "A % in the target is not followed by two hex digits.", "target");
            decoded += static_cast<char>(high * 16 + low);
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

} // namespace marquee
