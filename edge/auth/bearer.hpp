// Bearer tokens in requests, and the refusals of RFC 6750 section 3. Pure functions; thread-safe.
#pragma once

#include "edge/http/http.hpp"
#include "edge/http/status.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace marquee
{

/// 401 for wrong credentials: `error="invalid_token"`. `detail` is a constant text without quotes.
[[nodiscard]] request_failure invalid_token(std::string detail);

/// 403 for a valid token that does not permit the request: `error="insufficient_scope"`. `detail`
/// as above.
[[nodiscard]] request_failure insufficient_scope(std::string detail);

/// The TOKEN of `Authorization: Bearer TOKEN`, a view of `fields`. The scheme is compared without
/// regard to case. Fails with 401 and the detail `needed`, naming no error, where there are no
/// bearer credentials; and with invalid_token() where they are empty or there are two fields.
[[nodiscard]] boost::system::result<std::string_view, request_failure> bearer_token(const http_fields& fields,
                                                                                    const char* needed);

} // namespace marquee
