// Bearer tokens in requests, and the refusals that RFC 6750 section 3 describes.
#pragma once

#include "edge/http.hpp"
#include "edge/status.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace marquee
{

/// 401 to credentials that do not stand: `error="invalid_token"`. `detail` is a constant text without quotes.
[[nodiscard]] request_failure invalid_token(std::string detail);

/// 403 to a valid token that is not for this: `error="insufficient_scope"`. `detail` as above.
[[nodiscard]] request_failure insufficient_scope(std::string detail);

/// The TOKEN of `Authorization: Bearer TOKEN`; the scheme in any case. Fails with 401 and `needed` as detail where there are no bearer
/// credentials at all (then no error is named), and as invalid_token where they are empty or the field is there twice.
[[nodiscard]] boost::system::result<std::string_view, request_failure> bearer_token(const http_fields& fields,
                                                                                    const char* needed);

} // namespace marquee
