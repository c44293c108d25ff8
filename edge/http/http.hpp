// Requests and responses as plain values, independent of sockets and of any HTTP library.
#pragma once

#include "edge/http/body_stream.hpp"
#include "edge/http/client_address.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marquee
{

/// Compares names as HTTP does: without regard to the case of ASCII letters.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// `text` without spaces and tabs at either end.
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;

/// The elements of a list field's value, such as `a, "b,c"`: split at commas outside quotes,
/// without blanks around them. Empty ones are left out (RFC 9110 section 5.6.1.2). Views of
/// `value`.
[[nodiscard]] std::vector<std::string_view> list_elements(std::string_view value);

/// Header fields in order. Names are compared without regard to case. Not thread-safe.
class http_fields
{
public:
    using value_type = std::pair<std::string, std::string>;

    void add(std::string_view name, std::string_view value)
    {
        if (items_.empty())
            items_.reserve(4);
        items_.emplace_back(name, value);
    }

    /// Replaces all fields of that name by one.
    void set(std::string_view name, std::string_view value);

    /// Adds an element to the list field of that name: to its first field's value, or as a new
    /// field.
    void append(std::string_view name, std::string_view element);

    /// The value of the first field of that name, a view that is valid while the fields are
    /// unchanged; nothing where there is none.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;

    [[nodiscard]] std::size_t count(std::string_view name) const noexcept;

    /// The values of all fields of that name joined by commas (RFC 9110 section 5.3); nothing where
    /// there is none.
    [[nodiscard]] std::optional<std::string> joined(std::string_view name) const;

    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
    [[nodiscard]] auto begin() const noexcept { return items_.begin(); }
    [[nodiscard]] auto end() const noexcept { return items_.end(); }

private:
    std::vector<value_type> items_;
};

/// A request whose framing has been checked and whose body is complete.
struct http_request
{
    std::string id; ///< as request_id_for() gives it
    std::string method;
    std::string target; ///< as sent, without the scheme and authority of absolute form
    http_fields fields;
    std::string body;
    client_address peer; ///< of the connection: perhaps a proxy
};

/// The session adds Date, Connection, X-Request-ID, and Content-Length or Transfer-Encoding.
struct http_response
{
    int status = 200;
    http_fields fields;
    std::string body;
    std::shared_ptr<body_stream> stream = nullptr; ///< in place of `body`
    bool overloaded = false;                       ///< refused because of overload: the connection's next request waits
};

/// 200 with a JSON body.
[[nodiscard]] http_response json_response(std::string body);

/// The client's X-Request-ID where there is exactly one, of 1 to 128 characters out of
/// [A-Za-z0-9_.:+/=~-]; otherwise a new ULID.
[[nodiscard]] std::string request_id_for(const http_fields& fields);

} // namespace marquee
