#include "edge/http/idempotency.hpp"

#include "edge/http/characters.hpp"

namespace marquee
{

namespace
{

constexpr std::string_view header = "Idempotency-Key";

error malformed(std::string detail) { return fail(errc::bad_request, std::move(detail), std::string(header)); }

/// RFC 8941 section 3.3.3: printable ASCII in double quotes.
result<std::string> unquote(std::string_view text)
{
    std::string key;
    for (std::size_t i = 1; i < text.size(); ++i)
    {
        char c = text[i];
        if (c == '"')
        {
            if (i + 1 != text.size())
                return malformed("Something follows the closing quote.");
            return key;
        }
        if (c == '\\')
        {
            if (++i == text.size() || (text[i] != '"' && text[i] != '\\'))
                return malformed("A backslash is followed by something other than a quote or a backslash.");
            c = text[i];
        }
        else if (c != ' ' && !visible_ascii.contains(c))
            return malformed("The key contains a character that is not printable ASCII.");
        key += c;
    }
    return malformed("The closing quote is missing.");
}

/// What needs no quotes: visible ASCII that cannot be taken for a list, a parameter or a quote.
bool is_bare(std::string_view text) noexcept
{
    return visible_ascii.covers(text) && text.find_first_of("\"\\,;") == std::string_view::npos;
}

} // namespace

result<std::optional<std::string>> idempotency_key(const http_fields& fields)
{
    if (fields.count(header) == 0)
        return std::optional<std::string>();
    if (fields.count(header) > 1)
        return malformed("There is more than one key.");

    const auto text = trim_blanks(*fields.get(header));
    std::string key(text);
    if (!text.empty() && text.front() == '"')
    {
        auto quoted = unquote(text);
        if (quoted.has_error())
            return quoted.error();
        key = std::move(*quoted);
    }
    else if (!is_bare(text))
        return malformed("A key with blanks, quotes, backslashes, commas or semicolons must be quoted.");
    if (key.empty() || key.size() > 255)
        return malformed("A key is 1 to 255 bytes.");
    return std::optional<std::string>(std::move(key));
}

} // namespace marquee
