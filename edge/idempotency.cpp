#include "edge/idempotency.hpp"

#include <algorithm>

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
                return malformed("something follows the closing quote");
            return key;
        }
        if (c == '\\')
        {
            if (++i == text.size() || (text[i] != '"' && text[i] != '\\'))
                return malformed("a backslash stands before something else than a quote or a backslash");
            c = text[i];
        }
        else if (c < 0x20 || c > 0x7e)
            return malformed("the key holds a character outside printable ASCII");
        key += c;
    }
    return malformed("the closing quote is missing");
}

/// What stands bare: visible ASCII but for what would read as a list, a parameter or a quote.
bool is_bare(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ',' && c != ';'; });
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
        return malformed("a key with blanks, quotes, backslashes, commas or semicolons must be quoted");
    if (key.empty() || key.size() > 255)
        return malformed("a key is 1 to 255 bytes");
    return std::optional<std::string>(std::move(key));
}

} // namespace marquee
