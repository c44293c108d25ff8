// Base64url (RFC 4648 section 5) as JOSE has it (RFC 7515 section 2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// The bytes that `text` encodes, at least one. Strict, so that no two texts encode the same bytes:
/// nothing where there is padding, another character, or a bit that is not 0 after the last byte.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

} // namespace marquee
