// The administrator's bearer token, kept in a file.
#pragma once

#include "edge/http.hpp"
#include "schemas/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <sys/stat.h>

namespace marquee
{

/// Not thread-safe: each io thread has its own.
class admin_token
{
public:
    /// Without a file: nothing is ever authorised.
    admin_token() = default;

    /// Reads the token: the file's text without blanks and line ends around it. Fails with bad_request where it cannot be read or is empty.
    [[nodiscard]] static result<admin_token> from_file(std::string path);

    /// Checks `Authorization: Bearer TOKEN`, in constant time for any token. The file is looked at each time and read again when it changed;
    /// while it cannot be read or is empty the last token stands. Fails with unauthorized, or forbidden where no token is configured.
    [[nodiscard]] result<void> check(const http_fields& fields);

private:
    using digest = std::array<unsigned char, 32>;

    /// What tells one version of the file from another.
    struct version
    {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        friend bool operator==(const version&, const version&) = default;
    };

    explicit admin_token(std::string path) : path_(std::move(path)) {}
    static digest hash(std::string_view text);
    result<void> read();
    std::optional<version> look() const;

    std::string path_;
    std::optional<digest> token_; ///< hashed: digests compare in the same time whatever the token's length
    std::optional<version> seen_;
};

} // namespace marquee
