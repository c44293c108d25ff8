// The classes of characters in HTTP's grammar (RFC 9110 section 5, RFC 5234 appendix B).
#pragma once

#include "schemas/char_set.hpp"

namespace marquee
{

inline constexpr char_set digits("0123456789");
inline constexpr char_set lower_case("abcdefghijklmnopqrstuvwxyz");
inline constexpr char_set upper_case("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
inline constexpr char_set letters = lower_case | upper_case;
inline constexpr char_set hex_digits = digits | char_set("abcdefABCDEF");

/// VCHAR: printable ASCII without the space.
inline constexpr char_set visible_ascii = char_set::range(0x21, 0x7e);

/// tchar: what names of methods and fields are made of.
inline constexpr char_set token_chars = digits | letters | char_set("!#$%&'*+-.^_`|~");

/// Blanks, visible characters, and bytes from 0x80 on, which are opaque (RFC 9110 section 5.5).
inline constexpr char_set field_value_chars = char_set("\t ") | visible_ascii | char_set::range(0x80, 0xff);

} // namespace marquee
