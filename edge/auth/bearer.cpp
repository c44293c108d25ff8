#include "edge/auth/bearer.hpp"

#include "edge/http/problems.hpp"

#include <utility>

namespace marquee
{

namespace
{

request_failure refused(errc code, const char* reason, std::string detail)
{
    detail = as_sentence(std::move(detail));
    const auto challenge =
        std::string("Bearer realm=\"marquee\", error=\"") + reason + "\", error_description=\"" + detail + '"';
    request_failure failure(fail(code, std::move(detail), "Authorization"));
    failure.fields.add("WWW-Authenticate", challenge);
    return failure;
}

} // namespace

request_failure invalid_token(std::string detail)
{
    return refused(errc::unauthorized, "invalid_token", std::move(detail));
}

request_failure insufficient_scope(std::string detail)
{
    return refused(errc::forbidden, "insufficient_scope", std::move(detail));
}

boost::system::result<std::string_view, request_failure> bearer_token(const http_fields& fields, const char* needed)
{
    constexpr std::string_view scheme = "Bearer";
    const auto given = fields.get("Authorization");
    if (!given)
        return request_failure(fail(errc::unauthorized, needed, "Authorization"));
    if (fields.count("Authorization") != 1)
        return invalid_token("more than one Authorization");
    const auto end = given->find_first_of(" \t");
    if (!equals_ignoring_case(given->substr(0, end), scheme))
        return request_failure(fail(errc::unauthorized, needed, "Authorization"));
    const auto token = end == std::string_view::npos ? std::string_view() : trim_blanks(given->substr(end));
    if (token.empty())
        return invalid_token("the bearer token is empty");
    return token;
}

} // namespace marquee
