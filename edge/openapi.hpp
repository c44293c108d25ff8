// The OpenAPI document of the edge, schemas/openapi.json, as it was when the program was built.
#pragma once

#include <string_view>

namespace marquee
{

[[nodiscard]] std::string_view openapi_text() noexcept;

} // namespace marquee
