// Cross-origin requests of browsers (CORS, in the Fetch standard): refused unless an origin is
// allowed.
#pragma once

#include "edge/http/http.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

/// The origins that are allowed. Built at the start, then safe to read from several threads.
class cors_policy
{
public:
    /// Allows an origin, such as `https://shop.example`, `http://localhost:3000` or
    /// `capacitor://localhost`, or `*` for any. Fails with bad_request.
    [[nodiscard]] result<void> add(std::string_view origin);

    /// Allows pages to send this header field too. Fails with bad_request where it is no name.
    [[nodiscard]] result<void> add_header(std::string_view name);

    [[nodiscard]] bool enabled() const noexcept { return any_ || !origins_.empty(); }

    /// Adds the fields that let a page of `origin` read an answer, and `Vary`. Credentials are
    /// allowed to named origins only, not by `*`.
    void grant(const std::optional<std::string>& origin, http_fields& answer) const;

    /// The same for a request that ended before its Origin was read: grants `*`, or the one origin
    /// where only one is allowed.
    void grant_unread(http_fields& answer) const;

    /// Adds the fields that tell a page what it may send, for the answer to a preflight. `methods`
    /// is a list as in Allow. The fields of grant() come on top.
    void grant_preflight(const http_fields& request, std::string_view methods, http_fields& answer) const;

private:
    [[nodiscard]] bool allows(std::string_view origin) const noexcept;

    bool any_ = false;
    std::vector<std::string> origins_;
    std::string more_headers_; ///< each with a comma in front
};

/// The Origin of a request; nothing where there is none or more than one, or it is not ASCII.
[[nodiscard]] std::optional<std::string> origin_of(const http_fields& request);

/// True for a preflight: OPTIONS with Origin and Access-Control-Request-Method.
[[nodiscard]] bool is_preflight(const http_request& request);

} // namespace marquee
