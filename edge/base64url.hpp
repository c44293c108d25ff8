// Base64url (RFC 4648 section 5) as JOSE has it.
#pragma once

#include <string_view>

namespace marquee
{

/// Whether `text` is the one way to write some bytes: at least one, no padding, no other characters, no bits left over. Asked before cjose sees
/// a text: it is lenient where two texts would then say the same, and ends the process by an assertion where padding stands in the middle.
[[nodiscard]] bool is_base64url(std::string_view text) noexcept;

} // namespace marquee
