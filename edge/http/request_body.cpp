#include "edge/http/request_body.hpp"

#include "edge/http/characters.hpp"
#include "schemas/percent.hpp"

#include <algorithm>

namespace marquee
{

namespace
{

// Compared by address.
constexpr char too_large[] = "The body is too long.";
constexpr char forbidden[] = "This field must not follow the body.";
constexpr char misframed[] = "A chunk is not as long as it says, or a line of it does not end with CR LF.";

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

} // namespace

request_body::request_body(const request_head& head, const body_limits& limits)
    : limits_(limits), at_(head.chunked ? place::size : place::whole), left_(head.content_length.value_or(0))
{
    if (at_ == place::whole && left_ == 0)
        at_ = place::end;
}

result<std::size_t> request_body::take(std::string_view received)
{
    const auto all = received.size();
    if (at_ == place::whole && left_ > limits_.body_bytes)
        return refusal(too_large);
    while (!received.empty() && at_ != place::end)
    {
        if (at_ == place::whole || at_ == place::data)
        {
            received = take_content(received);
            continue;
        }
        if (const auto* why = step(received.front()); why != nullptr)
            return refusal(why);
        received.remove_prefix(1);
    }
    return all - received.size();
}

/// Appends content and returns what follows it.
std::string_view request_body::take_content(std::string_view received)
{
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, received.size()));
    text_ += received.substr(0, size);
    left_ -= size;
    if (left_ == 0)
        at_ = at_ == place::whole ? place::end : place::data_return;
    return received.substr(size);
}

error request_body::refusal(const char* why) const
{
    if (why == too_large)
        return fail(errc::payload_too_large,
                    "The body is longer than " + std::to_string(limits_.body_bytes) + " bytes.");
    return fail(errc::bad_request, why, why == forbidden ? trailer_ : "body");
}

/// The transition on one byte that is not content. Returns why it cannot come here; null where it
/// can.
const char* request_body::step(char c)
{
    switch (at_)
    {
    case place::size:
        return in_size(c);
    case place::size_line_feed:
        if (c == '\n' && left_ > limits_.body_bytes - text_.size())
            return too_large;
        return expect(c, '\n', left_ == 0 ? place::trailer : place::data);
    case place::data_return:
        return expect(c, '\r', place::data_line_feed);
    case place::data_line_feed:
        digits_ = 0;
        return expect(c, '\n', place::size);
    case place::trailer:
    case place::trailer_name:
    case place::trailer_value:
    case place::trailer_line_feed:
    case place::last_line_feed:
        return in_trailer(c);
    case place::extension:
    case place::extension_blanks:
    case place::extension_start:
    case place::extension_name:
    case place::extension_name_ends:
    case place::value_start:
    case place::value:
    case place::quoted:
    case place::escaped:
        return in_extension(c);
    case place::whole:
    case place::data:
    case place::end:
        break;
    }
    return nullptr;
}

const char* request_body::expect(char c, char wanted, place next) noexcept
{
    if (c != wanted)
        return misframed;
    at_ = next;
    return nullptr;
}

const char* request_body::in_size(char c) noexcept
{
    constexpr int usual_digits = 16; // more are leading zeros, limited as extensions are
    const int value = hex_value(c);
    if (value < 0 && digits_ == 0)
        return "A chunk has no size.";
    if (value < 0)
    {
        at_ = place::extension;
        return in_extension(c);
    }
    if (left_ > std::numeric_limits<std::uint64_t>::max() >> 4U ||
        (digits_ >= usual_digits && ++extensions_ > limits_.extension_bytes))
        return "The size of a chunk is out of range.";
    ++digits_;
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    return nullptr;
}

/// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ), then CR
const char* request_body::in_extension(char c) noexcept
{
    constexpr auto* malformed = "A chunk extension is malformed.";
    if (c == '\n')
        return misframed;
    if (c != '\r' && ++extensions_ > limits_.extension_bytes)
        return "The chunk extensions are too long.";
    const bool token = token_chars.contains(c);
    const bool in_token = at_ == place::extension_name || at_ == place::value;
    const bool may_end = at_ == place::extension || in_token;
    if (at_ == place::quoted || at_ == place::escaped)
    {
        if (!field_value_chars.contains(c))
            return malformed;
        at_ = at_ == place::escaped ? place::quoted
              : c == '"'            ? place::extension
              : c == '\\'           ? place::escaped
                                    : place::quoted;
    }
    else if (token && in_token)
        ;
    else if (c == '\r' && may_end)
        at_ = place::size_line_feed;
    else if (c == ';' && (may_end || at_ == place::extension_blanks || at_ == place::extension_name_ends))
        at_ = place::extension_start;
    else if (c == '=' && (at_ == place::extension_name || at_ == place::extension_name_ends))
        at_ = place::value_start;
    else if (token && (at_ == place::extension_start || at_ == place::value_start))
        at_ = at_ == place::extension_start ? place::extension_name : place::value;
    else if (c == '"' && at_ == place::value_start)
        at_ = place::quoted;
    else if (!is_blank(c))
        return malformed;
    else if (at_ == place::extension_name)
        at_ = place::extension_name_ends;
    else if (may_end)
        at_ = place::extension_blanks;
    return nullptr;
}

const char* request_body::in_trailer(char c)
{
    if (++trailers_ > limits_.trailer_bytes)
        return "The trailers are too long.";
    if (at_ == place::last_line_feed)
        return expect(c, '\n', place::end);
    if (at_ == place::trailer_line_feed)
        return expect(c, '\n', place::trailer);
    if (at_ == place::trailer && c == '\r')
    {
        at_ = place::last_line_feed;
        return nullptr;
    }
    if (at_ == place::trailer_value)
    {
        if (c == '\r')
            at_ = place::trailer_line_feed;
        else if (!field_value_chars.contains(c))
            return "A trailer contains a control character.";
        return nullptr;
    }
    if (at_ == place::trailer)
        trailer_.clear();
    const bool named = at_ == place::trailer_name && c == ':';
    if (!named && !token_chars.contains(c))
        return "A trailer has no valid name.";
    if (!named)
        trailer_ += c;
    at_ = named ? place::trailer_value : place::trailer_name;
    return named && is_forbidden_trailer(trailer_) ? forbidden : nullptr;
}

} // namespace marquee
