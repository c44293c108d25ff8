// The administrator's bearer token, read from a file that may change at any time.
#pragma once

#include "broker/base/watched_file.hpp"
#include "edge/http/http.hpp"
#include "edge/http/status.hpp"

#include <array>
#include <optional>
#include <string>

namespace marquee
{

/// Not thread-safe: each io thread has its own.
class admin_token
{
public:
    /// No file: check() always fails.
    admin_token() = default;

    /// Reads the token: the file's text without blanks and line ends around it, 16 or more
    /// printable characters in one line. Fails with bad_request where it cannot be read or is none.
    [[nodiscard]] static result<admin_token> from_file(std::string path);

    /// Whether there is a token.
    [[nodiscard]] bool configured() const noexcept { return token_.has_value(); }

    /// Checks `Authorization: Bearer TOKEN`; the time it takes does not depend on the token. Calls
    /// stat(2) on the file, and reads it again when it has changed; while it cannot be read, or is
    /// no token, the previous one stays in use. Fails with unauthorized, or with forbidden where no
    /// token is configured.
    [[nodiscard]] boost::system::result<void, request_failure> check(const http_fields& fields);

private:
    using digest = std::array<unsigned char, 32>;

    explicit admin_token(std::string path) : file_(std::move(path)) {}
    static digest hash(std::string_view text);
    result<void> read();

    watched_file file_;
    std::optional<digest> token_; ///< SHA-256: compared in the same time whatever the length
};

} // namespace marquee
