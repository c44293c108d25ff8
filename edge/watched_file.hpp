// A small file with secrets or keys in it that an operator may change at any time.
#pragma once

#include "broker/small_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marquee
{

/// Not thread-safe: each io thread has its own.
class watched_file
{
public:
    /// No file.
    watched_file() = default;

    explicit watched_file(std::string path) : path_(std::move(path)) {}

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    /// True where the file is not what it was at the last call: replaced, written to, gone, or there again. One stat(2).
    [[nodiscard]] bool changed();

    /// All of its text, as read_small_file says.
    [[nodiscard]] result<std::string> read(secrecy what = secrecy::open) const { return read_small_file(path_, what); }

private:
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

    std::string path_;
    std::optional<version> seen_; ///< nothing: it was not there
};

/// `text` without blanks and line ends around it.
[[nodiscard]] std::string_view trim_lines(std::string_view text) noexcept;

} // namespace marquee
