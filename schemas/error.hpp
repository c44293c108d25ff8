// The error codes of all programs, and the type of every result that may fail.
//
// A failure that depends on input or on the network is a `result<T>`; an exception means a bug.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee
{

/// Every failure that a client or a service can see. Starts at 1, because 0 means "no error".
enum class errc
{
    // the request is wrong
    bad_id = 1,      ///< an id is not 1 to 128 bytes of UTF-8 without control characters, or a token is not canonical
    bad_request,     ///< a body, parameter or header is not what the contract says; the detail names the field
    unauthorized,    ///< credentials are missing or wrong
    forbidden,       ///< the credentials are another user's, or no admin token is configured
    route_not_found, ///< no route has this path
    method_not_allowed,    ///< the path has no route for this method
    request_timeout,       ///< the client was too slow
    payload_too_large,     ///< the body is over the limit
    uri_too_long,          ///< the request target is over the limit
    headers_too_large,     ///< the header section is over the limit
    unsupported_media,     ///< the body is not JSON, or has a content coding
    range_not_satisfiable, ///< nothing of the range asked for is there
    rate_limited,          ///< too many requests of one client
    // the request uses another protocol
    not_implemented,       ///< a method that HTTP does not define
    version_not_supported, ///< HTTP/2.0 or later in a request line
    // the state does not allow it
    asset_not_found,   ///< no such asset
    user_not_found,    ///< no view of such a user
    not_playable,      ///< the asset is known but has no URL
    revision_mismatch, ///< the record has changed since the expected revision
    key_reused,        ///< an idempotency key was first used for another play
    // the system could not answer
    malformed_reply, ///< a service's reply does not follow the contract
    service_failed,  ///< a service replied with an internal error
    no_responders,   ///< no instance subscribes to the subject
    disconnected,    ///< there is no connection to the broker
    overloaded,      ///< a limit on work in flight is reached; nothing was done
    stopping,        ///< the process is draining
    unavailable,     ///< a service cannot reach its state, or its circuit is open; nothing was done
    timeout,         ///< the deadline passed
    outcome_unknown, ///< the deadline passed and the change may or may not have happened
};

inline constexpr errc last_errc = errc::outcome_unknown;

/// What the outcome of a request says about the health of the service.
enum class health_effect : std::uint8_t
{
    answer,  ///< the service replied in time, even if with an error
    failure, ///< the service failed
    unknown, ///< nothing: the broker, the link or this process is the cause
};

/// The properties of an error code: one row per code, in error.cpp.
struct error_traits
{
    /// Whether the same request may succeed later.
    enum class retry : std::uint8_t
    {
        no,
        later, ///< the HTTP response has a Retry-After field
    };

    /// Where the code may originate.
    enum class origin : std::uint8_t
    {
        edge,    ///< the edge only; in a service's reply it is malformed_reply
        service, ///< a service or the edge
    };

    std::string_view name;         ///< stable: the `code` of a problem, equal to the enumerator
    std::string_view title;        ///< constant text for people: the `title` of a problem
    int http_status = 500;         ///< RFC 9110
    int service_code = 500;        ///< `Nats-Service-Error-Code` (ADR-32), 400 to 599
    std::string_view service_text; ///< `Nats-Service-Error` (ADR-32); never changes, for mixed versions
    retry when = retry::no;
    health_effect health = health_effect::unknown;
    origin by = origin::edge;
};

/// The row of a code; that of an unknown code for a number outside the enum. Thread-safe; valid for
/// ever.
[[nodiscard]] const error_traits& traits_of(errc code) noexcept;

[[nodiscard]] inline std::string_view name_of(errc code) noexcept { return traits_of(code).name; }
[[nodiscard]] inline std::string_view title_of(errc code) noexcept { return traits_of(code).title; }
[[nodiscard]] inline std::string_view service_text_of(errc code) noexcept { return traits_of(code).service_text; }
[[nodiscard]] inline int service_code_of(errc code) noexcept { return traits_of(code).service_code; }

/// A failure: its code, and a detail that may be shown to the client.
struct error
{
    errc code{};
    std::string detail; ///< may be empty; never a secret, never a format string
    std::string field;  ///< the member, parameter or header at fault; empty if there is none

    friend bool operator==(const error& a, errc b) noexcept { return a.code == b; }
};

/// The code of an error reply, from its Nats-Service-Error and Nats-Service-Error-Code headers
/// (ADR-32): by text if it is one of error_traits::service_text, otherwise by number. An unknown
/// number is `service_failed` if it is 5xx, otherwise `malformed_reply`. Thread-safe.
[[nodiscard]] errc errc_from_service(std::string_view text, std::string_view number) noexcept;

/// A value or the failure to produce it.
template <class T>
using result = boost::system::result<T, error>;

/// Called by Boost.System for value() on a failed result, which is a bug. Throws std::logic_error
/// with the code's name, the detail and the place.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

/// Makes an error; for `return` statements of functions that return a result.
inline error fail(errc code, std::string detail = {}, std::string field = {})
{
    return error{code, std::move(detail), std::move(field)};
}

} // namespace marquee
