#include "edge/http/http.hpp"

#include "edge/http/characters.hpp"
#include "schemas/ulid.hpp"

#include <algorithm>
#include <chrono>

namespace marquee
{

namespace
{

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr char_set request_id_chars = digits | letters | char_set("_.:+/=~-");

} // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim_blanks(std::string_view text) noexcept
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> list_elements(std::string_view value)
{
    std::vector<std::string_view> elements;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= value.size(); ++at)
    {
        if (at < value.size() && value[at] == '"')
            quoted = !quoted;
        if (at < value.size() && (quoted || value[at] != ','))
            continue;
        if (const auto element = trim_blanks(value.substr(begin, at - begin)); !element.empty())
            elements.push_back(element);
        begin = at + 1;
    }
    return elements;
}

void http_fields::set(std::string_view name, std::string_view value)
{
    std::erase_if(items_, [&](const value_type& item) { return equals_ignoring_case(item.first, name); });
    add(name, value);
}

void http_fields::append(std::string_view name, std::string_view element)
{
    for (auto& [n, v] : items_)
        if (equals_ignoring_case(n, name))
        {
            (v += ", ") += element;
            return;
        }
    add(name, element);
}

std::optional<std::string_view> http_fields::get(std::string_view name) const noexcept
{
    for (const auto& [n, v] : items_)
        if (equals_ignoring_case(n, name))
            return v;
    return std::nullopt;
}

std::size_t http_fields::count(std::string_view name) const noexcept
{
    return static_cast<std::size_t>(std::count_if(
        items_.begin(), items_.end(), [&](const value_type& item) { return equals_ignoring_case(item.first, name); }));
}

std::optional<std::string> http_fields::joined(std::string_view name) const
{
    std::optional<std::string> all;
    for (const auto& [n, v] : items_)
        if (equals_ignoring_case(n, name))
            all = all ? *all + ", " + v : v;
    return all;
}

http_response json_response(std::string body)
{
    http_response answer;
    answer.fields.add("Content-Type", "application/json");
    answer.body = std::move(body);
    return answer;
}

std::string request_id_for(const http_fields& fields)
{
    const auto given = fields.get("X-Request-ID");
    if (given && fields.count("X-Request-ID") == 1 && !given->empty() && given->size() <= 128 &&
        request_id_chars.covers(*given))
        return std::string(*given);
    return make_ulid(std::chrono::system_clock::now());
}

} // namespace marquee
