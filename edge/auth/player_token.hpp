// The bearer tokens of players: JWTs, each for one user.
#pragma once

#include "broker/base/watched_file.hpp"
#include "edge/auth/bearer.hpp"
#include "edge/auth/jwt.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

struct jwt_settings
{
    std::string key_file; ///< empty: no token is needed
    jwt_expectations expected;
};

/// Not thread-safe: each io thread has its own.
class player_token
{
public:
    /// No keys: check() always succeeds.
    player_token() = default;

    /// Reads the key file, if there is one. Fails with bad_request where it cannot be read, or
    /// read_jwt_keys() fails.
    [[nodiscard]] static result<player_token> from(const jwt_settings& settings);

    /// Whether tokens are needed.
    [[nodiscard]] bool has_keys() const noexcept { return !file_.path().empty(); }

    /// Checks that `Authorization: Bearer TOKEN` is a valid token of `user`. Calls stat(2) on the
    /// key file, and reads it again when it has changed; while it cannot be used, one error is
    /// logged and the previous keys stay in use. Fails with unauthorized, or with forbidden for a
    /// valid token of another user.
    [[nodiscard]] boost::system::result<void, request_failure>
    check(const http_fields& fields, std::string_view user,
          std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

private:
    result<void> read();

    watched_file file_;
    jwt_expectations expected_;
    std::vector<jwt_key> keys_;
};

} // namespace marquee
