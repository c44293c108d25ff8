// Who a request is for: the value of Host, and the authority of a target in absolute form.
#pragma once

#include <string_view>

namespace marquee
{

/// True for `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2): a name, an IPv4
/// address, or an IPv6 or future address in brackets; the port may have no digits, the name no
/// characters. There is no user info, and no comma in a name.
[[nodiscard]] bool is_authority(std::string_view text) noexcept;

} // namespace marquee
