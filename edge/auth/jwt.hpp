// JSON Web Tokens (RFC 7519) as JWS compact serialisations (RFC 7515).
#pragma once

#include "edge/auth/jwt_keys.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace marquee
{

constexpr std::size_t longest_jwt = 8192;      ///< bytes; longer ones are refused unread
constexpr std::chrono::seconds jwt_leeway{30}; ///< for `exp` and `nbf`: clocks differ

/// What else the claims of a token must say.
struct jwt_expectations
{
    std::string issuer; ///< `iss`; empty: any

    /// One of `aud`. Empty: a token that names an audience is refused (RFC 7519 section 4.1.3).
    std::string audience;
};

/// Returns the `sub` of a token that is signed with one of `keys` and valid at `now`: `exp` is
/// there and not past, `nbf` is not ahead, `iss` and `aud` are as expected. Fails with unauthorized
/// and a constant detail. Thread-safe as long as the keys are not shared.
///
/// A key is chosen by `kid` and algorithm; a token without `kid` may use the only key of its
/// algorithm. A key's type decides its algorithm: a header with another one, such as `none`, is
/// refused before anything is computed. A header with `crit` is refused.
[[nodiscard]] result<std::string> jwt_subject(std::string_view token, std::span<const jwt_key> keys,
                                              const jwt_expectations& expected,
                                              std::chrono::system_clock::time_point now);

} // namespace marquee
