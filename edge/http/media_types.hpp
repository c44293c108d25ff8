// Content negotiation by media type (RFC 9110 section 12.5.1). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Whether a client that sends this Accept, the joined fields, prefers `offered` to `standard`,
/// both `type/subtype`: its weight is greater, or is equal and comes from a more specific range.
/// Parameters of a range other than `q` are ignored, and so is a malformed element. False without
/// Accept, and where it has neither.
[[nodiscard]] bool prefers(const std::optional<std::string>& accept, std::string_view offered,
                           std::string_view standard);

} // namespace marquee
