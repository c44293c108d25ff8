// The OpenAPI document of the edge.
#pragma once

#include <string_view>

namespace marquee
{

/// The text of schemas/openapi.json, embedded in the program by the build. Valid for ever;
/// thread-safe.
[[nodiscard]] std::string_view openapi_text() noexcept;

} // namespace marquee
