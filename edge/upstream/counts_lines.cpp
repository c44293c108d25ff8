#include "edge/upstream/counts_lines.hpp"

#include "schemas/error.hpp"
#include "schemas/parse_number.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

bool is_error_name(std::string_view text)
{
    for (int code = 1; code <= static_cast<int>(last_errc); ++code)
        if (name_of(static_cast<errc>(code)) == text)
            return true;
    return false;
}

std::optional<counts_line> read_line(std::string_view text)
{
    counts_line line;
    const auto space = text.find(' ');
    if (space == std::string_view::npos)
    {
        line.key_reused = text == name_of(errc::key_reused);
        return is_error_name(text) ? std::optional(line) : std::nullopt;
    }
    const auto asset = parse_number<std::uint64_t>(text.substr(0, space));
    const auto user = parse_number<std::uint64_t>(text.substr(space + 1));
    if (!asset || !user)
        return std::nullopt;
    line.counts = counts_reply{*asset, *user};
    return line;
}

} // namespace

std::optional<std::vector<counts_line>> read_counts_lines(std::string_view text, std::size_t events)
{
    std::vector<counts_line> lines;
    lines.reserve(events);
    while (!text.empty() && lines.size() < events)
    {
        const auto end = text.find('\n');
        const auto line = read_line(text.substr(0, end));
        if (!line)
            return std::nullopt;
        lines.push_back(*line);
        text.remove_prefix(std::min(text.size(), end == std::string_view::npos ? text.size() : end + 1));
    }
    return text.empty() && lines.size() == events ? std::optional(std::move(lines)) : std::nullopt;
}

} // namespace marquee
