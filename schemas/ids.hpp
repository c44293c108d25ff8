// The id and token codec: the only way from an id to a NATS subject.
#pragma once

#include "schemas/error.hpp"

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace marquee
{

/// True for 1 to 128 bytes of valid UTF-8 (RFC 3629: no overlong forms, no surrogates) without control characters
/// (U+0000..U+001F, U+007F..U+009F).
[[nodiscard]] bool is_valid_id(std::string_view text) noexcept;

/// How many bytes at the front of `text` are valid UTF-8: all of them where it is valid.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view text) noexcept;

/// True but for `.` and `..`: no browser sends those as a segment of a path, encoded or not. Records and events may have them; no new
/// record gets one, and no route takes one.
[[nodiscard]] constexpr bool is_id_of_a_path(std::string_view id) noexcept { return id != "." && id != ".."; }

/// The wire form: bytes in [A-Za-z0-9_-] stand for themselves, every other byte is `=` and two upper-case hex digits.
/// Safe as one NATS subject token and as a KV key.
[[nodiscard]] std::string encode_token(std::string_view text);

/// The inverse. Fails with bad_id where the token is not canonical or does not decode to a valid id.
[[nodiscard]] result<std::string> decode_token(std::string_view token);

/// An id that has been checked. The tag keeps assets and users apart; there is no conversion to a string, so
/// that nothing builds a subject from one by accident.
template <class Tag>
class basic_id
{
public:
    /// From the plain text, as in an HTTP path (already percent-decoded) or a JSON field. Fails with bad_id.
    [[nodiscard]] static result<basic_id> parse(std::string_view text)
    {
        if (!is_valid_id(text))
            return fail(errc::bad_id, "an id is 1 to 128 bytes of UTF-8 without control characters", Tag::name);
        return basic_id(std::string(text));
    }

    /// From a subject token. Fails with bad_id.
    [[nodiscard]] static result<basic_id> from_token(std::string_view token)
    {
        auto text = decode_token(token);
        if (text.has_error())
            return fail(errc::bad_id, text.error().detail, Tag::name);
        return basic_id(std::move(*text));
    }

    /// The plain text, for people and JSON. Never part of a subject.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// The wire form: one subject token.
    [[nodiscard]] std::string token() const { return encode_token(text_); }

    friend bool operator==(const basic_id&, const basic_id&) = default;
    friend auto operator<=>(const basic_id&, const basic_id&) = default;

private:
    explicit basic_id(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

struct asset_tag
{
    static constexpr const char* name = "asset";
};
struct user_tag
{
    static constexpr const char* name = "user";
};

using asset_id = basic_id<asset_tag>;
using user_id = basic_id<user_tag>;

} // namespace marquee
