// One encode and one decode for every message, driven by Boost.Describe.
#pragma once

#include "schemas/error.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The message as compact JSON (RFC 8259). An empty std::optional member is left out; an empty `nullable` member is null.
/// Instantiated in schemas/json.cpp for every message of schemas/messages.hpp.
template <class T>
[[nodiscard]] std::string encode(const T& message);

/// Reads a message. Lenient: unknown members are ignored, optional ones may be missing or null. Strict: text must be valid UTF-8,
/// at most 32 levels deep, and the right type; limits of the contract (text lengths, `limit` range) are checked.
/// Fails with bad_request; `detail` says what was wrong and `field` names the member.
template <class T>
[[nodiscard]] result<T> decode(std::string_view json);

/// The same for what a service answered: whatever fails is malformed_reply.
template <class T>
[[nodiscard]] result<T> decode_reply(std::string_view json)
{
    auto message = decode<T>(json);
    if (message.has_error())
        return fail(errc::malformed_reply, message.error().detail, message.error().field);
    return message;
}

/// Any JSON object, at most 32 levels deep; nothing where `text` is none. For what is not a message of ours.
[[nodiscard]] std::optional<boost::json::object> read_object(std::string_view text);

} // namespace marquee
