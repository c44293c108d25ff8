// One encode and one decode for every message, driven by Boost.Describe.
#pragma once

#include "schemas/error.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The message as compact JSON (RFC 8259). An empty std::optional member is left out; an empty
/// `nullable` member is null. Thread-safe. Instantiated for the messages of schemas/messages.hpp
/// (see schemas/json_members.hpp).
template <class T>
[[nodiscard]] std::string encode(const T& message);

/// The text as a JSON string, as encode() writes it. Thread-safe.
[[nodiscard]] std::string encode_string(const std::string& text);

/// Reads a message from JSON. Unknown members are ignored, but for those that a
/// message keeps as `further`; optional members may be missing or null.
/// The text must be valid UTF-8 and at most 32 levels deep; types and the limits of the contract
/// (text lengths, the range of `limit`) are checked. Fails with bad_request: `detail` says what is
/// wrong and `field` names the member. Thread-safe.
template <class T>
[[nodiscard]] result<T> decode(std::string_view json);

/// Equivalent to decode(), for replies of services: every failure is malformed_reply.
template <class T>
[[nodiscard]] result<T> decode_reply(std::string_view json)
{
    auto message = decode<T>(json);
    if (message.has_error())
        return fail(errc::malformed_reply, message.error().detail, message.error().field);
    return message;
}

/// Decodes a reply about one id. Fails with malformed_reply, also if it is about another id.
template <class T>
[[nodiscard]] result<T> decode_reply_about(std::string_view json, std::string_view id)
{
    auto reply = decode_reply<T>(json);
    if (reply.has_value() && reply->id != id)
        return fail(errc::malformed_reply, "the reply is about something else", "id");
    return reply;
}

/// Reads any JSON object of at most 32 levels; nothing if `text` is not one. For JSON that is not a
/// message of schemas/messages.hpp. Thread-safe.
[[nodiscard]] std::optional<boost::json::object> read_object(std::string_view text);

} // namespace marquee
