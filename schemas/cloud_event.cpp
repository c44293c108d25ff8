#include "schemas/cloud_event.hpp"

#include "schemas/base32_sha256.hpp"
#include "schemas/char_set.hpp"
#include "schemas/messages.hpp"
#include "schemas/rfc3339.hpp"
#include "schemas/utf8.hpp"

#include <cstdint>
#include <utility>

namespace marquee
{

namespace
{

/// True for the characters of a URI-reference (RFC 3986 section 2), with whole percent-encodings.
bool has_uri_characters(std::string_view text)
{
    static constexpr auto letters =
        char_set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=");
    static constexpr auto hex = char_set("0123456789ABCDEFabcdef");
    while (!text.empty())
    {
        const bool encoded = text.front() == '%';
        if (encoded ? text.size() < 3 || !hex.covers(text.substr(1, 2)) : !letters.contains(text.front()))
            return false;
        text.remove_prefix(encoded ? 3 : 1);
    }
    return true;
}

/// `text` is UTF-8.
bool has_control_characters(std::string_view text)
{
    std::uint32_t point = 0;
    for (std::size_t size = 0; !text.empty(); text.remove_prefix(size))
    {
        size = decode_utf8(text, point);
        if (size == 0 || point < 0x20 || (point >= 0x7F && point <= 0x9F))
            return true;
    }
    return false;
}

result<void> check(const cloud_event_json& event)
{
    const auto wrong = [](const char* field, std::string detail)
    { return fail(errc::bad_request, std::move(detail), field); };
    if (event.specversion != "1.0")
        return wrong("specversion", "only version 1.0 of CloudEvents is known");
    if (event.type != "marquee.play")
        return wrong("type", "the type of a view is marquee.play");
    if (event.source.empty() || !has_uri_characters(event.source))
        return wrong("source", "expected a URI-reference that is not empty");
    if (event.id.empty() || has_control_characters(event.id))
        return wrong("id", "expected a text that is not empty and has no control characters");
    if (event.time && !is_rfc3339_utc(*event.time))
        return wrong("time", "expected an RFC 3339 time in UTC");
    return {};
}

} // namespace

bool is_cloud_event(std::string_view payload)
{
    // A member's name may be written with escapes. Without either no parsing is needed.
    if (payload.find("specversion") == std::string_view::npos && payload.find('\\') == std::string_view::npos)
        return false;
    const auto object = read_object(payload);
    return object && object->contains("specversion");
}

result<play_event> parse_cloud_event(std::string_view payload)
{
    auto read = decode<cloud_event_json>(payload);
    if (read.has_error())
        return read.error();
    if (auto checked = check(*read); checked.has_error())
        return checked.error();
    auto asset = asset_id::parse(read->subject);
    if (asset.has_error())
        return fail(asset.error().code, asset.error().detail, "subject");
    auto user = user_id::parse(read->user);
    if (user.has_error())
        return user.error();
    return play_event{event_id_for_cloud_event(read->source, read->id), std::move(*asset), std::move(*user),
                      read->time ? parse_rfc3339_utc(*read->time) : std::nullopt};
}

std::string event_id_for_cloud_event(std::string_view source, std::string_view id)
{
    std::string both(source);
    both += '\0';
    both += id;
    return "c-" + base32_sha256(both);
}

} // namespace marquee
