// What pages of other origins may do (CORS, the Fetch standard): nothing, unless an origin is named.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

class cors_policy
{
public:
    /// Allows `https://shop.example`, `http://localhost:3000`, `capacitor://localhost`, or `*` for any. Fails with bad_request.
    [[nodiscard]] result<void> add(std::string_view origin);

    /// Lets pages send this header field besides those that are always allowed. Fails with bad_request.
    [[nodiscard]] result<void> add_header(std::string_view name);

    [[nodiscard]] bool enabled() const noexcept { return any_ || !origins_.empty(); }

    /// Adds to an answer what lets a page of `origin` read it. Credentials are allowed to named origins only.
    void grant(const std::optional<std::string>& origin, http_fields& answer) const;

    /// Likewise, to the answer to a request that ended before its Origin was read: of several
    /// origins none is known to be the one.
    void grant_unread(http_fields& answer) const;

    /// Adds to the answer to a preflight what such a page may send. `methods` is a list as in Allow.
    void grant_preflight(const http_fields& request, std::string_view methods, http_fields& answer) const;

private:
    [[nodiscard]] bool allows(std::string_view origin) const noexcept;

    bool any_ = false;
    std::vector<std::string> origins_;
    std::string more_headers_; ///< as a list goes on
};

/// The one Origin of a request. One with bytes beyond ASCII is none.
[[nodiscard]] std::optional<std::string> origin_of(const http_fields& request);

/// True for what a browser asks before a request of another origin.
[[nodiscard]] bool is_preflight(const http_request& request);

} // namespace marquee
