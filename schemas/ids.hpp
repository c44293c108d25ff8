// Ids, and the codec that turns an id into a token of a NATS subject. All functions are
// thread-safe.
#pragma once

#include "schemas/error.hpp"

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace marquee
{

/// True for 1 to 128 bytes of valid UTF-8 (RFC 3629: no overlong forms, no surrogates) without
/// control characters (U+0000..U+001F, U+007F..U+009F).
[[nodiscard]] bool is_valid_id(std::string_view text) noexcept;

/// The number of bytes at the front of `text` that are valid UTF-8; its size if all are.
[[nodiscard]] std::size_t valid_utf8_prefix(std::string_view text) noexcept;

/// False for `.` and `..`, which browsers remove from a path even if they are percent-encoded
/// (RFC 3986 section 5.2.4). Existing records and events may have such an id; routes and new
/// records refuse it.
[[nodiscard]] constexpr bool is_path_id(std::string_view id) noexcept { return id != "." && id != ".."; }

/// The token of an id: bytes in [A-Za-z0-9_-] are kept, every other byte becomes `=` and two
/// upper-case hex digits. Valid as one token of a NATS subject and as a KV key (ADR-8).
[[nodiscard]] std::string encode_token(std::string_view text);

/// The id of a token. Fails with bad_id if encode_token() would write another token for it, or it
/// is not a valid id.
[[nodiscard]] result<std::string> decode_token(std::string_view token);

/// A valid id. The tag makes ids of assets and of users different types. There is no conversion to
/// a string, so that no subject is built from the plain text by accident.
template <class Tag>
class basic_id
{
public:
    /// Makes an id from its plain text, as in a percent-decoded HTTP path or a JSON member. Fails
    /// with bad_id.
    [[nodiscard]] static result<basic_id> parse(std::string_view text)
    {
        if (!is_valid_id(text))
            return fail(errc::bad_id, "an id is 1 to 128 bytes of UTF-8 without control characters", Tag::name);
        return basic_id(std::string(text));
    }

    /// Makes an id from a token of a subject. Fails with bad_id.
    [[nodiscard]] static result<basic_id> from_token(std::string_view token)
    {
        auto text = decode_token(token);
        if (text.has_error())
            return fail(errc::bad_id, text.error().detail, Tag::name);
        return basic_id(std::move(*text));
    }

    /// The plain text, for JSON, HTTP and logs. Must not become part of a subject.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// The id as one token of a subject: encode_token().
    [[nodiscard]] std::string token() const { return encode_token(text_); }

    friend bool operator==(const basic_id&, const basic_id&) = default;
    // NOLINTNEXTLINE(modernize-use-nullptr): the 0 that a default comparison compares with
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
