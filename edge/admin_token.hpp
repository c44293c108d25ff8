// The administrator's bearer token, kept in a file.
#pragma once

#include "edge/http.hpp"
#include "edge/status.hpp"
#include "edge/watched_file.hpp"

#include <array>
#include <optional>
#include <string>

namespace marquee
{

/// Not thread-safe: each io thread has its own.
class admin_token
{
public:
    /// Without a file: nothing is ever authorised.
    admin_token() = default;

    /// Reads the token: the file's text without blanks and line ends around it, 16 or more printable characters in one line. Fails with bad_request
    /// where it cannot be read or is none.
    [[nodiscard]] static result<admin_token> from_file(std::string path);

    /// Checks `Authorization: Bearer TOKEN`, in constant time for any token. The file is looked at each time and read again when it changed;
    /// while it cannot be read or holds none the last token stands. Fails with unauthorized, or forbidden where no token is configured.
    [[nodiscard]] boost::system::result<void, request_failure> check(const http_fields& fields);

private:
    using digest = std::array<unsigned char, 32>;

    explicit admin_token(std::string path) : file_(std::move(path)) {}
    static digest hash(std::string_view text);
    result<void> read();

    watched_file file_;
    std::optional<digest> token_; ///< hashed: digests compare in the same time whatever the token's length
};

} // namespace marquee
