// The Idempotency-Key header.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>

namespace marquee
{

/// The request's key: nothing where there is none. 1 to 255 bytes, either a structured-field string (`"k"`, with `\"` and `\\`) or the bare
/// token; both forms of one key are equal. Fails with bad_request, naming the header, where it is neither or there are two.
[[nodiscard]] result<std::optional<std::string>> idempotency_key(const http_fields& fields);

} // namespace marquee
