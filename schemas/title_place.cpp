#include "schemas/title_place.hpp"

#include "schemas/ids.hpp"

namespace marquee
{

std::string encode_title_place(const title_place& place)
{
    std::string text;
    text.reserve(place.key.size() + 1 + place.id.size());
    ((text += place.key) += '/') += place.id;
    return text;
}

std::optional<title_place> parse_title_place(std::string_view text) noexcept
{
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash > max_title_key_bytes)
        return std::nullopt;
    const title_place place{text.substr(0, slash), text.substr(slash + 1)};
    if (valid_utf8_prefix(place.key) < place.key.size() || !is_valid_id(place.id))
        return std::nullopt;
    return place;
}

} // namespace marquee
