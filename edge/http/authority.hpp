// The authority of a request: the value of Host, and the host of a target in absolute form.
#pragma once

#include <string_view>

namespace marquee
{

/// True for `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2): a name, an IPv4
/// address, or an IPv6 or future address in brackets. As in the RFCs, the name and the port may be
/// empty. User info is refused, and so is a comma in a name. Pure; thread-safe.
[[nodiscard]] bool is_authority(std::string_view text) noexcept;

} // namespace marquee
