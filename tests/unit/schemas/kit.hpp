// Shared by the tests of schemas.
#pragma once

#include <string>
#include <string_view>

namespace marquee::test
{

using namespace std::string_literals; // "…"s keeps a NUL
using namespace std::string_view_literals;

/// Bytes for the message of a failed check: everything outside printable ASCII as \xNN.
inline std::string printable(std::string_view bytes)
{
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out;
    for (const unsigned char c : bytes.substr(0, 200))
    {
        if (c >= 0x20 && c < 0x7F)
            out += static_cast<char>(c);
        else
            ((out += "\\x") += hex[c >> 4]) += hex[c & 15];
    }
    return out;
}

} // namespace marquee::test
