// Reads a line of logfmt, strictly: what Loki and others take.
#pragma once

#include <boost/json/parse.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace marquee::test
{

/// The pairs of a line without LF; nothing where it is malformed, or a key comes twice. A value
/// between quotes is a JSON string.
inline std::optional<std::map<std::string, std::string>> parse_logfmt(std::string_view line)
{
    std::map<std::string, std::string> pairs;
    while (!line.empty())
    {
        const auto equals = line.find('=');
        if (equals == 0 || equals == std::string_view::npos || line.substr(0, equals).find_first_of(" \"") != line.npos)
            return std::nullopt;
        const std::string key(line.substr(0, equals));
        line.remove_prefix(equals + 1);
        std::size_t end = 0;
        std::string value;
        if (line.starts_with('"'))
        {
            for (end = 1; end < line.size() && line[end] != '"'; ++end)
                end += line[end] == '\\' ? 1 : 0;
            if (end >= line.size())
                return std::nullopt;
            boost::system::error_code wrong;
            const auto text = boost::json::parse(std::string(line.substr(0, ++end)), wrong);
            if (wrong)
                return std::nullopt;
            value = text.as_string().c_str();
        }
        else
        {
            end = std::min(line.find(' '), line.size());
            value = line.substr(0, end);
            if (value.find_first_of("\"=\\") != std::string::npos)
                return std::nullopt;
        }
        if (!pairs.emplace(key, value).second)
            return std::nullopt;
        line.remove_prefix(end);
        if (!line.empty() && line.front() != ' ')
            return std::nullopt;
        line.remove_prefix(line.empty() ? 0 : 1);
    }
    return pairs;
}

} // namespace marquee::test
