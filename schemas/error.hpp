// What can go wrong, as one closed list that every layer shares.
//
// A failure that depends on input or on the network is a `result<T>`; an exception means a bug.
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace marquee
{

/// Every failure the outside can see. Starts at 1: 0 would read as "no error".
enum class errc
{
    // the request is wrong
    bad_id = 1,         ///< an id is not 1 to 128 bytes of UTF-8 without control characters, or a token is not canonical
    bad_request,        ///< a body, parameter or header is not what the contract says; the detail names the field
    unauthorized,       ///< credentials are missing or wrong
    forbidden,          ///< the credentials are another user's, or none could be enough (no admin token is configured)
    route_not_found,    ///< no route has this path
    method_not_allowed, ///< the path exists, this method does not
    request_timeout,    ///< the client was too slow
    payload_too_large,  ///< the body is over the limit
    uri_too_long,       ///< the request target is over the limit
    headers_too_large,  ///< the header section is over the limit
    unsupported_media,  ///< a body of another type than JSON, or encoded
    rate_limited,       ///< too many requests of one client
    // the request speaks another protocol
    not_implemented,       ///< a method that HTTP does not define
    version_not_supported, ///< HTTP/2.0 or later in a request line
    // the state says no
    asset_not_found,   ///< no such asset
    user_not_found,    ///< no view of such a user
    not_playable,      ///< the asset is known but has no URL
    revision_mismatch, ///< a compare-and-set lost
    key_reused,        ///< an idempotency key was first used for another play
    // the system could not answer
    malformed_reply, ///< a reply made no sense
    service_failed,  ///< a service answered that it failed inside
    no_responders,   ///< nobody listens on the subject
    disconnected,    ///< the broker is away
    overloaded,      ///< a limit on work in flight is reached; nothing was done
    stopping,        ///< the process is draining
    unavailable,     ///< the state behind a service is away; nothing was done
    timeout,         ///< the deadline passed
    outcome_unknown, ///< the deadline passed and the change may or may not have happened
};

/// The stable name of a code, as in a problem's `code`: the enumerator's own name.
[[nodiscard]] std::string_view name_of(errc code) noexcept;

/// The constant phrase for people: a problem's `title`.
[[nodiscard]] std::string_view title_of(errc code) noexcept;

/// The constant text of an error reply, `Nats-Service-Error`: the title, or the name where programs have always read that.
[[nodiscard]] std::string_view service_text_of(errc code) noexcept;

/// The number that stands in `Nats-Service-Error-Code` (ADR-32): 400 to 599.
[[nodiscard]] int service_code_of(errc code) noexcept;

/// A failure: the code, and what was wrong in words that may be shown to the client.
struct error
{
    errc code{};
    std::string detail; ///< may be empty; never a secret, never a format string
    std::string field;  ///< the field, parameter or header at fault, where there is one

    friend bool operator==(const error& a, errc b) noexcept { return a.code == b; }
};

/// Reads an error reply's headers back: by text where it is one of ours, else by number.
/// Numbers that are no error of the list become `service_failed` (5xx) or `malformed_reply` (anything else).
[[nodiscard]] errc errc_from_service(std::string_view text, std::string_view number) noexcept;

template <class T>
using result = boost::system::result<T, error>;

/// `value()` on a failed result is a bug: it throws std::logic_error with the code's name and detail.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

inline error fail(errc code, std::string detail = {}, std::string field = {})
{
    return error{code, std::move(detail), std::move(field)};
}

} // namespace marquee
