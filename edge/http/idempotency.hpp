// The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).
#pragma once

#include "edge/http/http.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>

namespace marquee
{

/// The key of a request, 1 to 255 bytes; nothing where there is no such header. It is written as a
/// structured-field string (`"k"`, with `\"` and `\\`) or bare (`k`): both are the same key. Fails
/// with bad_request, the header as `field`, where it is neither or there are two.
[[nodiscard]] result<std::optional<std::string>> idempotency_key(const http_fields& fields);

} // namespace marquee
