// JSON Web Tokens (RFC 7519) as JWS compact serialisations, verified through cjose.
#pragma once

#include "edge/jwt_keys.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace marquee
{

constexpr std::size_t longest_jwt = 8192;      ///< bytes
constexpr std::chrono::seconds jwt_leeway{30}; ///< for clocks that differ

/// What a token's claims must say besides.
struct jwt_expectations
{
    std::string issuer;   ///< `iss`; empty: any
    std::string audience; ///< one of `aud`; empty: a token that names an audience is refused, as RFC 7519 section 4.1.3 demands
};

/// The `sub` of a token that is signed with one of the keys and valid at `now`: `exp` is there and not past, `nbf` is reached, `iss` and
/// `aud` are as expected. Fails with unauthorized and a constant detail.
///
/// The keys are chosen by `kid` and algorithm (a token without `kid` may use the only key of its algorithm), and a key's type decides its algorithm:
/// a header with another one, `none` among them, is refused before anything is computed. Headers with `crit` are refused.
[[nodiscard]] result<std::string> jwt_subject(std::string_view token, std::span<const jwt_key> keys,
                                              const jwt_expectations& expected, std::chrono::system_clock::time_point now);

} // namespace marquee
