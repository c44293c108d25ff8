// Weights in lists of content negotiation (RFC 9110 section 12.4.2). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string_view>

namespace marquee
{

/// The weight of an element in thousandths: its parameter `q`, 1000 without one. `parameters`
/// begins with the semicolon, or is empty; others than `q` are ignored. Nothing where `q` is
/// malformed.
[[nodiscard]] std::optional<int> weight_of(std::string_view parameters);

} // namespace marquee
