#include "edge/auth/jwt.hpp"

#include "edge/auth/base64url.hpp"
#include "schemas/json.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

namespace marquee
{

namespace
{

namespace json = boost::json;

error refuse(const char* detail) { return fail(errc::unauthorized, detail); }

// ---- the three parts

struct jwt_parts
{
    std::string_view signed_text; ///< as sent: header and payload with the dot between them
    std::string header;
    std::string payload;
    std::string signature;
};

std::optional<jwt_parts> split(std::string_view token)
{
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == std::string_view::npos || first == last)
        return std::nullopt;
    auto header = decode_base64url(token.substr(0, first));
    auto payload = decode_base64url(token.substr(first + 1, last - first - 1));
    auto signature = decode_base64url(token.substr(last + 1));
    if (!header || !payload || !signature)
        return std::nullopt;
    return jwt_parts{token.substr(0, last), std::move(*header), std::move(*payload), std::move(*signature)};
}

// ---- header and signature

struct jwt_header
{
    std::string algorithm;
    std::optional<std::string> kid;
};

std::optional<jwt_header> read_header(std::string_view text)
{
    const auto fields = read_object(text);
    if (!fields || fields->contains("crit"))
        return std::nullopt;
    const auto* algorithm = fields->if_contains("alg");
    const auto* kid = fields->if_contains("kid");
    if (algorithm == nullptr || !algorithm->is_string() || (kid != nullptr && !kid->is_string()))
        return std::nullopt;
    jwt_header header;
    header.algorithm = algorithm->as_string();
    if (kid != nullptr)
        header.kid.emplace(kid->as_string());
    return header;
}

/// The keys that a token with this header may be signed with: those of its algorithm with its
/// `kid`; if there are none, those of its algorithm without a `kid`; if there are none either and
/// the token has no `kid`, the only key of its algorithm.
std::vector<const jwt_key*> choose(std::span<const jwt_key> keys, const jwt_header& header)
{
    std::vector<const jwt_key*> named;
    std::vector<const jwt_key*> nameless;
    std::vector<const jwt_key*> all;
    for (const auto& key : keys)
    {
        if (key.key.algorithm() != header.algorithm)
            continue;
        all.push_back(&key);
        if (!key.kid)
            nameless.push_back(&key);
        else if (key.kid == header.kid)
            named.push_back(&key);
    }
    if (!named.empty())
        return named;
    if (!nameless.empty())
        return nameless;
    return !header.kid && all.size() == 1 ? all : named;
}

// ---- claims

/// Seconds since 1970, which may have a fraction.
std::optional<double> date(const json::value& claim)
{
    if (claim.is_int64())
        return static_cast<double>(claim.as_int64());
    if (claim.is_uint64())
        return static_cast<double>(claim.as_uint64());
    if (claim.is_double() && std::isfinite(claim.as_double()))
        return claim.as_double();
    return std::nullopt;
}

result<void> check_times(const json::object& claims, std::chrono::system_clock::time_point time)
{
    const double now = std::chrono::duration<double>(time.time_since_epoch()).count();
    const auto leeway = static_cast<double>(jwt_leeway.count());
    const auto* exp = claims.if_contains("exp");
    const auto expires = exp != nullptr ? date(*exp) : std::nullopt;
    if (!expires)
        return refuse("the token has no valid exp");
    if (now >= *expires + leeway)
        return refuse("the token has expired");
    const auto* nbf = claims.if_contains("nbf");
    if (nbf == nullptr)
        return {};
    const auto begins = date(*nbf);
    if (!begins)
        return refuse("the token has no valid nbf");
    if (now + leeway < *begins)
        return refuse("the token is not valid yet");
    return {};
}

bool names(const json::value& audiences, std::string_view wanted)
{
    const auto is_wanted = [&](const json::value& each) { return each.is_string() && each.as_string() == wanted; };
    if (!audiences.is_array())
        return is_wanted(audiences);
    return std::any_of(audiences.as_array().begin(), audiences.as_array().end(), is_wanted);
}

result<void> check_parties(const json::object& claims, const jwt_expectations& expected)
{
    const auto* issuer = claims.if_contains("iss");
    if (!expected.issuer.empty() &&
        (issuer == nullptr || !issuer->is_string() || issuer->as_string() != expected.issuer))
        return refuse("the token is of another issuer");
    const auto* audience = claims.if_contains("aud");
    if (expected.audience.empty() ? audience != nullptr : audience == nullptr || !names(*audience, expected.audience))
        return refuse("the token is for another audience");
    return {};
}

} // namespace

result<std::string> jwt_subject(std::string_view token, std::span<const jwt_key> keys, const jwt_expectations& expected,
                                std::chrono::system_clock::time_point now)
{
    if (token.size() > longest_jwt)
        return refuse("the token is longer than 8192 bytes");
    const auto parts = split(token);
    const auto header = parts ? read_header(parts->header) : std::nullopt;
    if (!header)
        return refuse("the token is no signed JWT");
    const auto candidates = choose(keys, *header);
    if (candidates.empty())
        return refuse("no key has the kid and the algorithm of the token");
    // There is more than one only where keys have the same kid.
    if (std::none_of(candidates.begin(), candidates.end(),
                     [&](const jwt_key* each) { return each->key.verifies(parts->signed_text, parts->signature); }))
        return refuse("the signature of the token is wrong");

    const auto claims = read_object(parts->payload);
    if (!claims)
        return refuse("the claims of the token are no JSON object");
    if (auto times = check_times(*claims, now); times.has_error())
        return times.error();
    if (auto parties = check_parties(*claims, expected); parties.has_error())
        return parties.error();
    const auto* subject = claims->if_contains("sub");
    if (subject == nullptr || !subject->is_string())
        return refuse("the token has no valid sub");
    return std::string(subject->as_string());
}

} // namespace marquee
