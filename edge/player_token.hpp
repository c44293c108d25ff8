// Who is playing: bearer tokens that speak for one user.
#pragma once

#include "edge/bearer.hpp"
#include "edge/jwt.hpp"
#include "edge/watched_file.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace marquee
{

struct jwt_settings
{
    std::string key_file; ///< empty: nobody needs a token
    jwt_expectations expected;
};

/// Not thread-safe: each io thread has its own.
class player_token
{
public:
    /// Without keys: everybody may speak for everybody.
    player_token() = default;

    /// Reads the keys, if a file is given. Fails with bad_request where it cannot be read or is not what read_jwt_keys takes.
    [[nodiscard]] static result<player_token> from(const jwt_settings& settings);

    /// Checks that `Authorization: Bearer TOKEN` is of `user`. The file is looked at each time and read again when it changed; while it is of no
    /// use the last keys stand, and one error is logged. Fails with unauthorized (401), or forbidden (403) for a valid token of another user.
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
