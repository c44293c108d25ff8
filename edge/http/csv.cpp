#include "edge/http/csv.hpp"

#include <algorithm>
#include <array>

namespace marquee
{

namespace
{

constexpr std::array<std::string_view, 9> risky_beginnings = {
    "=", "+", "-", "@", "'", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"}; // four in full width

} // namespace

void append_csv_id(std::string& to, std::string_view id)
{
    const bool marked = std::any_of(risky_beginnings.begin(), risky_beginnings.end(),
                                    [id](std::string_view each) { return id.starts_with(each); });
    const bool quoted = marked || id.find_first_of("\",; '") != std::string_view::npos;
    if (quoted)
        to += '"';
    if (marked)
        to += '\'';
    for (const char c : id)
    {
        if (c == '"')
            to += '"';
        to += c;
    }
    if (quoted)
        to += '"';
}

} // namespace marquee
